package redisbroker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
)

// A damage is one that is done to a sound storage.
type damage struct {
	name string
	do   func(*bench)
	says string // what Verify says of it
	done string // what Mend does about it, and after that all is well; "": it tells, and changes nothing
}

var damages = []damage{
	{"nothing", func(*bench) {}, "", ""},
	{"an unknown state", func(x *bench) { x.set("t:ready", "state", "lost") }, `entry q/ready has the state "lost"`, ""},
	{"a state that is not its place", func(x *bench) { x.set("t:ready", "state", "active") }, "entry q/ready is active and 0 times in active", "its state is pending, as its place has it"},
	{"a pending entry twice", func(x *bench) { x.must(x.c.LPush(x.Context(), x.queue("pending"), "ready")) }, "ready is pending and 2 times in pending", "left in pending once"},
	{"a pending entry nowhere", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("pending"))) }, "ready is pending and 0 times in pending", "put into pending"},
	{"an active entry without lease", func(x *bench) { x.must(x.c.ZRem(x.Context(), x.queue("lease"), "leased")) }, "leased is active; in lease: false, want true", "put into lease"},
	{"a lease of nothing", func(x *bench) { x.member("lease", 5, "ghost") }, "lease of queue q names ghost, which does not exist", "taken out of lease"},
	{"an id without entry", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("t:ready"))) }, "pending of queue q names ready, which does not exist", "taken out of pending"},
	{"a fraction as score", func(x *bench) { x.member("scheduled", 1900000001.5, "later") }, "score 1.9000000015e+09, which is no integer", "its score in scheduled is rounded up"},
	{"an exact time of another second", func(x *bench) { x.member("leat:due", 5, "later") }, "exact time for later, which does not wait for it", "taken out of leat:due"},
	{"an exact time of nothing", func(x *bench) { x.must(x.c.ZRem(x.Context(), x.queue("scheduled"), "later")) }, "exact time for later, which does not wait", "put into scheduled"},
	{"a message that is none", func(x *bench) { x.set("t:ready", "msg", "\xff") }, "entry q/ready is pending and cannot be read", ""},
	{"a claim of nobody", func(x *bench) { x.must(x.c.Set(x.Context(), x.queue("unique:k2"), "ghost", 0)) }, "claim k2 of queue q is held by ghost", "freed"},
	{"a claim that is not in the entry", func(x *bench) { x.must(x.c.HDel(x.Context(), x.queue("t:ready"), "unique_key")) }, "claim k of queue q is held by ready", "freed"},
	{"a queue that is not known", func(x *bench) { x.must(x.c.Del(x.Context(), "asynq:queues")) }, "queue q holds entries and is not registered", "registered"},
	{"a document without body", func(x *bench) { x.must(x.c.HDel(x.Context(), x.queue("leat:run:run"), "d:doc")) }, "document doc of q/run is not sound", ""},
	{"a document of the future", func(x *bench) { x.set("leat:run:run", "v:doc", "9") }, "document doc of q/run is not sound", ""},
	{"arrivals that are not in the bits", func(x *bench) { x.set("leat:latch:run|map", "arrived", "2") }, "latch map of q/run has a number of arrivals", ""},
	{"a waiting entry too few", func(x *bench) { x.must(x.c.LPop(x.Context(), x.queue("leat:waiting:run|map"))) }, "latch map of q/run has another number waiting", ""},
	{"a latch that should be complete", func(x *bench) { x.set("leat:latch:run|map", "total", "1") }, "latch map of q/run is not complete with nothing missing", ""},
	{"a latch without an end", func(x *bench) { x.must(x.c.HDel(x.Context(), x.queue("leat:latch:run|map"), "then")) }, "latch map of q/run keeps what it did, or lacks", ""},
	{"a latch that its home does not know", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("leat:latches:run"))) }, "latch map of q/run is not among those", ""},
	{"an entry in a group twice", func(x *bench) { x.member("g:g", 5, "frozen") }, "entry q/frozen is aggregating and 2 times in a group", "taken out of g:g"},
	{"an entry in no group", func(x *bench) { x.must(x.c.ZRem(x.Context(), x.queue("g:g"), "grouped")) }, "entry q/grouped is aggregating and 0 times in a group", "put into group g"},
	{"a stranger in a group", func(x *bench) { x.member("g:g", 5, "ready") }, "group g of queue q names ready, which is pending", "taken out of g:g"},
	{"a group that is not known", func(x *bench) { x.must(x.c.SRem(x.Context(), x.queue("groups"), "g")) }, "group g of queue q is not among its groups", "named among the groups"},
	{"a group of nothing", func(x *bench) { x.must(x.c.SAdd(x.Context(), x.queue("groups"), "h")) }, "group h of queue q is known and holds nothing", "forgotten"},
	{"a join that is to come", func(x *bench) { x.member("leat:joined", 1e17, "g") }, "group g of queue q has been joined with the number 1e+17, which was not given to it", "joined anew"},
	{"joins without a last one", func(x *bench) { x.must(x.c.ZRem(x.Context(), x.queue("leat:joined"), "")) }, "the last is -1", "joined anew"},
	{"a batch of nothing", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("g:g:token"))) }, "batch g:token of queue q holds nothing", "forgotten"},
	{"a batch that asynq does not know", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("aggregation_sets"))) }, "batch token of group g of queue q is not known to asynq", "put into aggregation_sets"},
	{"a group to come that is not noted", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("leat:grouped"))) }, "entry q/coming is scheduled into group g, which is not noted", "put into leat:grouped"},
	{"a note of no group to come", func(x *bench) { x.member("leat:grouped", 5, "later") }, "notes that later is scheduled into a group, which it is not", "taken out of leat:grouped"},
	{"a claim that is held for ever", func(x *bench) {
		x.must(x.c.Persist(x.Context(), x.queue("unique:k")))
		x.must(x.c.LRem(x.Context(), x.queue("pending"), 0, "ready"))
		x.set("t:ready", "state", "archived")
		x.member("archived", 1900000001, "ready")
	}, "claim k of queue q is held for ever by ready", "freed"},
	{"a claim that is held and never deleted", func(x *bench) { x.must(x.c.Set(x.Context(), x.queue("unique:k3"), "gone 1900000009000", 0)) }, "claim k3 of queue q is held until 1900000009000 and never deleted", "deleted when its time has come"},
	{"a claim that is never deleted", func(x *bench) { x.must(x.c.Set(x.Context(), x.queue("unique:k3"), "gone 1900000000000", 0)) }, "claim k3 of queue q is held until 1900000000000 and never deleted", "freed"},
	{"a wait behind nothing", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("leat:behind:held"))) }, "entry q/behind waits behind a claim that does not know", "noted beside the claim"},
	{"a wait of nobody", func(x *bench) { x.must(x.c.HDel(x.Context(), x.queue("t:behind"), "leat_behind")) }, "behind waits behind claim held of queue q, and does not know", "forgotten"},
	{"an exit that is none", func(x *bench) { x.set("t:ready", "leat_exit", "\xc1") }, "entry q/ready is pending and cannot be read", ""},
	{"an open entry that is not named", func(x *bench) { x.must(x.c.HDel(x.Context(), x.queue("leat:open:run"), "q m1")) }, "q/run does not name entry q/m1 as open", "named as open"},
	{"an open entry that has ended", func(x *bench) { x.set("leat:open:run", "q archived", "") }, "q/run names entry q/archived as open, which it is not", "not named any more"},
	{"an open entry that is none", func(x *bench) { x.set("leat:open:ghost", "q|~a", "") }, "q/ghost names entry q/ghost~a as open, which it is not", "not named any more"},
	{"a drain that waits for nothing", func(x *bench) { x.set("leat:run:ended", "drain", "\x90") }, "q/ended has a drain although nothing of it is open", "drained"},
	{"a size that is another", func(x *bench) { x.set("leat:run:run", "size", "5") }, `q/run has documents of 4 bytes and says "5"`, "counted anew"},
	{"a listed home that is not in the set of a term", func(x *bench) { x.must(x.c.ZRem(x.Context(), x.queue("leat:listed:a b"), "run")) }, `home q/run is not listed in ":a b"`, "listed"},
	{"a listed home at another time", func(x *bench) { x.member("leat:listed", 5, "run") }, `home q/run is not listed in ":a b" when it is in that of all`, "listed"},
	{"a home that is listed and is none", func(x *bench) { x.member("leat:listed:a b", 5, "ghost") }, `home q/ghost is listed in ":a b" and does not know`, "not listed any more"},
	{"terms that are none", func(x *bench) { x.set("leat:run:run", "list", "\xc1") }, "the terms of q/run cannot be read", ""},
	{"an active entry in no list", func(x *bench) { x.must(x.c.LRem(x.Context(), x.queue("active"), 0, "leased")) }, "entry q/leased is active and 0 times in active", "put into active"},
	{"a pending entry that is leased", func(x *bench) { x.member("lease", 5, "ready") }, "entry q/ready is pending; in lease: true", "taken out of lease"},
	{"a pending entry that is archived, too", func(x *bench) { x.member("archived", 5, "ready") }, "entry q/ready is pending; in archived: true", "taken out of archived"},
	{"an archived entry nowhere", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("archived"))) }, "entry q/archived is archived; in archived: false", "put into archived"},
	{"an entry of one state in two other places", func(x *bench) { x.set("t:ready", "state", "retry"); x.member("archived", 5, "ready") }, "entry q/ready is retry; in retry: false", ""},
	{"a leased id without entry", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("t:leased"))) }, "active of queue q names leased, which does not exist", "taken out of active, taken out of lease"},
	{"a scheduled id without entry", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("t:later"))) }, "scheduled of queue q names later, which does not exist", "taken out of scheduled, taken out of leat:due"},
	{"a grouped id without entry", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("t:grouped"))) }, "group g of queue q names grouped, which does not exist", "taken out of g:g"},
	{"a frozen id without entry", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("t:frozen"))) }, "group g of queue q names frozen, which does not exist", "taken out of g:g:token"},
	{"a batch that nobody knows", func(x *bench) { x.must(x.c.Del(x.Context(), x.queue("aggregation_sets"), x.queue("leat:batches"))) }, "group g:token of queue q is not among its groups", "given back to group g"},
	{"an open entry without its hash", func(x *bench) {
		x.must(x.c.Del(x.Context(), x.queue("t:m1")))
		x.must(x.c.ZRem(x.Context(), x.queue("scheduled"), "m1"))
	}, "q/run names entry q/m1 as open, which it is not", "not named any more"},
	{"attempts that are none", func(x *bench) { x.set("t:ready", "leat_attempts", "\xc1") }, "the attempts of entry q/ready cannot be read", ""},
}

// damaged calls f with a storage of its own for each damage, once that is done.
func damaged(t *testing.T, f func(*bench, damage)) {
	server := redistest.Start(t, redistest.Options{})
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			x := &bench{T: t, server: server, b: open(t, server, "asynq"), c: client(t, server), now: time.UnixMilli(1900000000500)}
			defer x.b.Close()
			defer x.c.Close()
			defer func() { x.must(x.c.FlushAll(t.Context())) }() // the server is this test's own
			x.soundStorage()
			d.do(x)
			f(x, d)
		})
	}
}

// verified returns what Verify says, in lines.
func (x *bench) verified() string {
	x.Helper()
	faults, err := x.b.Verify(x.Context(), x.now)
	if err != nil {
		x.Fatal(err)
	}
	return strings.Join(faults, "\n")
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	damaged(t, func(x *bench, d damage) {
		if told := x.verified(); !strings.Contains(told, d.says) || d.says == "" && told != "" {
			x.Errorf("Verify() says:\n%s\nwant %q", told, d.says)
		}
	})
}

func (x *bench) set(key, field, value string) {
	x.Helper()
	x.must(x.c.HSet(x.Context(), x.queue(key), field, value))
}

func (x *bench) member(set string, score float64, id string) {
	x.Helper()
	x.must(x.c.ZAdd(x.Context(), x.queue(set), redis.Z{Score: score, Member: id}))
}

// soundStorage stores an entry in most states, a document, a drain, a listing, and a
// latch that one of three members has reached.
func (x *bench) soundStorage() {
	x.Helper()
	e := func(id string) broker.Entry {
		return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
	}
	x.apply(broker.Change{Enqueue: []broker.Entry{e("leased"), e("archived")}})
	leases := x.lease(2).Leases
	x.settle(leases[1], broker.Archived, time.Time{}, false)
	ready, later := e("ready"), e("later")
	ready.Claim = broker.Claim{Key: "k", TTL: time.Hour}
	exit := e("exit")
	ready.Exit = &exit
	later.DueAt = x.now.Add(time.Second)
	x.soundGroup()
	home := broker.Home{Queue: "q", ID: "run"}
	member := func(id string) broker.Entry {
		m := e(id)
		m.Home, m.DueAt = home, x.now.Add(time.Hour)
		return m
	}
	x.apply(broker.Change{
		Home:    home,
		Enqueue: []broker.Entry{ready, later},
		Put:     []broker.Put{{Key: "doc", Body: []byte("body")}},
		Open:    []broker.Latch{{ID: "map", Total: 3, Window: 1}},
		Feed:    []broker.Feed{{Latch: "map", Entries: []broker.Entry{member("m0"), member("m1"), member("m2")}}},
		Arrive:  []broker.Arrival{{Latch: "map", Member: 0}},
		Drain:   []broker.Entry{member("drain")},
		List:    &broker.Listing{At: x.now, Terms: []string{"a b"}},
	})
}

// soundGroup stores an entry in a group, one in a batch of it, one that will come,
// and one that waits behind another.
func (x *bench) soundGroup() {
	x.Helper()
	e := func(id string) broker.Entry {
		return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
	}
	held, behind := e("held"), e("behind")
	held.Claim = broker.Claim{Key: "held"}
	behind.Claim = broker.Claim{Key: "held", Behind: true}
	x.apply(broker.Change{Enqueue: []broker.Entry{held}})
	x.next("held")
	frozen, grouped, coming := e("frozen"), e("grouped"), e("coming")
	frozen.Group, grouped.Group, coming.Group = "g", "g", "g"
	coming.DueAt = x.now.Add(time.Hour)
	x.apply(broker.Change{Enqueue: []broker.Entry{frozen, behind, coming}})
	x.gather("token", "frozen")
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped}})
}
