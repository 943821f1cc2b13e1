package redistest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// A Trio is a primary with replicas, watched by three sentinels. It replaces a
// primary that has been silent for a second.
type Trio struct {
	Nodes     []*Server // the first is the primary at first, the others its replicas
	Sentinels []*Server
}

// Master is the name under which sentinels know a primary.
const Master = "leat"

// watched is the configuration of a sentinel.
const watched = `
sentinel monitor leat 127.0.0.1 %s 2
sentinel down-after-milliseconds leat 1000
sentinel failover-timeout leat 3000
sentinel parallel-syncs leat 5
`

// StartTrio starts a trio that ends with t, and waits until all know each other.
func StartTrio(t testing.TB, o Options) *Trio {
	t.Helper()
	x := &Trio{Nodes: []*Server{Start(t, o)}}
	_, port, _ := net.SplitHostPort(x.Nodes[0].Addr)
	o.Args = append(o.Args, "--replicaof", "127.0.0.1 "+port, "--repl-diskless-sync-delay", "0")
	if o.Password != "" {
		o.Args = append(o.Args, "--masterauth", o.Password)
	}
	x.Nodes[0].Do(t, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
	for range 2 {
		x.Nodes = append(x.Nodes, Start(t, o))
	}
	conf := fmt.Sprintf(watched, port)
	if o.Password != "" {
		conf += "sentinel auth-pass leat " + o.Password + "\n"
	}
	for range 3 {
		x.Sentinels = append(x.Sentinels, Start(t, Options{Sentinel: conf}))
	}
	Await(t, "the replicas to be in step", func() bool {
		return strings.Count(x.Nodes[0].Do(t, "INFO", "replication"), "state=online") == 2
	})
	Await(t, "the sentinels to know all", func() bool {
		for _, s := range x.Sentinels {
			about := s.Do(t, "INFO", "sentinel")
			if !strings.Contains(about, "status=ok") || !strings.Contains(about, "slaves=2,sentinels=3") {
				return false
			}
		}
		return true
	})
	return x
}

// URL returns how to reach the primary by its sentinels.
func (x *Trio) URL() string {
	var hosts []string
	for _, s := range x.Sentinels {
		hosts = append(hosts, s.Addr)
	}
	user := ""
	if p := x.Nodes[0].o.Password; p != "" {
		user = ":" + p + "@"
	}
	return "redis-sentinel://" + user + strings.Join(hosts, ",") + "?master=" + Master
}

// Primary returns the node that the first sentinel takes for the primary.
func (x *Trio) Primary(t testing.TB) *Server {
	t.Helper()
	found := x.Sentinels[0].Do(t, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", Master)
	for _, n := range x.Nodes {
		if strings.ReplaceAll(n.Addr, ":", "\n") == found {
			return n
		}
	}
	t.Fatalf("the sentinel says %q, which is none of the nodes", found)
	return nil
}

// Await waits until is reports true, and fails t if that takes very long.
func Await(t testing.TB, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}
