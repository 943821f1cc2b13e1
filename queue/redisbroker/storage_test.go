package redisbroker_test

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// A bench is a broker under asynq's prefix on a server of its own, and a client
// that looks at what it stores.
type bench struct {
	*testing.T
	server *redistest.Server
	b      *redisbroker.Broker
	c      *redis.Client
	now    time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	server := redistest.Start(t, redistest.Options{})
	x := &bench{T: t, server: server, b: open(t, server, redisbroker.DefaultPrefix), c: client(t, server), now: time.UnixMilli(1900000000500)}
	t.Cleanup(func() { x.b.Close(); x.c.Close() })
	return x
}

func (x *bench) apply(changes ...broker.Change) {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), x.now, changes, broker.LeaseRequest{})
	if err != nil {
		x.Fatal(err)
	}
	for _, outcome := range applied.Outcomes {
		if outcome != nil {
			x.Fatal(outcome)
		}
	}
}

// lease asks for n entries of queue q for thirty seconds, as asynq does.
func (x *bench) lease(n int) broker.Applied {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), x.now, nil, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "q", First: n}}, Max: n, Until: x.now.Truncate(time.Second).Add(30 * time.Second),
	})
	if err != nil {
		x.Fatal(err)
	}
	return applied
}

// next leases the next entry of queue q, which must be id.
func (x *bench) next(id string) broker.Lease {
	x.Helper()
	applied := x.lease(1)
	if len(applied.Leases) != 1 || applied.Leases[0].Entry.ID != id {
		x.Fatalf("leased %+v, want %s", applied, id)
	}
	return applied.Leases[0]
}

func (x *bench) settle(l broker.Lease, to broker.Outcome, at time.Time, failed bool) {
	x.Helper()
	x.apply(broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: to, At: at, Failed: failed}}})
}

func (x *bench) advance() broker.Advanced {
	x.Helper()
	advanced, err := x.b.Advance(x.Context(), x.now, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 100})
	if err != nil {
		x.Fatal(err)
	}
	return advanced
}

// stored returns everything in redis but the version, answers and wakes: strings as they are, lists
// from head to tail, sets sorted, and sorted sets with their scores. Messages
// are in hex.
func (x *bench) stored() map[string]any {
	x.Helper()
	all := make(map[string]any)
	for _, key := range x.c.Keys(x.Context(), "*").Val() {
		switch x.c.Type(x.Context(), key).Val() {
		case "string":
			all[key] = x.c.Get(x.Context(), key).Val()
		case "list":
			all[key] = x.c.LRange(x.Context(), key, 0, -1).Val()
		case "set":
			all[key] = slices.Sorted(slices.Values(x.c.SMembers(x.Context(), key).Val()))
		case "zset":
			scores := make(map[string]string)
			for _, z := range x.c.ZRangeWithScores(x.Context(), key, 0, -1).Val() {
				scores[z.Member.(string)] = strconv.FormatFloat(z.Score, 'f', -1, 64)
			}
			all[key] = scores
		case "hash":
			fields := x.c.HGetAll(x.Context(), key).Val()
			if msg, ok := fields["msg"]; ok {
				fields["msg"] = hex.EncodeToString([]byte(msg))
			}
			all[key] = fields
		}
	}
	delete(all, "asynq:leat:version")
	maps.DeleteFunc(all, func(key string, _ any) bool {
		return strings.HasPrefix(key, "asynq:leat:answer:") || strings.HasPrefix(key, "asynq:leat:{wake}:")
	})
	return all
}

func (x *bench) holds(step string, want map[string]any) {
	x.Helper()
	if diff := cmp.Diff(want, x.stored()); diff != "" {
		x.Fatalf("after %s (-want +got):\n%s", step, diff)
	}
}

const (
	msgA     = "0a0174120170" + "1a0161" + "220171" // type t, payload p, id a, queue q
	uniqueU  = "asynq:{q}:unique:t:83878c91171338902e0fe0fb97a8c47a"
	claimU   = "t:83878c91171338902e0fe0fb97a8c47a"
	noTTL    = time.Duration(-1)
	ninety   = 90 * 24 * time.Hour
	dayKey   = "asynq:{q}:processed:2030-03-17"
	dayKeyF  = "asynq:{q}:failed:2030-03-17"
	pendSoon = "1900000000500000000"
)

var msgU = "0a0174120170" + "1a0175" + "220171" + "52" + "33" + hex.EncodeToString([]byte(uniqueU))

// TestStorageIsAsynqsThroughTheLifeOfTasks walks two tasks through their lives
// and compares all of Redis with what asynq leaves there, step by step. While
// an entry is leased, two fields of ours are in it.
func TestStorageIsAsynqsThroughTheLifeOfTasks(t *testing.T) {
	x := newBench(t)
	a := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t", Payload: []byte("p")}
	u := a
	u.ID, u.Claim = "u", broker.Claim{Key: claimU, TTL: 90*time.Second + 900*time.Millisecond}

	x.apply(broker.Change{Enqueue: []broker.Entry{a}}, broker.Change{Enqueue: []broker.Entry{u}})
	hashA := map[string]string{"msg": msgA, "state": "pending", "pending_since": pendSoon}
	hashU := map[string]string{"msg": msgU, "state": "pending", "pending_since": pendSoon, "unique_key": uniqueU}
	want := map[string]any{
		"asynq:queues":      []string{"q"},
		"asynq:{q}:pending": []string{"u", "a"},
		"asynq:{q}:t:a":     hashA,
		"asynq:{q}:t:u":     hashU,
		uniqueU:             "u",
	}
	x.holds("enqueue", want)
	x.ttl(uniqueU, 90*time.Second)
	x.ttl("asynq:{q}:t:u", noTTL)

	l := x.next("a")
	want["asynq:{q}:pending"] = []string{"u"}
	want["asynq:{q}:active"] = []string{"a"}
	want["asynq:{q}:lease"] = map[string]string{"a": "1900000030"}
	want["asynq:{q}:t:a"] = map[string]string{"msg": msgA, "state": "active", "leat_token": l.Token, "leat_until": "1900000030"}
	want["asynq:{q}:leat:advanced"] = "1900000000500000000"
	x.holds("lease", want)

	x.settle(l, broker.Released, time.Time{}, false)
	delete(want, "asynq:{q}:active")
	delete(want, "asynq:{q}:lease")
	want["asynq:{q}:pending"] = []string{"u", "a"}
	want["asynq:{q}:t:a"] = map[string]string{"msg": msgA, "state": "pending"}
	x.holds("release", want)

	l = x.next("a")
	l.Entry.Retried, l.Entry.LastErr, l.Entry.LastFailedAt = 1, "e", x.now
	x.settle(l, broker.Retry, time.Unix(1900000010, 0), true)
	msgA1 := msgA + "3001" + "3a0165" + "5880e6fe8907"
	want["asynq:{q}:pending"] = []string{"u"}
	want["asynq:{q}:retry"] = map[string]string{"a": "1900000010"}
	want["asynq:{q}:t:a"] = map[string]string{"msg": msgA1, "state": "retry"}
	want[dayKey], want[dayKeyF] = "1", "1"
	want["asynq:{q}:processed"], want["asynq:{q}:failed"] = "1", "1"
	x.holds("retry of a failure", want)
	x.ttl(dayKey, ninety)
	x.ttl("asynq:{q}:processed", noTTL)

	l = x.next("u")
	l.Entry.LastErr, l.Entry.LastFailedAt = "e", x.now
	x.settle(l, broker.Retry, time.Unix(1900000010, 0), false)
	msgU1 := msgU[:24] + "3a0165" + msgU[24:] + "5880e6fe8907"
	delete(want, "asynq:{q}:pending")
	want["asynq:{q}:retry"] = map[string]string{"a": "1900000010", "u": "1900000010"}
	want["asynq:{q}:t:u"] = map[string]string{"msg": msgU1, "state": "retry", "unique_key": uniqueU}
	x.holds("retry of no failure", want)

	x.now = x.now.Add(11 * time.Second)
	x.advance()
	delete(want, "asynq:{q}:retry")
	delete(want, "asynq:{q}:leat:advanced")
	want["asynq:{q}:pending"] = []string{"u", "a"}
	want["asynq:{q}:t:a"] = map[string]string{"msg": msgA1, "state": "pending", "pending_since": "1900000011500000000"}
	want["asynq:{q}:t:u"] = map[string]string{"msg": msgU1, "state": "pending", "pending_since": "1900000011500000000", "unique_key": uniqueU}
	x.holds("advance", want)

	l = x.next("a")
	x.settle(l, broker.Archived, time.Time{}, false)
	l = x.next("u")
	l.Entry.CompletedAt, l.Entry.Retention = x.now, 100*time.Second
	x.settle(l, broker.Completed, x.now.Truncate(time.Second).Add(100*time.Second), false)
	msgU2 := msgU1 + "6064" + "688be6fe8907"
	delete(want, "asynq:{q}:pending")
	delete(want, uniqueU)
	want["asynq:{q}:archived"] = map[string]string{"a": "1900000012"} // asynq drops the fraction
	want["asynq:{q}:completed"] = map[string]string{"u": "1900000111"}
	want["asynq:{q}:t:a"] = map[string]string{"msg": msgA1, "state": "archived"}
	want["asynq:{q}:t:u"] = map[string]string{"msg": msgU2, "state": "completed", "unique_key": uniqueU}
	want[dayKey], want[dayKeyF] = "3", "2"
	want["asynq:{q}:processed"], want["asynq:{q}:failed"] = "3", "2"
	want["asynq:{q}:leat:advanced"] = "1900000011500000000"
	x.holds("archive and completion", want)

	x.now = time.Unix(1900000111, 0)
	x.advance()
	delete(want, "asynq:{q}:leat:advanced")
	delete(want, "asynq:{q}:completed")
	delete(want, "asynq:{q}:t:u")
	x.holds("the end of retention", want)
}

// ttl fails unless key expires in about d.
func (x *bench) ttl(key string, d time.Duration) {
	x.Helper()
	if got := x.c.TTL(x.Context(), key).Val(); d == noTTL && got != noTTL || d != noTTL && (got > d || got < d-10*time.Second) {
		x.Errorf("TTL of %s = %v, want %v", key, got, d)
	}
}

// put writes an entry of queue q as asynq does, in a state that needs no more.
func (x *bench) put(id, state string, more ...any) {
	x.Helper()
	msg, err := wire.EncodeEntry(broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}, "")
	if err != nil {
		x.Fatal(err)
	}
	x.must(x.c.HSet(x.Context(), "asynq:{q}:t:"+id, append([]any{"msg", msg, "state", state}, more...)...))
	x.must(x.c.SAdd(x.Context(), "asynq:queues", "q"))
}

func (x *bench) must(cmds ...redis.Cmder) {
	x.Helper()
	for _, c := range cmds {
		if c.Err() != nil {
			x.Fatal(c.Err())
		}
	}
}

func (x *bench) state(id string) task.State {
	x.Helper()
	s, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: "q", ID: id})
	if err != nil {
		x.Fatal(err)
	}
	return s.State
}
