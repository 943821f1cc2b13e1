package redistest

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

// A Cluster is three primaries, each with a replica. It replaces a primary that
// has been silent for a second.
type Cluster struct{ Nodes []*Server }

// slots is how many hash slots a cluster has.
const slots = 16384

// StartCluster starts a cluster that ends with t, and waits until it serves all
// slots. The first three nodes are the primaries at first, and the i-th of the
// others has the i-th of them.
func StartCluster(t testing.TB, o Options) *Cluster {
	t.Helper()
	x := &Cluster{}
	var buses []string
	for range 6 {
		port := freeport.Port(t)
		buses = append(buses, port)
		with := o
		with.Args = append(slices.Clone(o.Args), "--cluster-enabled", "yes", "--cluster-port", port,
			"--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0")
		x.Nodes = append(x.Nodes, Start(t, with))
	}
	for i, n := range x.Nodes {
		n.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i < 3 {
			n.Do(t, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/3), strconv.Itoa((i+1)*slots/3-1))
		}
		host, port, _ := net.SplitHostPort(n.Addr)
		x.Nodes[0].Do(t, "CLUSTER", "MEET", host, port, buses[i])
	}
	x.await(t, "the nodes to know each other", "cluster_known_nodes:6")
	for i, n := range x.Nodes[3:] {
		n.Do(t, "CLUSTER", "REPLICATE", x.Nodes[i].Do(t, "CLUSTER", "MYID"))
	}
	x.Sound(t)
	return x
}

func (x *Cluster) await(t testing.TB, what, line string) {
	t.Helper()
	Await(t, what, func() bool {
		return !slices.ContainsFunc(x.Nodes, func(n *Server) bool {
			return !strings.Contains(n.Do(t, "CLUSTER", "INFO"), line)
		})
	})
}

// Slot returns the slot of a key.
func (x *Cluster) Slot(t testing.TB, key string) string {
	t.Helper()
	return x.Nodes[0].Do(t, "CLUSTER", "KEYSLOT", key)
}

// Owner returns the primary that has the slot, or nil if none has it now.
func (x *Cluster) Owner(t testing.TB, slot string) *Server {
	t.Helper()
	n, err := strconv.Atoi(slot)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range x.Nodes {
		for line := range strings.Lines(node.nodes()) {
			if f := strings.Fields(line); strings.Contains(line, "myself,master") && slices.ContainsFunc(f[min(8, len(f)):], func(part string) bool { return holds(part, n) }) {
				return node
			}
		}
	}
	return nil
}

// nodes is what s says of its cluster, or "" if it does not answer.
func (s *Server) nodes() string {
	reply, err := s.ask("CLUSTER", "NODES")
	if err != nil {
		return ""
	}
	return reply
}

// holds reports whether a slot is in a range such as "0-5460" or "7".
func holds(part string, slot int) bool {
	low, high, several := strings.Cut(part, "-")
	if !several {
		high = low
	}
	first, err := strconv.Atoi(low)
	last, errLast := strconv.Atoi(high)
	return err == nil && errLast == nil && first <= slot && slot <= last
}

// Move moves a slot with its keys, one at a time, as redis-cli does it, only slower:
// for a while each of the two nodes has some of them.
func (x *Cluster) Move(t testing.TB, slot string, from, to *Server) {
	t.Helper()
	host, port, _ := net.SplitHostPort(to.Addr)
	source, target := from.Do(t, "CLUSTER", "MYID"), to.Do(t, "CLUSTER", "MYID")
	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", source)
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", target)
	for {
		key := from.Do(t, "CLUSTER", "GETKEYSINSLOT", slot, "1")
		if key == "" {
			break
		}
		from.Do(t, "MIGRATE", host, port, key, "0", "5000")
		time.Sleep(2 * time.Millisecond)
	}
	for _, n := range []*Server{to, from} {
		n.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", target)
	}
}

// IsPrimary reports whether s answers, and is a primary.
func (s *Server) IsPrimary(t testing.TB) bool {
	t.Helper()
	return strings.Contains(s.nodes(), "myself,master")
}

// Sound waits until all nodes serve all slots again, and every primary that has
// some has a replica in step.
func (x *Cluster) Sound(t testing.TB) {
	t.Helper()
	x.await(t, "the cluster to serve all slots", "cluster_state:ok")
	Await(t, "the replicas to be in step", func() bool {
		return !slices.ContainsFunc(x.Nodes, func(n *Server) bool {
			return n.IsPrimary(t) && !strings.Contains(n.Do(t, "INFO", "replication"), "state=online")
		})
	})
}

// InStep waits until the replicas of s have all that it has written by now.
func (s *Server) InStep(t testing.TB) {
	t.Helper()
	offset := func(line, before string) int {
		_, text, _ := strings.Cut(line, before)
		n, _ := strconv.Atoi(strings.FieldsFunc(text+",", func(r rune) bool { return r == ',' || r == '\r' })[0])
		return n
	}
	_, now, _ := strings.Cut(s.Do(t, "INFO", "replication"), "master_repl_offset:")
	written := offset(":"+now, ":")
	Await(t, "replicas to be in step", func() bool {
		replicas := 0
		for line := range strings.Lines(s.Do(t, "INFO", "replication")) {
			if strings.HasPrefix(line, "slave") && strings.Contains(line, "offset=") {
				if replicas++; offset(line, "offset=") < written {
					return false
				}
			}
		}
		return replicas > 0
	})
}

// URL returns how to reach the cluster.
func (x *Cluster) URL() string {
	var hosts []string
	for _, n := range x.Nodes {
		hosts = append(hosts, n.Addr)
	}
	return "redis-cluster://" + strings.Join(hosts, ",")
}
