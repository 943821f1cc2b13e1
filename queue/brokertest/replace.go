package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var replacePromises = []promise{
	{"a replacement takes the place of its entry in every field but its group, home, reads, exit and crashes", replaceFields},
	{"without a due time it keeps its state and its place", replacePlace},
	{"with a due time it waits anew, as if it were enqueued", replaceDue},
	{"an entry of a group that is replaced stays in it, or joins it when it is due", replaceGroup},
	{"only an entry that waits can be replaced", replaceStates},
	{"an entry that is frozen cannot be replaced", replaceFrozen},
	{"an entry that does not exist cannot be replaced", replaceUnknown},
	{"the version that is asked for must be there", replaceVersion},
	{"a version changes when the entry's fields are written anew, and not when it is read", replaceVersionChanges},
	{"without a version the entry must hold the claim, or wait behind it", replaceClaim},
	{"a replacement says how its claim ends, not which it is", replaceClaimEnds},
	{"an entry that waits behind a claim is replaced where it is", replaceBehind},
	{"what was left by earlier attempts stays", replaceStays},
	{"a replacement that fails leaves its change undone", replaceAllOrNone},
	{"a replacement of what its change deletes only asks for the version", replaceDeleted},
}

// replacing returns a change that replaces what is stored as s.
func replacing(s broker.Stored, e broker.Entry) broker.Change {
	return broker.Change{Replace: []broker.Replacement{{Entry: e, If: s.Version}}}
}

// another returns an entry that differs from full(queue, id) in every field.
func another(queue, id string) broker.Entry {
	e := full(queue, id)
	e.Type, e.Payload, e.Headers = "test:another", []byte("another"), map[string]string{"k": "v"}
	e.MaxRetry, e.Retried, e.LastErr = 3, 0, ""
	e.LastFailedAt, e.CompletedAt = time.Time{}, time.Time{}
	e.Timeout, e.Retention, e.Deadline = time.Second, 0, time.Time{}
	e.StartBy, e.MaxCrashes = time.Time{}, 0
	e.Home, e.Reads = broker.Home{Queue: "others", ID: "run"}, []string{"k"}
	return e
}

func replaceFields(x *trial) {
	old := full("q", "a")
	exit := entry("exits", "exit")
	old.Exit = &exit
	x.enqueue(old)
	x.crash("a", 1)
	e := another("q", "a")
	unwanted := entry("exits", "unwanted")
	e.Group, e.Exit, e.Crashes = "unwanted", &unwanted, 7
	x.must(replacing(x.get("q", "a"), e))
	e.Group, e.Home, e.Reads, e.Exit, e.Crashes = "", old.Home, old.Reads, old.Exit, 1
	got := x.get("q", "a")
	equal(x, "stored", got.Entry, e)
	equal(x, "state", got.State, task.Pending)
	e.Exit = nil
	equal(x, "leased", x.leaseOne("q").Entry, e)
}

func replacePlace(x *trial) {
	due := time.Now().Add(time.Hour)
	x.enqueue(entries("q", "first", "pending", "last")...)
	e := scheduled("q", "scheduled", time.Hour)
	x.enqueue(e)
	x.must(settling(x.broughtNext("retry"), broker.Retry))
	for id, want := range map[string]task.State{"pending": task.Pending, "scheduled": task.Scheduled, "retry": task.Retry} {
		before := x.get("q", id)
		e := another("q", id)
		x.must(replacing(before, e))
		got := x.get("q", id)
		equal(x, id, []any{got.State, got.DueAt, string(got.Payload)}, []any{want, before.DueAt, "another"})
	}
	x.pending("", "first", "pending", "last")
	equal(x, "due", x.get("q", "scheduled").DueAt, due)
	x.pass(time.Hour)
	equal(x, "due", x.advance("q").Due, 2)
}

// broughtNext enqueues an entry of q, runs what is before it to the end of the
// line, and leases it.
func (x *trial) broughtNext(id string) broker.Lease {
	x.Helper()
	x.enqueue(entry("q", id))
	all := x.lease("q", broker.MaxParts)
	for i := len(all) - 2; i >= 0; i-- {
		x.must(settling(all[i], broker.Released))
	}
	return all[len(all)-1]
}

func replaceDue(x *trial) {
	x.enqueue(entries("q", "a", "b", "c")...)
	x.enqueue(scheduled("q", "d", time.Hour))
	replace := func(id string, due time.Time) {
		e := another("q", id)
		e.DueAt = due
		x.must(replacing(x.get("q", id), e))
	}
	at := time.Now().Add(time.Minute + 1500*time.Microsecond)
	replace("a", at)
	got := x.get("q", "a")
	equal(x, "for later", []any{got.State, got.DueAt}, []any{task.Scheduled, broker.CeilMilli(at)})
	replace("b", time.Now())
	replace("d", time.Now().Add(-time.Minute))
	x.pending("", "c", "b", "d")
	equal(x, "due time of one that is ready", x.get("q", "d").DueAt, time.Time{})
	x.must(settling(x.leaseOne("q"), broker.Retry))
	replace("c", time.Now().Add(2*time.Second))
	x.in("retried and replaced", task.Scheduled, "c")
	x.pass(2 * time.Second)
	equal(x, "due", x.advance("q").Due, 1)
	x.pending("", "b", "d", "c")
}

func replaceGroup(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	e := another("q", "a")
	x.must(replacing(x.get("q", "a"), e))
	got := x.get("q", "a")
	equal(x, "in its place", []any{got.State, got.Group, string(got.Payload)}, []any{task.Aggregating, "g", "another"})
	x.pass(3 * time.Second)
	e.DueAt = time.Now()
	x.must(replacing(x.get("q", "a"), e))
	equal(x, "waiting", x.waiting("g"), []string{"b", "a"})
	e.DueAt = time.Now().Add(time.Minute)
	x.must(replacing(x.get("q", "a"), e))
	x.in("for later", task.Scheduled, "a")
	equal(x, "waiting", x.waiting("g"), []string{"b"})
	x.pass(time.Minute)
	x.advance("q")
	equal(x, "waiting when it was due", x.waiting("g"), []string{"b", "a"})
}

func replaceStates(x *trial) {
	for _, state := range task.States() {
		id := state.String()
		x.brought(id, state)
		c := replacing(x.get("q", id), another("q", id))
		switch state {
		case task.Active, task.Archived, task.Completed:
			x.wrongState(id, c, id, state)
			equal(x, id+": payload", string(x.get("q", id).Payload), "payload of "+id)
		default:
			x.must(c)
			equal(x, id+": payload", string(x.get("q", id).Payload), "another")
		}
	}
}

func replaceFrozen(x *trial) {
	x.enqueue(grouped("a", "g"))
	before := x.get("q", "a")
	x.gather("g", "t", 1)
	err := x.refused(replacing(before, another("q", "a")))
	found, ok := errors.AsType[*broker.StateError](err)
	if !ok || !found.Frozen {
		x.Errorf("outcome = %v, want a StateError of one that is frozen", err)
	}
}

func replaceUnknown(x *trial) {
	x.enqueue(entry("p", "a"))
	x.notFound("no such entry", replacing(broker.Stored{Version: "1"}, another("q", "a")))
	byClaim := broker.Change{Replace: []broker.Replacement{{Entry: lasting("a")}}}
	x.notFound("no such holder", byClaim)
	equal(x, "queues", x.queues(), []string{"p"})
}

func replaceVersion(x *trial) {
	x.enqueue(entry("q", "a"))
	first := x.get("q", "a")
	c := replacing(first, another("q", "a"))
	c.Replace[0].If = "another"
	if err := x.refused(c); !errors.Is(err, broker.ErrChanged) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrChanged)
	}
	outcomes := x.apply(replacing(first, another("q", "a")), replacing(first, full("q", "a")))
	if outcomes[0] != nil || !errors.Is(outcomes[1], broker.ErrChanged) {
		x.Errorf("outcomes = %v, want nil and %v", outcomes, broker.ErrChanged)
	}
	equal(x, "payload", string(x.get("q", "a").Payload), "another")
}

func replaceVersionChanges(x *trial) {
	x.enqueue(entry("q", "a"))
	version := func() string {
		s := x.get("q", "a")
		if s.Version == "" {
			x.Fatal("the version is empty")
		}
		if again := x.get("q", "a"); again.Version != s.Version {
			x.Errorf("version = %q, and %q when it is read again", s.Version, again.Version)
		}
		listed := x.page(broker.ListRequest{Queue: "q", State: s.State, Limit: 1})
		if listed[0].Version != s.Version {
			x.Errorf("version = %q, and %q in a list", s.Version, listed[0].Version)
		}
		return s.Version
	}
	first := version()
	x.must(settlingFailed(x.leaseOne("q")))
	second := version()
	x.must(replacing(x.get("q", "a"), another("q", "a")))
	if third := version(); first == second || second == third || first == third {
		x.Errorf("versions are %q, %q and %q, want three", first, second, third)
	}
	for _, do := range []broker.Act{broker.Reschedule, broker.Run} {
		before := version()
		x.must(moving(do, "a"))
		if after := version(); after == before {
			x.Errorf("the version is %q before it is moved by %v, and after that", before, do)
		}
	}
}

// settlingFailed returns a change that has l retried after a failure.
func settlingFailed(l broker.Lease) broker.Change {
	s := settled(l, broker.Retry)
	s.Failed = true
	s.Entry.Retried++
	s.Entry.LastErr = "failed"
	return broker.Change{Settle: []broker.Settlement{s}}
}

func replaceClaim(x *trial) {
	by := func(e broker.Entry) broker.Change { return broker.Change{Replace: []broker.Replacement{{Entry: e}}} }
	x.enqueue(lasting("a"), entry("q", "b"))
	e := lasting("a")
	e.Payload = []byte("another")
	x.must(by(e))
	equal(x, "payload", string(x.get("q", "a").Payload), "another")
	x.claimed("still", lasting("c"), "a")

	e = lasting("b")
	err := x.refused(by(e))
	found, ok := errors.AsType[*broker.ClaimedError](err)
	if !ok {
		x.Fatalf("outcome = %v, want a ClaimedError", err)
	}
	equal(x, "refusal", *found, broker.ClaimedError{Entry: e.EntryRef, Key: "k", Holder: "a"})
	e.Claim.Key = "free"
	if err := x.refused(by(e)); !errors.Is(err, broker.ErrClaimed) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrClaimed)
	}
	x.enqueue(claiming("q", "ttl", "t"))
	x.must(by(claiming("q", "ttl", "t")))
	x.claimed("with a TTL", claiming("q", "c", "t"), "ttl")
}

func replaceClaimEnds(x *trial) {
	x.enqueue(lasting("a"))
	e := lasting("a")
	e.Claim.Hold, e.Claim.Since = time.Now().Add(time.Hour), time.Now()
	x.must(broker.Change{Replace: []broker.Replacement{{Entry: e}}})
	equal(x, "claim", x.get("q", "a").Claim, e.Claim)
	x.must(moving(broker.Delete, "a"))
	x.claimed("held until its Hold", lasting("b"), "a")
	x.pass(time.Hour)
	x.enqueue(lasting("b"))
	e = lasting("b")
	e.Claim.UntilStart = true
	x.must(replacing(x.get("q", "b"), e))
	x.leaseOne("q")
	x.freed("when it is leased")

	x.enqueue(lasting("c"), entry("q", "d"))
	e = another("q", "c")
	e.Claim.Key = "other"
	x.must(replacing(x.get("q", "c"), e))
	equal(x, "key", x.get("q", "c").Claim.Key, "k")
	x.claimed("under another key", lasting("e"), "c")
	e = another("q", "d")
	e.Claim.Key = "other"
	x.must(replacing(x.get("q", "d"), e))
	equal(x, "key of one without a claim", x.get("q", "d").Claim.Key, "")
}

func replaceBehind(x *trial) {
	l := x.heldBy("a")
	x.enqueue(behind("b"))
	before := x.get("q", "b")
	e := behind("b")
	e.Payload = []byte("another")
	x.must(broker.Change{Replace: []broker.Replacement{{Entry: e}}})
	got := x.get("q", "b")
	equal(x, "stored", []any{got.State, got.DueAt, got.Claim.Behind, string(got.Payload)}, []any{task.Scheduled, before.DueAt, true, "another"})
	e.Claim.Behind, e.DueAt = false, time.Now()
	x.must(broker.Change{Replace: []broker.Replacement{{Entry: e}}})
	got = x.get("q", "b")
	equal(x, "stored with a due time", []any{got.State, got.DueAt, got.Claim.Behind}, []any{task.Scheduled, before.DueAt, true})
	x.claimed("by a third", behind("c"), "b")
	x.must(settling(l, broker.Done))
	x.pending("", "b")
}

func replaceStays(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.report("half", l)
	s := left(settled(l, broker.Retry))
	s.Attempt = &broker.Attempt{Ended: time.Now(), Worker: "w", Err: "failed"}
	x.must(broker.Change{Settle: []broker.Settlement{s}}, broker.Change{Watch: []broker.EntryRef{s.Entry.EntryRef}})
	x.must(replacing(x.get("q", "a"), another("q", "a")))
	got := x.get("q", "a")
	equal(x, "result and progress", []string{string(got.Result), string(got.Progress)}, []string{string(s.Result), "half"})
	equal(x, "attempts", got.Attempts, []broker.Attempt{*s.Attempt})
	equal(x, "retries", got.Retried, 0)
}

func replaceAllOrNone(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	c := replacing(x.get("q", "a"), another("q", "a"))
	c.Replace = append(c.Replace, broker.Replacement{Entry: another("q", "b"), If: "another"})
	if err := x.refused(c); !errors.Is(err, broker.ErrChanged) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrChanged)
	}
	c = replacing(x.get("q", "a"), another("q", "a"))
	c.Enqueue = entries("q", "b")
	x.refused(c)
	equal(x, "payload", string(x.get("q", "a").Payload), "payload of a")
}

func replaceDeleted(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	for _, id := range []string{"a", "b"} {
		was := x.get("q", id)
		c := replacing(was, another("q", id))
		c.Move = moving(broker.Delete, id).Move
		c.Enqueue = []broker.Entry{entry("other", id)}
		if id == "a" {
			x.must(c)
			x.missing("the one that was deleted", "a")
			equal(x, "the one elsewhere", x.get("other", "a").Entry, entry("other", "a"))
			continue
		}
		x.must(replacing(was, another("q", "b")))
		if err := x.refused(c); !errors.Is(err, broker.ErrChanged) {
			x.Errorf("of one that has been replaced: %v, want %v", err, broker.ErrChanged)
		}
		equal(x, "the one that has been replaced", x.get("q", "b").Type, another("q", "b").Type)
		equal(x, "elsewhere", x.list("other", task.Pending), []string{"a"})
	}
}
