package broker

import (
	"context"
	"time"
)

// A Describer is a broker that tells about its storage what an operator wants to
// know. It is not part of [Broker]: nothing is decided by it.
type Describer interface {
	// Describe returns what the storage tells of itself, and of the named queues
	// where they are. What it does not know, or may not be asked, is left out and is
	// no error: an error says that it did not answer at all.
	Describe(ctx context.Context, queues ...string) (About, error)
}

// An About is what a storage tells of itself. A zero field is not known, or does
// not exist there.
type About struct {
	Kind    string // "redis", "redis cluster", "sqlite", "memory"
	Version string // of the server, or of SQLite
	Address string // where it is: hosts, a socket or a file, without a password
	Prefix  string // what its keys begin with

	Uptime      time.Duration // of the server; at least a second, if it is known
	Connections int           // clients that are connected to it

	// Bytes: what its data takes, took at most, and may take; of a file, its size.
	Memory, PeakMemory, MaxMemory int64

	Eviction    string // what a full server does, as it calls it: "noeviction"
	Persistence string // what survives a crash, in a word or two: "appendonly", "snapshots", "none", "wal normal"

	// ClockOffset is how far the server's clock is ahead of this machine's, give or
	// take ClockDoubt. Without a ClockDoubt nobody has asked.
	ClockOffset, ClockDoubt time.Duration

	Events bool // what happens to entries is kept for a [Streamer]

	Cluster *Cluster          // nil: it is none
	Facts   map[string]string // all else that it says, by its own names
}

// A Cluster is what is known of a storage that is several servers.
type Cluster struct {
	State  string // as it calls it: "ok"
	Nodes  int    // that are known
	Size   int    // nodes that hold slots
	Shards int    // into which the namespace is divided; 0: one a queue
	Places []QueuePlace
}

// A QueuePlace is where a queue is in a cluster whose namespace has no shards.
type QueuePlace struct {
	Queue string
	Slot  int
	Nodes []string // addresses of those that have it, the primary first
}
