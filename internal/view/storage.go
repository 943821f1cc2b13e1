package view

import "github.com/leatwork/leat/queue/broker"

// A Storage is what a storage tells of itself.
type Storage struct {
	Kind            string            `json:"kind,omitempty"`
	Version         string            `json:"version,omitempty"`
	Address         string            `json:"address,omitempty"`
	UptimeSeconds   float64           `json:"uptime_seconds,omitempty"`
	Connections     int               `json:"connections,omitempty"`
	MemoryBytes     int64             `json:"memory_bytes,omitempty"` // of a file, its size
	PeakMemoryBytes int64             `json:"peak_memory_bytes,omitempty"`
	MaxMemoryBytes  int64             `json:"max_memory_bytes,omitempty"`
	Eviction        string            `json:"eviction,omitempty"`
	Persistence     string            `json:"persistence,omitempty"`
	ClusterState    string            `json:"cluster_state,omitempty"`
	ClusterNodes    int               `json:"cluster_known_nodes,omitempty"`
	ClusterSize     int               `json:"cluster_size,omitempty"`
	Shards          int               `json:"shards,omitempty"`
	Facts           map[string]string `json:"facts,omitempty"`
}

// StorageOf returns what is shown of a storage.
func StorageOf(a broker.About) Storage {
	s := Storage{
		Kind: a.Kind, Version: a.Version, Address: a.Address, UptimeSeconds: seconds(a.Uptime), Connections: a.Connections,
		MemoryBytes: a.Memory, PeakMemoryBytes: a.PeakMemory, MaxMemoryBytes: a.MaxMemory, Eviction: a.Eviction,
		Persistence: a.Persistence, Facts: a.Facts,
	}
	if c := a.Cluster; c != nil {
		s.ClusterState, s.ClusterNodes, s.ClusterSize, s.Shards = c.State, c.Nodes, c.Size, c.Shards
	}
	return s
}
