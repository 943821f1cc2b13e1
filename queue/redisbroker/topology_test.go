package redisbroker_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/redisbroker"
)

// The whole suite, on each form in which Redis comes. TestBroker runs it on one
// Redis.

func TestTopologySocket(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	topology{url: s.SocketURL() + "?db=3", nodes: []*redistest.Server{s}, db: 3}.run(t)
}

func TestTopologyTLSWithClientCertificates(t *testing.T) {
	s := redistest.Start(t, redistest.Options{TLS: true, ClientCerts: true})
	topology{url: s.URL(), options: redisbroker.Options{TLS: s.TLS()}, nodes: []*redistest.Server{s}}.run(t)
}

func TestTopologySentinel(t *testing.T) {
	x := redistest.StartTrio(t, redistest.Options{Password: "secret"})
	topology{url: x.URL(), nodes: x.Nodes[:1], password: "secret"}.run(t)
}

// TestTopologyACL gives a user the rules that docs/operate.md gives to the
// prefix shop, and demands that this user never asks for more.
func TestTopologyACL(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	restrict(t, s, "single")
	url := "redis://leat:secret@" + s.Addr
	topology{url: url, prefix: "shop", nodes: []*redistest.Server{s}}.run(t)
	wasDeniedNothing(t, s)
	for _, words := range [][]string{
		{"GET", "shopping"}, {"SET", "asynq:queues", "x"}, {"PUBLISH", "asynq:cancel", "x"}, {"FLUSHALL"}, {"KEYS", "*"},
	} {
		if verdict := s.Do(t, append([]string{"ACL", "DRYRUN", "leat"}, words...)...); verdict == "OK" {
			t.Errorf("the user may %v", words)
		}
	}
}

// TestTopologyClusterShards has the ids of every case share a root, so that it has
// everything in one of the sixteen shards: what a case says of unrelated things is
// not promised between shards.
func TestTopologyClusterShards(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	for _, n := range x.Nodes {
		restrict(t, n, "single", "cluster", "shards")
		defer wasDeniedNothing(t, n)
	}
	topology{url: asLeat(x.URL()) + "?shards=16", prefix: "shop", nodes: x.Nodes[:3], rooted: true}.run(t)
}

func TestTopologyClusterQueues(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	for _, n := range x.Nodes {
		restrict(t, n, "single", "cluster")
		defer wasDeniedNothing(t, n)
	}
	topology{url: asLeat(x.URL()), prefix: "shop", nodes: x.Nodes[:3], oneQueue: true}.run(t)
}

// restrict makes the user leat, by rules of docs/operate.md.
func restrict(t *testing.T, s *redistest.Server, headings ...string) {
	t.Helper()
	for _, heading := range headings {
		s.Do(t, append([]string{"ACL", "SETUSER", "leat"}, documentedACL(t, heading)...)...)
	}
}

func asLeat(url string) string { return strings.Replace(url, "://", "://leat:secret@", 1) }

func wasDeniedNothing(t *testing.T, s *redistest.Server) {
	t.Helper()
	denied := s.Do(t, "ACL", "LOG")
	for _, object := range regexp.MustCompile(`(?m)^\s*object\s+(\S+)$`).FindAllStringSubmatch(denied, -1) {
		if what := object[1]; what != "config|get" && what != "cluster|info" { // Describe does without
			t.Errorf("ACL LOG has %s:\n%s", what, denied)
		}
	}
	if denied != "" && !strings.Contains(denied, "object") {
		t.Errorf("ACL LOG is not understood:\n%s", denied)
	}
}

// documentedACL returns the rules of docs/operate.md that are headed so.
func documentedACL(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```acl " + heading + "\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatalf("docs/operate.md has no ACL that is headed %q", heading)
	}
	return strings.Fields(strings.TrimPrefix(string(block[1]), "user leat "))
}

// A topology is a form in which Redis comes.
type topology struct {
	url      string
	options  redisbroker.Options
	prefix   string // "": one for each storage
	nodes    []*redistest.Server
	password string // of the nodes
	db       int
	rooted   bool // see brokertest.Rooted
	oneQueue bool // see brokertest.Storage
}

// run runs the suite. Brokers are opened outside of a case's bubble: what
// listens to a sentinel or to a cluster waits in a way that would stop the time
// there.
func (x topology) run(t *testing.T) {
	fewRandom(t)
	outside := newOutside(t)
	brokertest.Run(t, func(t testing.TB) brokertest.Storage {
		o := x.options
		o.Prefix, o.LocalClock, o.Logger = x.prefix, true, discard
		if o.Prefix == "" {
			o.Prefix = redistest.Prefix()
		} else {
			x.empty(t)
		}
		open := func(t testing.TB, events int) broker.Broker {
			var b *redisbroker.Broker
			var err error
			o := o
			o.Events = events
			outside.do(func() { b, err = redisbroker.Open(x.url, &o) })
			if err != nil {
				t.Fatal(err)
			}
			if x.rooted {
				return brokertest.Rooted(b, "root")
			}
			return b
		}
		streaming := open
		if x.oneQueue {
			streaming = nil
		}
		return brokertest.Storage{
			Open:          func(t testing.TB) broker.Broker { return open(t, 0) },
			OpenStreaming: streaming,
			OneQueue:      x.oneQueue,
			Leftovers: func(t testing.TB) []string {
				return slices.Concat(each(t, x, func(c *redis.Client) []string { return namesLeft(t, c, o.Prefix) })...)
			},
		}
	})
}

// fewRandom has fewer random operations played than TestBroker plays.
func fewRandom(t *testing.T) {
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set("3"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Set(before); err != nil {
			t.Error(err)
		}
	})
}

// each returns what f says of every node.
func each[T any](t testing.TB, x topology, f func(*redis.Client) T) []T {
	t.Helper()
	var all []T
	for _, n := range x.nodes {
		c := clientOf(n, x.password, x.db)
		all = append(all, f(c))
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// empty deletes everything, where storages have no prefixes of their own.
func (x topology) empty(t testing.TB) {
	t.Helper()
	each(t, x, func(c *redis.Client) bool {
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		return true
	})
}

// An outside runs functions outside of the bubble of whoever asks.
type outside struct {
	calls chan func()
	ended chan struct{}
}

func newOutside(t *testing.T) *outside {
	o := &outside{make(chan func()), make(chan struct{})}
	go func() {
		for call := range o.calls {
			call()
			o.ended <- struct{}{}
		}
	}()
	t.Cleanup(func() { close(o.calls) })
	return o
}

func (o *outside) do(f func()) {
	o.calls <- f
	<-o.ended
}
