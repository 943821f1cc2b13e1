package brokertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var checkPromises = []promise{
	{"a malformed change is refused as invalid and leaves nothing", checkMalformed},
	{"a malformed change does not touch its neighbours", checkNeighbours},
	{"a malformed request to lease fails its call, which changes nothing", checkRequest},
	{"a malformed request of any method is invalid and refused", checkCalls},
	{"a call whose context has ended is refused and changes nothing", checkContext},
	{"a change of a thousand parts is accepted", checkThousand},
	{"a change of more parts is refused, latches and feeds included", checkTooMany},
	{"a change of more bytes is refused, latches and feeds included", checkTooLarge},
	{"an entry beside one part that fails is refused with it", checkBeside},
	{"what a change adds up to is refused whole when its last part is", checkLastPart},
}

// malformed lists changes to home that no broker accepts, given a lease.
func malformed(l broker.Lease) map[string]broker.Change {
	with := func(f func(*broker.Entry)) broker.Change {
		e := entry("q", "new")
		f(&e)
		return broker.Change{Enqueue: []broker.Entry{e}}
	}
	settle := func(f func(*broker.Settlement)) broker.Change {
		s := settled(l, broker.Retry)
		f(&s)
		return broker.Change{Settle: []broker.Settlement{s}}
	}
	all := map[string]broker.Change{
		"no type":             with(func(e *broker.Entry) { e.Type = "" }),
		"no id":               with(func(e *broker.Entry) { e.ID = "" }),
		"no queue":            with(func(e *broker.Entry) { e.Queue = "" }),
		"braces in a queue":   with(func(e *broker.Entry) { e.Queue = "q}{x" }),
		"a newline in an id":  with(func(e *broker.Entry) { e.ID = "a\nb" }),
		"invalid UTF-8":       with(func(e *broker.Entry) { e.ID = "\xff" }),
		"a name too long":     with(func(e *broker.Entry) { e.ID = strings.Repeat("n", 4*task.MaxName+1) }),
		"a bad error text":    with(func(e *broker.Entry) { e.LastErr = "\xff" }),
		"a bad header":        with(func(e *broker.Entry) { e.Headers = map[string]string{"k": "\xff"} }),
		"too many headers":    with(func(e *broker.Entry) { e.Headers = headers(broker.MaxHeaders+1, 1) }),
		"too large headers":   with(func(e *broker.Entry) { e.Headers = headers(2, broker.MaxHeaderBytes/2+1) }),
		"a negative timeout":  with(func(e *broker.Entry) { e.Timeout = -1 }),
		"too many retries":    with(func(e *broker.Entry) { e.MaxRetry = math.MaxInt32 + 1 }),
		"a short claim":       with(func(e *broker.Entry) { e.Claim = broker.Claim{Key: "k", TTL: time.Second - 1} }),
		"a bad claim":         with(func(e *broker.Entry) { e.Claim = broker.Claim{Key: "k k", TTL: hours} }),
		"half a home":         with(func(e *broker.Entry) { e.Home = broker.Home{ID: "run"} }),
		"reads without home":  with(func(e *broker.Entry) { e.Reads = []string{"k"} }),
		"one entry twice":     {Enqueue: entries("q", "new", "new")},
		"one claim twice":     {Enqueue: []broker.Entry{claiming("q", "new", "k"), claiming("q", "new2", "k")}},
		"no outcome":          settle(func(s *broker.Settlement) { s.To = 0 }),
		"an unknown outcome":  settle(func(s *broker.Settlement) { s.To = broker.Released + 1 }),
		"a retry at no time":  settle(func(s *broker.Settlement) { s.At = time.Time{} }),
		"completed at none":   settle(func(s *broker.Settlement) { s.To, s.At = broker.Completed, time.Time{} }),
		"a bad last error":    settle(func(s *broker.Settlement) { s.Entry.LastErr = "\xff" }),
		"settled twice":       {Settle: []broker.Settlement{settled(l, broker.Done), settled(l, broker.Done)}},
		"a drain without one": {Drain: of(home, "new")},
		"a listing with none": {List: &broker.Listing{At: time.Now()}},
		"a put without home":  {Put: []broker.Put{{Key: "new"}}},
		"a close with none":   {Close: time.Now()},
		"an arrival with one": {Home: broker.Home{Queue: "runs"}, Arrive: []broker.Arrival{{Latch: "l"}}},
	}
	manyHeaders := entry("q", "new")
	manyHeaders.Headers = headers(broker.MaxHeaders+1, 1)
	maps.Copy(all, malformedMarks(l))
	maps.Copy(all, malformedMoves(l))
	maps.Copy(all, malformedHomes())
	for what, c := range map[string]broker.Change{
		"no key":               {Put: []broker.Put{{}}},
		"a key twice":          {Put: []broker.Put{{Key: "new"}, {Key: "new"}}},
		"a negative version":   {Put: []broker.Put{{Key: "new", If: -2}}},
		"a bad requirement":    {Require: []broker.Condition{{Key: "k", Version: -1}}},
		"too large a total":    {Open: []broker.Latch{{ID: "new", Total: broker.MaxTotal + 1}}},
		"headers in a part":    {Open: []broker.Latch{{ID: "new", Total: 1, Then: broker.Part{Enqueue: []broker.Entry{manyHeaders}}}}},
		"a negative total":     {Open: []broker.Latch{{ID: "new", Total: -1}}},
		"a negative window":    {Open: []broker.Latch{{ID: "new", Total: 1, Window: -1}}},
		"a latch twice":        {Open: []broker.Latch{{ID: "new", Total: 1}, {ID: "new", Total: 1}}},
		"a circle":             {Open: []broker.Latch{{ID: "new", Total: 1, Then: broker.Part{Arrive: []broker.Arrival{{Latch: "new"}}}}}},
		"a claim in a part":    {Open: []broker.Latch{{ID: "new", Total: 1, Else: broker.Part{Enqueue: []broker.Entry{claiming("q", "new", "k")}}}}},
		"a bad entry in one":   {Open: []broker.Latch{{ID: "new", Total: 1, Then: broker.Part{Enqueue: entries("", "new")}}}},
		"a claim in a feed":    {Feed: []broker.Feed{{Latch: "l", Entries: []broker.Entry{claiming("q", "new", "k")}}}},
		"a feed of no home":    {Feed: []broker.Feed{{Latch: "l", Entries: entries("q", "new")}}},
		"a feed of no latch":   {Feed: []broker.Feed{{}}},
		"an arrival at none":   {Arrive: []broker.Arrival{{}}},
		"a negative member":    {Arrive: []broker.Arrival{{Latch: "l", Member: -1}}},
		"a name with a circle": {Put: []broker.Put{{Key: "{new}"}}},
	} {
		c.Home = home
		all[what] = c
	}
	return all
}

// headers returns n headers, each of size bytes.
func headers(n, size int) map[string]string {
	all := make(map[string]string, n)
	for i := range n {
		key := string(rune('0' + i))
		all[key] = strings.Repeat("x", size-len(key))
	}
	return all
}

// invalid demands that err is an InvalidError.
func (x *trial) invalid(what string, err error) {
	x.Helper()
	if _, ok := errors.AsType[*task.InvalidError](err); !ok || !errors.Is(err, task.ErrInvalid) {
		x.Errorf("%s: %v, want an InvalidError", what, err)
	}
}

// homeless are malformed changes that lack no more than a home.
var homeless = []string{"a drain without one", "a listing with none", "a put without home", "a close with none", "an arrival with one"}

func checkMalformed(x *trial) {
	x.enqueue(entry("q", "leased"))
	l := x.leaseOne("q")
	x.must(open(broker.Latch{ID: "l", Total: 2}))
	before := x.counts("q")
	for what, c := range malformed(l) {
		x.invalid(what, x.apply(c)[0])
		c.Home = home
		c.Put = append(c.Put, broker.Put{Key: "beside"})
		c.Enqueue = append(c.Enqueue, entry("q", "beside"))
		if !slices.Contains(homeless, what) {
			x.invalid(what+" with sound parts beside it", x.apply(c)[0])
		}
	}
	equal(x, "counts", x.counts("q"), before)
	equal(x, "documents", x.documents(home, "new", "beside"), []broker.Document{{Key: "new"}, {Key: "beside"}})
	x.state("", broker.LatchState{ID: "l", Total: 2})
	equal(x, "queues", x.queues(), []string{"q"})
	x.must(settling(l, broker.Done), broker.Change{Enqueue: []broker.Entry{claiming("q", "new", "k")}})
}

// queues returns the names of all queues.
func (x *trial) queues() []string {
	x.Helper()
	all, err := x.b.Counts(x.Context(), time.Now())
	if err != nil {
		x.Fatalf("Counts() = %v, want nil", err)
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Queue)
	}
	return names
}

func checkNeighbours(x *trial) {
	bad := entry("q", "bad")
	bad.Type = ""
	outcomes := x.apply(
		broker.Change{Enqueue: entries("q", "a")},
		broker.Change{Enqueue: []broker.Entry{entry("q", "b"), bad}},
		broker.Change{Enqueue: entries("q", "c")},
	)
	if outcomes[0] != nil || outcomes[2] != nil {
		x.Errorf("outcomes of the neighbours = %v, want nil", outcomes)
	}
	x.invalid("the malformed one", outcomes[1])
	x.pending("", "a", "c")
}

func checkRequest(x *trial) {
	x.enqueue(entry("q", "a"))
	until := time.Now().Add(time.Minute)
	for what, want := range map[string]broker.LeaseRequest{
		"a negative Max":      {Max: -1, Queues: []broker.Share{{Queue: "q"}}, Until: until},
		"too large a Max":     {Max: broker.MaxParts + 1, Queues: []broker.Share{{Queue: "q"}}, Until: until},
		"a queue of no name":  {Max: 1, Queues: []broker.Share{{Queue: "q"}, {}}, Until: until},
		"a queue with braces": {Max: 1, Queues: []broker.Share{{Queue: "{q}"}}, Until: until},
	} {
		applied, err := x.b.Apply(x.Context(), time.Now(), []broker.Change{{Enqueue: entries("q", "b")}}, want)
		x.invalid(what, err)
		x.refusal(what, err)
		equal(x, what+": leased", leasedIDs(applied.Leases), nil)
	}
	x.pending("", "a")
}

// refusal demands that err says that nothing was changed.
func (x *trial) refusal(what string, err error) {
	x.Helper()
	if !errors.Is(err, broker.ErrRefused) {
		x.Errorf("%s: %v, want an error that matches %v", what, err, broker.ErrRefused)
	}
}

func checkCalls(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.must(open(broker.Latch{ID: "l", Total: 1}))
	good, bad := calls{home: home, name: "q", state: task.Active, limit: 1}, "{q}"
	for what, c := range map[string]calls{
		"a bad name":           {home: home, name: bad, state: task.Active, limit: 1},
		"a name that is empty": {home: home, state: task.Active, limit: 1},
		"a home of no queue":   {home: broker.Home{ID: "run"}, name: "q", state: task.Active, limit: 1},
		"a home with a bad id": {home: broker.Home{Queue: "q", ID: bad}, name: "q", state: task.Active, limit: 1},
		"no state":             {home: home, name: "q", limit: 1},
		"an unknown state":     {home: home, name: "q", state: task.Aggregating + 1, limit: 1},
		"a negative limit":     {home: home, name: "q", state: task.Active, limit: -1},
		"a negative offset":    {home: home, name: "q", state: task.Active, offset: -1, limit: 1},
	} {
		for method, call := range c.of(x, l) {
			if !c.malformed(method, good) {
				continue
			}
			err := call(x.Context())
			x.invalid(method+" with "+what, err)
			x.refusal(method+" with "+what, err)
		}
	}
	for what, s := range map[string]broker.Server{
		"a bad host":         {ID: "s", Host: "{host}"},
		"a host that is not": {ID: "s", Host: "\xff"},
		"a large number":     {ID: "s", Concurrency: math.MaxInt32 + 1},
		"a bad queue":        {ID: "s", Queues: map[string]int{bad: 1}},
		"a bad worker":       {ID: "s", Workers: []broker.Worker{{Type: "t"}}},
	} {
		err := x.b.Beat(x.Context(), time.Now(), s)
		x.invalid("Beat with "+what, err)
		x.refusal("Beat with "+what, err)
	}
	equal(x, "servers", x.servers(), nil)
	equal(x, "the lease ends at", x.get("q", "a").Until, l.Until)
}

// calls are the arguments of calls of every method but Apply, Servers and Ping,
// which take no more than their time.
type calls struct {
	home          broker.Home
	name          string // of a queue, key, latch and server
	state         task.State
	offset, limit int
}

// of returns the calls, by method.
func (c calls) of(x *trial, l broker.Lease) map[string]func(context.Context) error {
	now := time.Now()
	ref := broker.EntryRef{Queue: c.name, ID: l.Entry.ID}
	return map[string]func(context.Context) error{
		"Extend": func(ctx context.Context) error {
			_, err := x.b.Extend(ctx, now, now.Add(time.Hour), l.Ref(), broker.LeaseRef{EntryRef: ref})
			return err
		},
		"Advance": func(ctx context.Context) error {
			_, err := x.b.Advance(ctx, now, broker.AdvanceRequest{Queues: []string{c.name}, Limit: c.limit})
			return err
		},
		"Documents": func(ctx context.Context) error { _, err := x.b.Documents(ctx, c.home, "k", c.name); return err },
		"Latches":   func(ctx context.Context) error { _, err := x.b.Latches(ctx, c.home, "l", c.name); return err },
		"Entry":     func(ctx context.Context) error { _, err := x.b.Entry(ctx, ref); return err },
		"List": func(ctx context.Context) error {
			_, err := x.b.List(ctx, broker.ListRequest{Queue: c.name, State: c.state, Offset: c.offset, Limit: c.limit})
			return err
		},
		"OpenEntries": func(ctx context.Context) error {
			_, err := x.b.OpenEntries(ctx, broker.OpenRequest{Home: c.home, Limit: c.limit})
			return err
		},
		"Homes": func(ctx context.Context) error {
			_, err := x.b.Homes(ctx, broker.HomesRequest{Queue: c.name, Limit: c.limit})
			return err
		},
		"Counts": func(ctx context.Context) error { _, err := x.b.Counts(ctx, now, "q", c.name); return err },
		"Beat":   func(ctx context.Context) error { return x.b.Beat(ctx, now, broker.Server{ID: c.name}) },
	}
}

// malformed reports whether what sets c apart from good matters to a method.
func (c calls) malformed(method string, good calls) bool {
	switch method {
	case "Documents", "Latches":
		return c.home != good.home || c.name != good.name
	case "List":
		return c.name != good.name || c.state != good.state || c.offset != good.offset || c.limit != good.limit
	case "OpenEntries":
		return c.home != good.home || c.limit != good.limit
	case "Advance", "Homes":
		return c.name != good.name || c.limit != good.limit
	default:
		return c.name != good.name
	}
}

// every returns a call of each method but Close, all of them sound.
func (x *trial) every(l broker.Lease) map[string]func(context.Context) error {
	all := calls{home: home, name: "q", state: task.Active, limit: 1}.of(x, l)
	all["Apply"] = func(ctx context.Context) error {
		_, err := x.b.Apply(ctx, time.Now(), []broker.Change{{Enqueue: entries("q", "c")}}, wanted("q", 1))
		return err
	}
	all["Servers"] = func(ctx context.Context) error { _, err := x.b.Servers(ctx, time.Now()); return err }
	all["Ping"] = x.b.Ping
	maps.Copy(all, operations(x.b, "q", l))
	maps.Copy(all, timetabling(x.b, "e"))
	all["Schedulers"] = func(ctx context.Context) error { _, err := x.b.Schedulers(ctx, time.Now()); return err }
	all["Queues"] = func(ctx context.Context) error { _, err := x.b.Queues(ctx); return err }
	if w, ok := wakerOf(x.b); ok {
		all["Wait"] = func(ctx context.Context) error { _, err := w.Wait(ctx, []string{"q"}); return err }
	}
	return all
}

// Close closes b, which is open on an empty storage, and demands that it then
// refuses every call, ends those of Wait that are under way, and lets itself be
// closed again. [Run] does not, as the
// brokers that it is given may be one that must stay open.
func Close(t *testing.T, b broker.Broker) {
	x := &trial{T: t, b: b}
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	defer x.waitUntilClosed()()
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		for method, call := range x.every(l) {
			if err := call(t.Context()); !errors.Is(err, broker.ErrClosed) || !errors.Is(err, broker.ErrRefused) {
				t.Errorf("%s() = %v, want an error that matches %v and %v", method, err, broker.ErrClosed, broker.ErrRefused)
			}
		}
	}
}

func checkContext(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.enqueue(entry("q", "b"))
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	x.pass(time.Minute)
	for method, call := range x.every(l) {
		if err := call(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, broker.ErrRefused) {
			x.Errorf("%s() = %v, want an error that matches %v and %v", method, err, context.Canceled, broker.ErrRefused)
		}
	}
	x.pending("", "b")
	equal(x, "the lease ends at", x.get("q", "a").Until, l.Until)
	equal(x, "servers", x.servers(), nil)
	equal(x, "schedulers", x.schedulers(), nil)
	equal(x, "ticks", x.ticks("e", 1), nil)
}

// numbered returns n entries of home.
func numbered(prefix string, n int) []broker.Entry {
	var all []broker.Entry
	for i := range n {
		e := entry("q", fmt.Sprintf("%s-%04d", prefix, i))
		e.Home = home
		all = append(all, e)
	}
	return all
}

// wide returns a change of n parts, n-650 of them in Enqueue.
func wide(n int) broker.Change {
	c := broker.Change{
		Home:    home,
		Enqueue: numbered("enqueued", n-650),
		Drain:   numbered("drained", 50),
		Open:    []broker.Latch{{ID: "l", Total: 2, Then: broker.Part{Enqueue: numbered("then", 100)}, Else: broker.Part{Enqueue: numbered("else", 100)}}},
		Feed:    []broker.Feed{{Latch: "l", Entries: numbered("fed", 200)}},
		Require: []broker.Condition{{Key: "none"}},
	}
	for i := range 97 {
		c.Put = append(c.Put, broker.Put{Key: fmt.Sprint(i)})
		c.Arrive = append(c.Arrive, broker.Arrival{Latch: "l", Member: i % 2})
	}
	c.Arrive = append(c.Arrive, c.Arrive[:3]...)
	return c
}

func checkThousand(x *trial) {
	c := wide(broker.MaxParts)
	if n := c.Parts(); n != broker.MaxParts {
		x.Fatalf("the change has %d parts, want %d", n, broker.MaxParts)
	}
	x.must(c)
	equal(x, "pending", x.counts("q").Pending, 350+200+100)
	x.state("", broker.LatchState{ID: "l", Total: 2, Fed: 200, Released: 200, Arrived: 2, Complete: true})
	equal(x, "version", x.documents(home, "96")[0].Version, int64(97))
}

func checkTooMany(x *trial) {
	x.invalid("parts of all kinds", x.apply(wide(broker.MaxParts + 1))[0])
	x.invalid("entries", x.apply(broker.Change{Enqueue: numbered("e", broker.MaxParts+1)})[0])
	equal(x, "queues", x.queues(), nil)
}

func checkTooLarge(x *trial) {
	x.enqueue(entry("q", "leased"))
	l := x.leaseOne("q")
	large := func(id string) []broker.Entry {
		e := entry("q", id)
		e.Home, e.Payload = home, body
		return []broker.Entry{e}
	}
	rest := broker.Put{Key: "rest", Body: make([]byte, broker.MaxBytes-len(body)+1)}
	for what, c := range map[string]broker.Change{
		"a payload":       {Enqueue: large("new")},
		"one in a drain":  {Drain: large("new")},
		"a result":        {Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Completed, At: time.Now().Add(hours), Result: body}}},
		"a document":      {Put: []broker.Put{{Key: "new", Body: body}}},
		"one in Then":     {Open: []broker.Latch{{ID: "new", Total: 1, Then: broker.Part{Enqueue: large("new")}}}},
		"one in Else":     {Open: []broker.Latch{{ID: "new", Total: 1, Else: broker.Part{Enqueue: large("new")}}}},
		"one in a feed":   {Open: []broker.Latch{{ID: "new", Total: 1}}, Feed: []broker.Feed{{Latch: "new", Entries: large("new")}}},
		"a document only": {Put: []broker.Put{{Key: "new", Body: make([]byte, broker.MaxBytes+1)}}},
	} {
		c.Home = home
		c.Put = append(c.Put, rest)
		x.invalid(what, x.apply(c)[0])
	}
	equal(x, "documents", x.documents(home, "new", "rest"), []broker.Document{{Key: "new"}, {Key: "rest"}})
	equal(x, "counts", x.counts("q"), broker.Counts{Queue: "q", Active: 1})
}

// body is a large one.
var body = make([]byte, 1<<20)

func checkLastPart(x *trial) {
	c := wide(broker.MaxParts)
	c.Arrive[len(c.Arrive)-1].Member = 2
	x.notFound("the last arrival", c)
	equal(x, "queues", x.queues(), nil)
	equal(x, "documents", x.documents(home, "0", "96"), []broker.Document{{Key: "0"}, {Key: "96"}})
	c.Arrive[len(c.Arrive)-1].Member = 1
	x.must(c)
}

// checkBeside: a broker that has a short way for changes of one entry takes it
// for no others.
func checkBeside(x *trial) {
	x.enqueue(entry("q", "taken"))
	l := x.leaseOne("q")
	l.Token = "wrong"
	for what, c := range map[string]broker.Change{
		"a settlement":           settling(l, broker.Done),
		"a requirement":          {Require: []broker.Condition{{Key: "k", Version: 1}}},
		"a put":                  {Put: []broker.Put{{Key: "k", If: 1}}},
		"an entry":               {Enqueue: entries("q", "taken")},
		"a latch":                {Open: []broker.Latch{{ID: "l", Total: 1, Then: broker.Part{Arrive: []broker.Arrival{{Latch: "none"}}}}}},
		"a feed":                 feed("none", "fed"),
		"a feed without entries": feed("none"),
		"an arrival":             arrive("none", 0),
	} {
		c.Home = home
		for _, e := range []broker.Entry{entry("q", "beside"), claiming("q", "claims", "k"), scheduled("q", "later", time.Hour)} {
			both := c
			both.Enqueue = append([]broker.Entry{e}, c.Enqueue...)
			if err := x.apply(both)[0]; err == nil {
				x.Errorf("entry %s beside %s that fails took effect", e.ID, what)
			}
		}
	}
	equal(x, "counts", x.counts("q"), broker.Counts{Queue: "q", Active: 1})
	both := broker.Change{Home: home, Enqueue: entries("q", "beside"), Close: time.Now().Add(time.Second)}
	x.must(both)
	equal(x, "next", x.advance(home.Queue).Next, both.Close)
}
