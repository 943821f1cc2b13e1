package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var enqueuePromises = []promise{
	{"an entry that is enqueued is pending and comes back as it was", enqueueRoundTrip},
	{"what is zero in an entry comes back as zero", enqueueZeroes},
	{"a payload may be empty, binary or a mebibyte", enqueuePayloads},
	{"names of any allowed bytes and of full length stay apart", enqueueNames},
	{"an id that is taken is refused and names the entry", enqueueTakenID},
	{"an id is taken in whatever state its entry is", enqueueTakenInEveryState},
	{"an id is free in another queue", enqueueSameIDElsewhere},
	{"entries are leased in the order in which they were enqueued", enqueueOrder},
	{"an entry for later is scheduled and cannot be leased", enqueueScheduled},
	{"an entry whose time is not after now is ready at once", enqueueDueNow},
	{"a due time is rounded up to the millisecond", enqueueDueRounded},
	{"a due time may be a century away", enqueueCentury},
	{"a change of many entries adds all or none", enqueueAllOrNone},
	{"a refused change does not touch its neighbours", enqueueNeighbours},
	{"a later change of a call sees what an earlier one added", enqueueSeesEarlier},
	{"a thousand changes are taken in one call, each with its outcome", enqueueThousandChanges},
	{"a queue comes into being with its first entry, not with a refused one", enqueueQueueBegins},
	{"a broker keeps nothing that it was given and gives nothing that it keeps", enqueueOwnership},
}

// full returns an entry with every field set that comes back.
func full(queue, id string) broker.Entry {
	at := time.Now().Truncate(time.Second)
	e := entry(queue, id)
	e.Payload = []byte("\x00\x01\xfe\xff{}'\"\r\n")
	e.Headers = map[string]string{"trace": "00-ab", "empty": "", "Grüße": "日本\n\x00"}
	e.MaxRetry, e.Retried = 1<<31-1, 7
	e.LastErr = "größer als 10 €: \x00 '\"\\ 😀"
	e.LastFailedAt, e.CompletedAt = at.Add(-time.Hour), at.Add(-time.Minute)
	e.Timeout, e.Retention = 1234*time.Millisecond, 100*time.Hour+time.Millisecond
	e.Deadline = at.Add(48*time.Hour + 567*time.Millisecond)
	e.StartBy = at.Add(47*time.Hour + 123*time.Millisecond)
	e.MaxCrashes = 1<<31 - 1
	e.Home = broker.Home{Queue: "runs", ID: "run~1"}
	e.Reads = []string{"z", "a", "m"}
	return e
}

func enqueueRoundTrip(x *trial) {
	e := full("q", "a")
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Pending})
	equal(x, "leased", x.leaseOne("q").Entry, e)
}

func enqueueZeroes(x *trial) {
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}
	x.enqueue(e)
	got := x.get("q", "a")
	equal(x, "stored", got, broker.Stored{Entry: e, State: task.Pending})
	if got.Result != nil {
		x.Errorf("Result = %q, want nil", got.Result)
	}
	for name, at := range map[string]time.Time{
		"LastFailedAt": got.LastFailedAt, "CompletedAt": got.CompletedAt,
		"Deadline": got.Deadline, "DueAt": got.DueAt, "Until": got.Until,
	} {
		if !at.IsZero() {
			x.Errorf("%s = %v, want the zero time", name, at)
		}
	}
}

func enqueuePayloads(x *trial) {
	var every []byte
	for b := range 256 {
		every = append(every, byte(b))
	}
	for i, payload := range [][]byte{nil, {}, {0}, every, bytes.Repeat(every, 4096)} {
		e := entry("q", fmt.Sprint(i))
		e.Payload = payload
		x.enqueue(e)
		if got := x.get("q", e.ID).Payload; !bytes.Equal(got, payload) {
			x.Errorf("payload %d came back with %d bytes, want the same %d", i, len(got), len(payload))
		}
		if got := x.leaseOne("q").Entry.Payload; !bytes.Equal(got, payload) {
			x.Errorf("payload %d was leased with %d bytes, want the same %d", i, len(got), len(payload))
		}
	}
}

func enqueueNames(x *trial) {
	long := strings.Repeat("n", 4*task.MaxName)
	refs := []broker.EntryRef{
		{Queue: "a", ID: "b:c"}, {Queue: "a:b", ID: "c"}, {Queue: "a:t", ID: "b"}, {Queue: "a", ID: "t:b"},
		{Queue: "a", ID: "pending"}, {Queue: "a:pending", ID: "x"}, {Queue: "A", ID: "b:c"}, {Queue: "a", ID: "B:C"},
		{Queue: "a/b", ID: "~"}, {Queue: "a~b", ID: "@+-._:/"}, {Queue: "0", ID: "0"}, {Queue: "0", ID: "00"}, {Queue: "0", ID: "1e3"},
		{Queue: long, ID: long},
	}
	for i, ref := range refs {
		e := entry(ref.Queue, ref.ID)
		e.Type, e.Payload = "type", fmt.Append(nil, i)
		x.enqueue(e)
	}
	for i, ref := range refs {
		got := x.get(ref.Queue, ref.ID)
		equal(x, "entry", got.EntryRef, ref)
		equal(x, "payload", string(got.Payload), fmt.Sprint(i))
	}
	equal(x, "pending in a", x.list("a", task.Pending), []string{"b:c", "t:b", "pending", "B:C"})
}

func enqueueTakenID(x *trial) {
	x.enqueue(entry("q", "a"))
	again := entry("q", "a")
	again.Type = "another"
	err := x.refused(broker.Change{Enqueue: []broker.Entry{again}})
	exists, ok := errors.AsType[*broker.ExistsError](err)
	if !ok || !errors.Is(err, broker.ErrExists) {
		x.Fatalf("outcome = %v, want an ExistsError", err)
	}
	equal(x, "refused", *exists, broker.ExistsError{Entry: again.EntryRef})
	equal(x, "type", x.get("q", "a").Type, entry("q", "a").Type)
	equal(x, "pending", x.list("q", task.Pending), []string{"a"})
}

func enqueueTakenInEveryState(x *trial) {
	x.enqueue(entries("q", "completed", "retry", "archived", "active", "pending")...)
	leases := x.lease("q", 4)
	x.must(settling(leases[0], broker.Completed), settling(leases[1], broker.Retry), settling(leases[2], broker.Archived))
	later := entry("q", "scheduled")
	later.DueAt = time.Now().Add(time.Hour)
	x.enqueue(later)
	for _, state := range []task.State{task.Pending, task.Active, task.Scheduled, task.Retry, task.Archived, task.Completed} {
		err := x.refused(broker.Change{Enqueue: []broker.Entry{entry("q", state.String())}})
		if !errors.Is(err, broker.ErrExists) {
			x.Errorf("enqueue over a %s entry: %v, want %v", state, err, broker.ErrExists)
		}
		if got := x.get("q", state.String()).State; got != state {
			x.Errorf("the %s entry is %s after that", state, got)
		}
	}
}

func enqueueSameIDElsewhere(x *trial) {
	x.must(broker.Change{Enqueue: []broker.Entry{entry("q", "a"), entry("p", "a")}})
	equal(x, "pending in q", x.list("q", task.Pending), []string{"a"})
	equal(x, "pending in p", x.list("p", task.Pending), []string{"a"})
	x.must(settling(x.leaseOne("q"), broker.Done))
	equal(x, "pending in p when q's is done", x.list("p", task.Pending), []string{"a"})
}

func enqueueOrder(x *trial) {
	x.enqueue(entries("q", "c", "a")...)
	x.must(broker.Change{Enqueue: entries("q", "z", "b")})
	want := []string{"c", "a", "z", "b"}
	equal(x, "pending", x.list("q", task.Pending), want)
	equal(x, "leased", leasedIDs(x.lease("q", 10)), want)
}

func enqueueScheduled(x *trial) {
	e := entry("q", "a")
	e.DueAt = time.Now().Add(24*time.Hour + time.Millisecond)
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Scheduled})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	x.pass(48 * time.Hour)
	equal(x, "leased before Advance", leasedIDs(x.lease("q", 1)), nil)
	x.advance("q")
	e.DueAt = time.Time{}
	equal(x, "leased after Advance", x.leaseOne("q").Entry, e)
}

func enqueueDueNow(x *trial) {
	x.pass(1234567 * time.Nanosecond)
	for id, due := range map[string]time.Duration{"now": 0, "just past": -1, "long past": -1000 * time.Hour} {
		e := entry("q", strings.ReplaceAll(id, " ", "-"))
		e.DueAt = time.Now().Add(due)
		x.enqueue(e)
		got := x.get("q", e.ID)
		if got.State != task.Pending || !got.DueAt.IsZero() {
			x.Errorf("entry due %s is %s with DueAt %v, want pending and none", id, got.State, got.DueAt)
		}
	}
	equal(x, "number of entries", len(x.lease("q", 10)), 3)
}

func enqueueDueRounded(x *trial) {
	e := entry("q", "a")
	due := time.Now().Add(5*time.Second + 1)
	e.DueAt = due
	x.enqueue(e)
	want := broker.CeilMilli(due)
	equal(x, "DueAt", x.get("q", "a").DueAt, want)
	x.pass(5*time.Second + 999*time.Microsecond)
	equal(x, "advanced before its time", x.advance("q"), broker.Advanced{Next: want})
	x.pass(time.Microsecond)
	equal(x, "advanced at its time", x.advance("q").Due, 1)
}

func enqueueCentury(x *trial) {
	e := entry("q", "a")
	e.DueAt = time.Now().AddDate(100, 0, 0).Add(time.Millisecond)
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Scheduled})
	equal(x, "advanced", x.advance("q"), broker.Advanced{Next: e.DueAt})
}

func enqueueAllOrNone(x *trial) {
	x.must(broker.Change{Enqueue: append(entries("q", "a", "b"), entries("p", "a")...)})
	err := x.refused(broker.Change{Enqueue: append(entries("new", "n"), entries("q", "c", "a", "d")...)})
	equal(x, "refused", err.(*broker.ExistsError).Entry, broker.EntryRef{Queue: "q", ID: "a"})
	equal(x, "pending", x.list("q", task.Pending), []string{"a", "b"})
	equal(x, "pending in the other queue", x.list("new", task.Pending), nil)
}

func enqueueNeighbours(x *trial) {
	x.enqueue(entry("q", "a"))
	outcomes := x.apply(
		broker.Change{Enqueue: entries("q", "b")},
		broker.Change{Enqueue: entries("q", "c", "a")},
		broker.Change{},
		broker.Change{Enqueue: entries("q", "d")},
	)
	for i, want := range []error{nil, broker.ErrExists, nil, nil} {
		if !errors.Is(outcomes[i], want) {
			x.Errorf("outcome %d = %v, want %v", i, outcomes[i], want)
		}
	}
	equal(x, "pending", x.list("q", task.Pending), []string{"a", "b", "d"})
}

func enqueueSeesEarlier(x *trial) {
	outcomes := x.apply(broker.Change{Enqueue: entries("q", "a")}, broker.Change{Enqueue: entries("q", "a", "b")})
	if outcomes[0] != nil || !errors.Is(outcomes[1], broker.ErrExists) {
		x.Errorf("outcomes = %v, want nil and %v", outcomes, broker.ErrExists)
	}
	equal(x, "pending", x.list("q", task.Pending), []string{"a"})
}

func enqueueThousandChanges(x *trial) {
	x.enqueue(entry("q", "taken"))
	want := []string{"taken"}
	var changes []broker.Change
	for i := range 1000 {
		id := fmt.Sprint(i)
		if i%10 == 3 {
			id = "taken"
		} else {
			want = append(want, id)
		}
		changes = append(changes, broker.Change{Enqueue: entries("q", id)})
	}
	for i, outcome := range x.apply(changes...) {
		if taken := errors.Is(outcome, broker.ErrExists); taken != (i%10 == 3) || !taken && outcome != nil {
			x.Errorf("outcome %d = %v, want taken: %v", i, outcome, i%10 == 3)
		}
	}
	equal(x, "pending", x.list("q", task.Pending), want)
}

func enqueueQueueBegins(x *trial) {
	x.advance("other")
	x.lease("other", 1)
	equal(x, "queues at first", x.queues(), nil)
	x.enqueue(entry("q", "a"))
	x.refused(broker.Change{Enqueue: append(entries("new", "n"), entry("q", "a"))})
	equal(x, "queues", x.queues(), []string{"q"})
	later := entry("p", "a")
	later.DueAt = time.Now().Add(time.Hour)
	x.enqueue(later)
	x.must(settling(x.leaseOne("q"), broker.Done))
	equal(x, "queues when one has run empty", x.queues(), []string{"p", "q"})
}

func enqueueOwnership(x *trial) {
	e := full("q", "a")
	change := broker.Change{
		Home:    e.Home,
		Put:     []broker.Put{{Key: "z", Body: []byte("body")}},
		Enqueue: []broker.Entry{e},
	}
	x.must(change)
	scribble := func(e broker.Entry) {
		e.Payload[0]++
		e.Headers["trace"] = "changed"
		e.Reads[0] = "changed"
	}
	scribble(e)
	change.Put[0].Body[0]++
	stored := x.get("q", "a")
	equal(x, "entry after the caller changed what it gave", stored.Entry, full("q", "a"))
	scribble(stored.Entry)
	l := x.leaseOne("q")
	equal(x, "entry after the caller changed what it got", l.Entry, full("q", "a"))
	equal(x, "document", string(l.Documents[0].Body), "body")
	l.Documents[0].Body[0]++
	equal(x, "document after the caller changed what it got", x.documents(e.Home, "z")[0].Body, []byte("body"))
}
