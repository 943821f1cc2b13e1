package redistest

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
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
		bus, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(bus)
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
	x.await(t, "the cluster to serve all slots", "cluster_state:ok")
	Await(t, "the replicas to be in step", func() bool {
		return !slices.ContainsFunc(x.Nodes[:3], func(n *Server) bool {
			return !strings.Contains(n.Do(t, "INFO", "replication"), "state=online")
		})
	})
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

// URL returns how to reach the cluster.
func (x *Cluster) URL() string {
	var hosts []string
	for _, n := range x.Nodes {
		hosts = append(hosts, n.Addr)
	}
	return "redis-cluster://" + strings.Join(hosts, ",")
}
