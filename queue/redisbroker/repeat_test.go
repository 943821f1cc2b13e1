package redisbroker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// openThrough opens a broker that reaches its server through c.
func openThrough(t testing.TB, c *cutter, prefix string) *redisbroker.Broker {
	t.Helper()
	b, err := redisbroker.Open(c.url(), &redisbroker.Options{Prefix: prefix, LocalClock: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestALostCallTakesEffectOnce does the same to two brokers, one of which loses
// every call at first, and demands that both answer the same and store the same.
func TestALostCallTakesEffectOnce(t *testing.T) {
	for name, plan := range map[string][]loss{
		"its reply":             {replyLost},
		"its request":           {requestLost},
		"its reply three times": {replyLost, replyLost, replyLost},
		"one, then the other":   {requestLost, replyLost, requestLost},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Shared(t)
			through := newCutter(t, server.Addr)
			calm := &twin{T: t, prefix: redistest.Prefix()}
			calm.b = open(t, server, calm.prefix)
			lossy := &twin{T: t, prefix: redistest.Prefix()}
			lossy.b = openThrough(t, through, lossy.prefix)
			t.Cleanup(func() { calm.b.Close() })

			for i, step := range everyKindOfCall {
				want := calm.apply(step)
				through.lose(plan...)
				got := lossy.apply(step)
				if n := through.left(); n != 0 {
					t.Fatalf("step %d: %d losses did not happen", i, n)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("step %d answers (-calm +lossy):\n%s", i, diff)
				}
				if diff := cmp.Diff(calm.stored(server), lossy.stored(server)); diff != "" {
					t.Fatalf("step %d stores (-calm +lossy):\n%s", i, diff)
				}
			}
		})
	}
}

// A call is what to do with the leases that the call before it got.
type call struct {
	changes func([]broker.Lease) []broker.Change
	lease   int
}

var run = broker.Home{Queue: "q", ID: "run"}

func ofRun(id string) broker.Entry {
	return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t", Home: run, Reads: []string{"control"}}
}

func always(changes ...broker.Change) func([]broker.Lease) []broker.Change {
	return func([]broker.Lease) []broker.Change { return changes }
}

var everyKindOfCall = []call{
	{changes: always(
		broker.Change{Enqueue: []broker.Entry{ofRun("a"), ofRun("b")}},
		broker.Change{Enqueue: []broker.Entry{ofRun("a")}}, // exists
		broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: "q", ID: "c"}, Type: "t", Claim: broker.Claim{Key: "k", TTL: time.Hour}}}},
		broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: "q", ID: "d"}, Type: "t", Claim: broker.Claim{Key: "k", TTL: time.Hour}}}}, // claimed
	)},
	{changes: always(
		broker.Change{Home: run, Put: []broker.Put{{Key: "control", Body: []byte("1")}}},
		broker.Change{Home: run, Put: []broker.Put{{Key: "control", Body: []byte("2")}}}, // conflict
		broker.Change{Home: run, Require: []broker.Condition{{Key: "control", Version: 1}}, Put: []broker.Put{{Key: "other", Body: []byte("3"), If: broker.AnyVersion}}},
	)},
	{lease: 3},
	{lease: 10, changes: func(leases []broker.Lease) []broker.Change {
		var changes []broker.Change
		for i, to := range []broker.Outcome{broker.Done, broker.Retry, broker.Released} {
			l := leases[i]
			changes = append(changes, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: to, At: twinNow.Add(time.Hour), Failed: true}}})
		}
		return append(changes, changes[0]) // lost
	}},
	{changes: func(leases []broker.Lease) []broker.Change {
		l := leases[0]
		return []broker.Change{{
			Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Completed, At: twinNow.Add(time.Hour), Result: []byte("r")}},
			Home:   run,
			Open: []broker.Latch{
				{ID: "join", Total: 2, Then: broker.Part{Enqueue: []broker.Entry{ofRun("then")}}},
				{ID: "map", Total: 3, Window: 1, Then: broker.Part{Arrive: []broker.Arrival{{Latch: "join", Member: 0}}}},
			},
			Feed: []broker.Feed{{Latch: "map", Entries: []broker.Entry{ofRun("m0"), ofRun("m1"), ofRun("m2")}}},
		}}
	}},
	{lease: 1, changes: always(broker.Change{Home: run, Arrive: []broker.Arrival{{Latch: "map", Member: 0}, {Latch: "join", Member: 1}}})},
	{lease: 5, changes: func(leases []broker.Lease) []broker.Change {
		l := leases[0]
		return []broker.Change{{
			Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Archived}},
			Home:   run,
			Arrive: []broker.Arrival{{Latch: "map", Member: 1}, {Latch: "map", Member: 2}},
			Close:  twinNow.Add(time.Hour),
		}}
	}},
}

var twinNow = time.UnixMilli(1900000000500)

// A twin is a broker that does what another does.
type twin struct {
	*testing.T
	prefix string
	b      *redisbroker.Broker
	leases []broker.Lease
	caller string // as its tokens have it
}

// apply makes c and returns the answer in words, without what is the twin's own.
func (x *twin) apply(c call) []string {
	x.Helper()
	var changes []broker.Change
	if c.changes != nil {
		changes = c.changes(x.leases)
	}
	applied, err := x.b.Apply(x.Context(), twinNow, changes, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "q"}}, Max: c.lease, Until: twinNow.Add(time.Minute),
	})
	if err != nil {
		x.Fatal(err)
	}
	x.leases = applied.Leases
	var said []string
	for _, outcome := range applied.Outcomes {
		said = append(said, fmt.Sprint(outcome))
	}
	for _, l := range applied.Leases {
		x.caller, _, _ = strings.Cut(l.Token, ":")
		l.Ready = time.Time{} // a lease that is told again does not say
		said = append(said, x.own(fmt.Sprintf("%+v", l)))
	}
	return said
}

func (x *twin) own(s string) string {
	s = strings.ReplaceAll(s, x.prefix, "P")
	if x.caller != "" {
		s = strings.ReplaceAll(s, x.caller, "caller")
	}
	return s
}

// stored returns all that x stores, but answers.
func (x *twin) stored(server *redistest.Server) map[string]string {
	x.Helper()
	c := client(x, server)
	defer c.Close()
	all := make(map[string]string)
	for _, key := range c.Keys(x.Context(), x.prefix+":*").Val() {
		var value any
		switch c.Type(x.Context(), key).Val() {
		case "string":
			value = c.Get(x.Context(), key).Val()
		case "list":
			value = c.LRange(x.Context(), key, 0, -1).Val()
		case "set":
			value = c.SMembersMap(x.Context(), key).Val()
		case "zset":
			value = c.ZRangeWithScores(x.Context(), key, 0, -1).Val()
		case "hash":
			value = c.HGetAll(x.Context(), key).Val()
		}
		if !strings.Contains(key, ":leat:answer:") {
			all[x.own(key)] = x.own(fmt.Sprint(value))
		}
	}
	return all
}

func TestALeaseIsHeardOfAfterItsContextHasEnded(t *testing.T) {
	server := redistest.Shared(t)
	through := newCutter(t, server.Addr)
	prefix := redistest.Prefix()
	calm := &twin{T: t, prefix: prefix, b: open(t, server, prefix)}
	defer calm.b.Close()
	calm.apply(everyKindOfCall[0])
	calm.apply(call{lease: 1}) // loads the script
	b := openThrough(t, through, prefix)

	through.lose(replyStalls)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	applied, err := b.Apply(ctx, twinNow, nil, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "q"}}, Max: 1, Until: twinNow.Add(time.Minute),
	})
	if err != nil || len(applied.Leases) != 1 {
		t.Fatalf("Apply() = %+v, %v, want the lease that was made", applied, err)
	}
	l := applied.Leases[0]
	held, err := b.Extend(t.Context(), twinNow, twinNow.Add(2*time.Minute), l.Ref())
	if err != nil || held[0] != broker.Kept {
		t.Errorf("Extend() = %v, %v, want kept", held, err)
	}
	through.lose(replyStalls)
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	change := broker.Change{Enqueue: []broker.Entry{ofRun("late")}}
	if _, err := b.Apply(ctx, twinNow, []broker.Change{change}, broker.LeaseRequest{}); err == nil || errors.Is(err, broker.ErrRefused) {
		t.Errorf("Apply() whose answer did not come in time = %v, want an error that leaves it open", err)
	}
}

func TestAnswersAreDroppedOnceTheyAreHeard(t *testing.T) {
	server := redistest.Shared(t)
	x := &twin{T: t, prefix: redistest.Prefix()}
	x.b = open(t, server, x.prefix)
	defer x.b.Close()
	for i := range 200 {
		x.apply(call{changes: always(broker.Change{Enqueue: []broker.Entry{ofRun(fmt.Sprint(i))}})})
	}
	c := client(t, server)
	defer c.Close()
	keys := c.Keys(t.Context(), x.prefix+":leat:answer:*").Val()
	if len(keys) != 1 {
		t.Fatalf("answers are in %v, want one key", keys)
	}
	if n := c.HLen(t.Context(), keys[0]).Val(); n > 40 {
		t.Errorf("%d answers are kept after 200 calls, want at most 40", n)
	}
	if ttl := c.TTL(t.Context(), keys[0]).Val(); ttl < 9*time.Minute || ttl > 10*time.Minute {
		t.Errorf("answers are kept for %v, want ten minutes", ttl)
	}
}

func TestTheScriptIsLoadedAgainWhenTheServerHasForgottenIt(t *testing.T) {
	server := redistest.Start(t, redistest.Options{AOF: true})
	b, err := redisbroker.Open(server.URL(), &redisbroker.Options{LocalClock: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	enqueue := func(id string) {
		t.Helper()
		applied, err := b.Apply(t.Context(), twinNow, []broker.Change{{Enqueue: []broker.Entry{ofRun(id)}}}, broker.LeaseRequest{})
		if err != nil || applied.Outcomes[0] != nil {
			t.Fatalf("Apply() = %+v, %v, want nil", applied, err)
		}
	}
	enqueue("a")
	c := client(t, server)
	if err := c.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	enqueue("b")
	c.Close()
	server.Kill()
	change := broker.Change{Enqueue: []broker.Entry{ofRun("c")}}
	if _, err := b.Apply(t.Context(), twinNow, []broker.Change{change}, broker.LeaseRequest{}); !errors.Is(err, broker.ErrRefused) {
		// The first call may find a connection that looks alive.
		if _, err := b.Apply(t.Context(), twinNow, []broker.Change{change}, broker.LeaseRequest{}); !errors.Is(err, broker.ErrRefused) {
			t.Errorf("Apply() without a server = %v, want %v", err, broker.ErrRefused)
		}
	}
	server.Restart(t)
	enqueue("c")
	counts, err := b.Counts(t.Context(), twinNow, "q")
	if err != nil || counts[0].Pending != 3 {
		t.Errorf("counts = %+v, %v, want 3 pending", counts, err)
	}
}
