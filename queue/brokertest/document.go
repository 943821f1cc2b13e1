package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var documentPromises = []promise{
	{"a document comes back as it was put, with the next version of its home", documentRoundTrip},
	{"versions count up within a home, over all its documents", documentVersions},
	{"documents come in the order asked for, absent ones with version 0", documentOrder},
	{"a document is put if absent, at a version, or in any case", documentPutIf},
	{"a put that expects another version is a conflict that shows the document", documentConflict},
	{"a requirement that does not hold is a conflict that shows the document", documentRequire},
	{"a requirement writes nothing, and no home", documentRequireWritesNothing},
	{"a conflict leaves no document, entry, latch or version behind", documentAllOrNone},
	{"conditions and puts see the documents before the change", documentBefore},
	{"the first check that fails is the outcome, in the order of the fields", documentCheckOrder},
	{"homes of one queue, and homes of one id, are apart", documentHomes},
	{"a body may be empty, binary or a mebibyte", documentBodies},
	{"a thousand documents are read in one call", documentThousand},
}

var home = broker.Home{Queue: "runs", ID: "run~1"}

func documentRoundTrip(x *trial) {
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "k", Body: []byte("first")}}})
	equal(x, "document", x.documents(home, "k"), []broker.Document{{Key: "k", Version: 1, Body: []byte("first")}})
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "k", Body: []byte("second"), If: 1}}})
	equal(x, "document", x.documents(home, "k"), []broker.Document{{Key: "k", Version: 2, Body: []byte("second")}})
}

func documentVersions(x *trial) {
	x.must(withDocuments(home, "a", "b"), withDocuments(home, "c"))
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "b", If: 2}, {Key: "d"}, {Key: "a", If: broker.AnyVersion}}})
	var versions []int64
	for _, d := range x.documents(home, "a", "b", "c", "d") {
		versions = append(versions, d.Version)
	}
	equal(x, "versions", versions, []int64{6, 4, 3, 5})
}

func documentOrder(x *trial) {
	x.must(withDocuments(home, "a", "b"))
	got := x.documents(home, "b", "none", "a", "b")
	equal(x, "documents", got, []broker.Document{
		{Key: "b", Version: 2, Body: []byte("b")}, {Key: "none"}, {Key: "a", Version: 1, Body: []byte("a")}, {Key: "b", Version: 2, Body: []byte("b")},
	})
	if got[1].Body != nil {
		x.Errorf("Body of an absent document = %q, want nil", got[1].Body)
	}
	equal(x, "documents of no home", x.documents(broker.Home{Queue: "runs", ID: "none"}, "a"), []broker.Document{{Key: "a"}})
	equal(x, "no documents", x.documents(home), nil)
}

func documentPutIf(x *trial) {
	put := func(expected int64) error {
		return x.apply(broker.Change{Home: home, Put: []broker.Put{{Key: "k", If: expected}}})[0]
	}
	for _, step := range []struct {
		expected int64
		conflict bool
	}{
		{1, true}, {0, false}, {0, true}, {2, true}, {1, false}, {1, true}, {broker.AnyVersion, false}, {2, true}, {3, false},
	} {
		if err := put(step.expected); errors.Is(err, broker.ErrConflict) != step.conflict || (err != nil) != step.conflict {
			x.Errorf("put if version is %d: %v, want conflict: %v", step.expected, err, step.conflict)
		}
	}
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "other", If: broker.AnyVersion}}})
	equal(x, "version", x.documents(home, "k", "other"), []broker.Document{{Key: "k", Version: 4}, {Key: "other", Version: 5}})
}

// conflict demands that c is refused by a conflict over a document as it is.
func (x *trial) conflict(c broker.Change, as broker.Document) {
	x.Helper()
	err := x.refused(c)
	found, ok := errors.AsType[*broker.ConflictError](err)
	if !ok || !errors.Is(err, broker.ErrConflict) {
		x.Errorf("outcome = %v, want a ConflictError", err)
		return
	}
	equal(x, "conflict", *found, broker.ConflictError{Home: c.Home, Document: as})
}

func documentConflict(x *trial) {
	x.must(withDocuments(home, "a", "b"))
	b := broker.Document{Key: "b", Version: 2, Body: []byte("b")}
	for _, expected := range []int64{0, 1, 3} {
		x.conflict(broker.Change{Home: home, Put: []broker.Put{{Key: "b", Body: []byte("new"), If: expected}}}, b)
	}
	x.conflict(broker.Change{Home: home, Put: []broker.Put{{Key: "none", If: 1}}}, broker.Document{Key: "none"})
	equal(x, "document", x.documents(home, "b"), []broker.Document{b})
}

func documentRequire(x *trial) {
	x.must(withDocuments(home, "a", "b"))
	x.must(broker.Change{Home: home, Require: []broker.Condition{{Key: "a", Version: 1}, {Key: "none"}}, Enqueue: entries("q", "held")})
	equal(x, "pending", x.list("q", task.Pending), []string{"held"})
	for key, as := range map[string]broker.Document{"a": {Key: "a", Version: 1, Body: []byte("a")}, "none": {Key: "none"}} {
		for _, version := range []int64{0, 1, 2} {
			if version == as.Version {
				continue
			}
			c := broker.Change{Home: home, Require: []broker.Condition{{Key: "b", Version: 2}, {Key: key, Version: version}}, Enqueue: entries("q", "not")}
			x.conflict(c, as)
		}
	}
	equal(x, "pending", x.list("q", task.Pending), []string{"held"})
}

func documentRequireWritesNothing(x *trial) {
	x.must(broker.Change{Home: home, Require: []broker.Condition{{Key: "a"}}})
	x.must(withDocuments(home, "a"))
	equal(x, "documents", x.documents(home, "a"), []broker.Document{{Key: "a", Version: 1, Body: []byte("a")}})
}

func documentAllOrNone(x *trial) {
	x.must(withDocuments(home, "a"))
	claiming := entry("q", "new")
	claiming.Claim = broker.Claim{Key: "k", TTL: hours}
	c := broker.Change{
		Home:    home,
		Put:     []broker.Put{{Key: "b"}, {Key: "a", If: 5}, {Key: "c"}},
		Enqueue: []broker.Entry{claiming},
		Open:    []broker.Latch{{ID: "l", Total: 1}},
		Close:   time.Now(),
	}
	x.conflict(c, broker.Document{Key: "a", Version: 1, Body: []byte("a")})
	equal(x, "documents", x.documents(home, "b", "c"), []broker.Document{{Key: "b"}, {Key: "c"}})
	if _, err := x.b.Latches(x.Context(), home, "l"); !errors.Is(err, broker.ErrNotFound) {
		x.Errorf("Latches() = %v, want %v", err, broker.ErrNotFound)
	}
	equal(x, "pending", x.list("q", task.Pending), nil)
	equal(x, "advanced", x.advance("q", home.Queue), broker.Advanced{})
	x.must(withDocuments(home, "b"))
	equal(x, "document", x.documents(home, "b"), []broker.Document{{Key: "b", Version: 2, Body: []byte("b")}})
	claiming.ID = "free"
	x.enqueue(claiming)
}

func documentBefore(x *trial) {
	x.must(withDocuments(home, "a"))
	x.must(broker.Change{
		Home:    home,
		Require: []broker.Condition{{Key: "a", Version: 1}, {Key: "b"}},
		Put:     []broker.Put{{Key: "b"}, {Key: "a", If: 1}},
	})
	equal(x, "documents", x.documents(home, "a", "b"), []broker.Document{{Key: "a", Version: 3}, {Key: "b", Version: 2}})
	second := broker.Change{Home: home, Require: []broker.Condition{{Key: "b", Version: 4}}}
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "b", If: 2}}}, second)
}

// documentCheckOrder breaks every check at once and then mends one after
// another: each time the next one must be the outcome.
func documentCheckOrder(x *trial) {
	holder := entry("q", "holder")
	holder.Claim = broker.Claim{Key: "k", TTL: hours}
	x.enqueue(holder)
	l := x.leaseOne("q")
	x.must(withDocuments(home, "a"), broker.Change{Home: home, Open: []broker.Latch{{ID: "l", Total: 1}}})
	claimed := entry("q", "other")
	claimed.Claim = holder.Claim
	lost := settled(l, broker.Released)
	lost.Token = "wrong"
	broken := broker.Change{
		Home:    home,
		Settle:  []broker.Settlement{lost},
		Require: []broker.Condition{{Key: "a", Version: 7}},
		Put:     []broker.Put{{Key: "b", If: 7}},
		Enqueue: []broker.Entry{claimed, entry("q", "holder")},
		Open:    []broker.Latch{{ID: "new", Then: broker.Part{Arrive: []broker.Arrival{{Latch: "l", Member: 1}}}}, {ID: "l"}},
		Feed:    []broker.Feed{{Latch: "none", Entries: nil}},
		Arrive:  []broker.Arrival{{Latch: "l", Member: 1}},
	}
	conflict := func(key string, version int64) func(error) bool {
		return func(err error) bool {
			c, ok := errors.AsType[*broker.ConflictError](err)
			return ok && c.Document.Key == key && c.Document.Version == version
		}
	}
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	for i, check := range []struct {
		fails func(error) bool
		mend  func()
	}{
		{is(broker.ErrLeaseLost), func() { broken.Settle[0].Token = l.Token }},
		{conflict("a", 1), func() { broken.Require[0].Version = 1 }},
		{conflict("b", 0), func() { broken.Put[0].If = 0 }},
		{is(broker.ErrClaimed), func() { broken.Enqueue[0].Claim = broker.Claim{} }},
		{is(broker.ErrExists), func() { broken.Enqueue[1].ID = "third" }},
		{is(broker.ErrNotFound), func() { broken.Open[0].Then.Arrive[0].Member = 0 }},
		{is(broker.ErrExists), func() { broken.Open[1].ID = "new2" }},
		{is(broker.ErrNotFound), func() { broken.Feed[0].Latch = "l" }},
		{is(broker.ErrNotFound), func() { broken.Arrive[0].Member = 0 }},
	} {
		if err := x.apply(broken)[0]; err == nil || !check.fails(err) {
			x.Fatalf("outcome %d = %v, want that of the first check that fails", i, err)
		}
		check.mend()
	}
	x.must(broken)
}

func documentHomes(x *trial) {
	homes := []broker.Home{
		{Queue: "a", ID: "b"}, {Queue: "a", ID: "c"}, {Queue: "b", ID: "b"}, {Queue: "a", ID: "b:k"}, {Queue: "a:b", ID: "k"}, {Queue: "a", ID: "B"},
	}
	for i, h := range homes {
		for range i + 1 {
			x.must(broker.Change{Home: h, Put: []broker.Put{{Key: "k", Body: []byte(h.String()), If: broker.AnyVersion}}})
		}
	}
	for i, h := range homes {
		equal(x, h.String(), x.documents(h, "k", "k:k"), []broker.Document{{Key: "k", Version: int64(i + 1), Body: []byte(h.String())}, {Key: "k:k"}})
	}
}

func documentBodies(x *trial) {
	for i, body := range [][]byte{nil, {}, {0}, []byte("\x00\xff\r\n'\""), bytes.Repeat([]byte("\xff\x00"), 1<<19)} {
		key := fmt.Sprint(i)
		x.must(broker.Change{Home: home, Put: []broker.Put{{Key: key, Body: body}}})
		if got := x.documents(home, key)[0]; got.Version != int64(i+1) || !bytes.Equal(got.Body, body) {
			x.Errorf("body %d came back with version %d and %d bytes, want %d and the same %d", i, got.Version, len(got.Body), i+1, len(body))
		}
	}
}

func documentThousand(x *trial) {
	var keys []string
	for i := range broker.MaxParts {
		keys = append(keys, fmt.Sprint(i))
	}
	x.must(withDocuments(home, keys...))
	for i, d := range x.documents(home, keys...) {
		if d.Key != keys[i] || string(d.Body) != keys[i] || d.Version != int64(i+1) {
			x.Fatalf("document %d = %+v, want key and body %s, version %d", i, d, keys[i], i+1)
		}
	}
}
