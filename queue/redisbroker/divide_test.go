package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestShardsLieEvenly(t *testing.T) {
	for _, n := range []int{1, 2, 3, 16, MaxShards} {
		for i, tag := range shardTags("shop", n) {
			if s := slot(tag); s < i*slots/n || s >= (i+1)*slots/n {
				t.Errorf("shard %d of %d lies in slot %d", i, n, s)
			}
		}
	}
	node := redistest.Start(t, redistest.Options{Args: []string{"--cluster-enabled", "yes", "--cluster-port", freeport.Port(t)}})
	for _, tag := range append(shardTags("shop", 16), "123456789", "a") {
		if got, want := strconv.Itoa(slot(tag)), node.Do(t, "CLUSTER", "KEYSLOT", "{"+tag+"}:x"); got != want {
			t.Errorf("slot(%q) = %s, redis says %s", tag, got, want)
		}
	}
}

// alone starts a cluster of one node and returns how to reach it.
func alone(t *testing.T) (*redistest.Server, string) {
	t.Helper()
	s := redistest.Start(t, redistest.Options{Args: []string{"--cluster-enabled", "yes", "--cluster-port", freeport.Port(t)}})
	s.Do(t, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	redistest.Await(t, "the cluster to serve", func() bool { return strings.Contains(s.Do(t, "CLUSTER", "INFO"), "cluster_state:ok") })
	return s, "redis-cluster://" + s.Addr
}

func TestTheNumberOfShardsIsKept(t *testing.T) {
	_, cluster := alone(t)
	for _, url := range []string{cluster, redistest.Shared(t).URL()} {
		prefix := redistest.Prefix()
		open := func(shards int) error {
			b, err := Open(url, &Options{Prefix: prefix, Shards: shards})
			if err == nil {
				err = b.Close()
			}
			return err
		}
		if err := errors.Join(open(4), open(4)); err != nil {
			t.Fatal(err)
		}
		for _, other := range []int{3, 16} {
			if err := open(other); !errors.Is(err, broker.ErrRefused) || !strings.Contains(err.Error(), "has 4 shards") {
				t.Errorf("Open() with %d shards = %v, want it to say that there are 4", other, err)
			}
		}
		if err := open(0); url == cluster && (!errors.Is(err, broker.ErrRefused) || !strings.Contains(err.Error(), "has 4 shards")) {
			t.Errorf("Open() without shards = %v, want it to say that there are 4", err)
		}
	}
	if _, err := Open(cluster+"?shards=4", &Options{Shards: 5}); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("Open() with 4 and 5 shards = %v, want %v", err, task.ErrInvalid)
	}
	if _, err := Open(cluster, &Options{Events: 5}); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("Open() with events of several queues = %v, want %v", err, task.ErrInvalid)
	}
}

// TestShardsAreHeardOnOneConnection listens to all shards.
func TestShardsAreHeardOnOneConnection(t *testing.T) {
	s, url := alone(t)
	b, err := Open(url, &Options{Prefix: "shop", Shards: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithCancel(t.Context())
	heard, ended := make(chan broker.Signal, 100), make(chan error, 1)
	go func() { ended <- b.Listen(ctx, func(s broker.Signal) { heard <- s }) }()
	if first := <-heard; first.Kind != broker.Listening {
		t.Errorf("first signal = %+v, want listening", first)
	}
	redistest.Await(t, "one connection to listen", func() bool { // that of the probe is being closed
		return strings.Count(s.Do(t, "CLIENT", "LIST", "TYPE", "pubsub"), " addr=") == 1
	})
	want := make(map[string]bool)
	for i := range 20 {
		ref := broker.EntryRef{Queue: "q", ID: fmt.Sprintf("e%d", i)}
		want[ref.ID] = true
		for _, c := range []broker.Change{
			{Enqueue: []broker.Entry{{EntryRef: ref, Type: "t"}}},
			{Watch: []broker.EntryRef{ref}},
			{Move: []broker.Move{{EntryRef: ref, Do: broker.Delete}}},
		} {
			applied, err := b.Apply(t.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
			if err != nil || applied.Outcomes[0] != nil {
				t.Fatalf("Apply() = %v, %v, want nil", applied.Outcomes, err)
			}
		}
	}
	for len(want) > 0 {
		signal := <-heard
		if signal.Kind != broker.EndSeen {
			t.Errorf("signal = %+v, want an end", signal)
		}
		delete(want, signal.Entry.ID)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen() = %v, want %v", err, context.Canceled)
	}
}

func TestEventsOfShardsAreMerged(t *testing.T) {
	b, err := Open(redistest.Shared(t).URL(), &Options{Prefix: redistest.Prefix(), Shards: 8, Events: 100, LocalClock: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	now := time.UnixMilli(1900000000000)
	for i := range 30 {
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: fmt.Sprintf("e%d", i)}, Type: "t"}
		if _, err := b.Apply(t.Context(), now.Add(time.Duration(i)*time.Second), []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for after := ""; ; {
		events, err := b.Events(t.Context(), after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			ids, after = append(ids, e.Entry.ID), e.Cursor
		}
	}
	for i, id := range ids {
		if id != fmt.Sprintf("e%d", i) {
			t.Fatalf("events are of %v, want e0 to e29 in order", ids)
		}
	}
	if len(ids) != 30 {
		t.Errorf("%d events, want 30", len(ids))
	}
	if _, err := b.Events(t.Context(), "7", 7); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Events() behind nonsense = %v, want %v", err, broker.ErrRefused)
	}
}

// TestQueuesAreRegisteredAgain is about what another process, or asynq's tools,
// have removed from the set of queues.
func TestQueuesAreRegisteredAgain(t *testing.T) {
	s, url := alone(t)
	b, err := Open(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}
	if _, err := b.Apply(t.Context(), time.Now(), []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{}); err != nil {
		t.Fatal(err)
	}
	server := broker.Server{ID: "3f1c1a3e-6f0d-4d28-9d2e-0d7a4f6b2c11", Host: "h", PID: 7, Queues: map[string]int{"q": 1}}
	for range 2 {
		s.Do(t, "DEL", "asynq:queues")
		if err := b.Beat(t.Context(), time.Now(), server); err != nil {
			t.Fatal(err)
		}
		if got := s.Do(t, "SMEMBERS", "asynq:queues"); got != "q" {
			t.Errorf("queues = %q, want q", got)
		}
	}
	name := "asynq:servers:{h:7:" + server.ID + "}"
	if got := s.Do(t, "ZRANGE", "asynq:servers", "0", "-1"); got != name || s.Do(t, "EXISTS", name) != "1" {
		t.Errorf("servers = %q, want the record at %q", got, name)
	}
	if err := b.Beat(t.Context(), time.Now(), broker.Server{ID: server.ID, Gone: true}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{name, "asynq:servers", "asynq:workers"} {
		if s.Do(t, "EXISTS", key) != "0" {
			t.Errorf("%s is left of a server that has gone", key)
		}
	}
}

// A loser loses the answer to a command that it lets through, and then no command
// gets to a server.
type loser struct {
	doubts
	let int
}

func (l *loser) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := error(&net.OpError{Op: "dial", Err: io.ErrClosedPipe})
		if l.let > 0 {
			l.let--
			next(ctx, cmd) //nolint:errcheck // its answer is to be lost
			err = io.EOF
		}
		cmd.SetErr(err)
		return err
	}
}

func TestARefusalBehindALostAnswerIsNone(t *testing.T) {
	_, url := alone(t)
	at, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	for let, refused := range []bool{true, false} {
		client := at.connect(nil).(*redis.ClusterClient)
		defer client.Close()
		b, err := New(client, nil)
		if err != nil {
			t.Fatal(err)
		}
		breaking := &loser{let: let}
		if err := client.ForEachShard(t.Context(), func(_ context.Context, node *redis.Client) error { node.AddHook(breaking); return nil }); err != nil {
			t.Fatal(err)
		}
		_, err = b.Extend(t.Context(), time.Now(), time.Now(), broker.LeaseRef{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Token: "q|t"})
		if err == nil || errors.Is(err, broker.ErrRefused) != refused {
			t.Errorf("after %d lost answers Extend() = %v, want it refused: %v", let, err, refused)
		}
	}
}

func TestACallersClusterClientStaysOpen(t *testing.T) {
	_, url := alone(t)
	at, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := at.connect(nil)
	defer client.Close()
	b, err := New(client, &Options{Shards: 2, Prefix: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}
	if _, err := b.Apply(t.Context(), time.Now(), []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{}); err != nil {
		t.Fatal(err)
	}
	if queues, err := b.Queues(t.Context()); err != nil || !slices.Equal(queues, []string{"q"}) {
		t.Errorf("Queues() = %v, %v, want q", queues, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Ping(t.Context()); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("Ping() of the closed broker = %v, want %v", err, broker.ErrClosed)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("Ping() of the client = %v, want nil", err)
	}
}
