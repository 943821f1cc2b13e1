package brokertest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var checkOperatePromises = []promise{
	{"a malformed request of an operator is invalid and refused", checkOperate},
	{"a malformed gathering is invalid and refused", checkGather},
	{"a malformed request for what has joined groups is invalid and refused", checkJoined},
	{"a malformed sweep is invalid and refused", checkSweep},
	{"a malformed list or advance is invalid and refused", checkListAndAdvance},
}

// malformedMoves lists more changes to entries of q that no broker accepts, given
// a lease.
func malformedMoves(l broker.Lease) map[string]broker.Change {
	entryOf := func(f func(*broker.Entry)) broker.Change {
		e := entry("q", "new")
		f(&e)
		return broker.Change{Enqueue: []broker.Entry{e}}
	}
	settle := func(to broker.Outcome, f func(*broker.Settlement)) broker.Change {
		s := settled(l, to)
		f(&s)
		return broker.Change{Settle: []broker.Settlement{s}}
	}
	exit := func(f func(*broker.Entry)) broker.Change {
		return entryOf(func(e *broker.Entry) {
			exit := entry("q", "exit")
			f(&exit)
			e.Exit = &exit
		})
	}
	move := func(m broker.Move) broker.Change { return broker.Change{Move: []broker.Move{m}} }
	replace := func(r broker.Replacement) broker.Change { return broker.Change{Replace: []broker.Replacement{r}} }
	now := time.Now()
	return map[string]broker.Change{
		"no act":                      move(broker.Move{EntryRef: l.Entry.EntryRef}),
		"an unknown act":              move(broker.Move{EntryRef: l.Entry.EntryRef, Do: broker.Cancel + 1}),
		"rescheduled for no time":     move(broker.Move{EntryRef: l.Entry.EntryRef, Do: broker.Reschedule}),
		"a move of no entry":          move(broker.Move{Do: broker.Run}),
		"moved twice":                 moving(broker.Cancel, "leased", "leased"),
		"replaced by no version":      replace(broker.Replacement{Entry: entry("q", "leased")}),
		"replaced by no type":         replace(broker.Replacement{Entry: broker.Entry{EntryRef: l.Entry.EntryRef}, If: "1"}),
		"replaced twice":              {Replace: []broker.Replacement{{Entry: entry("q", "a"), If: "1"}, {Entry: entry("q", "a"), If: "1"}}},
		"a watch of no entry":         {Watch: []broker.EntryRef{{Queue: "q"}}},
		"an end without an archive":   settle(broker.Retry, func(s *broker.Settlement) { s.End = broker.Cancelled }),
		"parked by its holder":        settle(broker.Archived, func(s *broker.Settlement) { s.End = broker.Undecodable }),
		"a negative end":              settle(broker.Archived, func(s *broker.Settlement) { s.End = -1 }),
		"a bad stack":                 settle(broker.Retry, func(s *broker.Settlement) { s.Attempt = &broker.Attempt{Stack: "\xff"} }),
		"a bad attempt":               settle(broker.Retry, func(s *broker.Settlement) { s.Attempt = &broker.Attempt{Err: "\xff"} }),
		"a bad group":                 entryOf(func(e *broker.Entry) { e.Group = "g g" }),
		"too many crashes":            entryOf(func(e *broker.Entry) { e.MaxCrashes = math.MaxInt32 + 1 }),
		"a TTL until start":           entryOf(func(e *broker.Entry) { e.Claim = broker.Claim{Key: "k", TTL: hours, UntilStart: true} }),
		"a TTL with a Hold":           entryOf(func(e *broker.Entry) { e.Claim = broker.Claim{Key: "k", TTL: hours, Hold: now} }),
		"a TTL behind":                entryOf(func(e *broker.Entry) { e.Claim = broker.Claim{Key: "k", TTL: hours, Behind: true} }),
		"a Hold until start":          entryOf(func(e *broker.Entry) { e.Claim = broker.Claim{Key: "k", UntilStart: true, Hold: now} }),
		"behind and for later":        entryOf(func(e *broker.Entry) { e.Claim, e.DueAt = broker.Claim{Key: "k", Behind: true}, now }),
		"behind in a group":           entryOf(func(e *broker.Entry) { e.Claim, e.Group = broker.Claim{Key: "k", Behind: true}, "g" }),
		"an exit with a claim":        exit(func(e *broker.Entry) { e.Claim.Key = "k" }),
		"an exit with a group":        exit(func(e *broker.Entry) { e.Group = "g" }),
		"an exit for later":           exit(func(e *broker.Entry) { e.DueAt = now }),
		"an exit with an exit":        exit(func(e *broker.Entry) { e.Exit = &broker.Entry{} }),
		"an exit of no type":          exit(func(e *broker.Entry) { e.Type = "" }),
		"an exit with many headers":   exit(func(e *broker.Entry) { e.Headers = headers(broker.MaxHeaders+1, 1) }),
		"an exit with half a home":    exit(func(e *broker.Entry) { e.Home = broker.Home{Queue: "runs"} }),
		"a replacement with no claim": replace(broker.Replacement{Entry: broker.Entry{EntryRef: l.Entry.EntryRef, Type: "t", Claim: broker.Claim{Key: "k k"}}}),
	}
}

// malformedHomes lists more changes to home that no broker accepts.
func malformedHomes() map[string]broker.Change {
	drain := func(f func(*broker.Entry)) broker.Change {
		e := of(home, "new")[0]
		f(&e)
		return broker.Change{Home: home, Drain: []broker.Entry{e}}
	}
	list := func(terms ...string) broker.Change {
		return broker.Change{Home: home, List: &broker.Listing{At: time.Now(), Terms: terms}}
	}
	var many []string
	for i := range broker.MaxTerms + 1 {
		many = append(many, fmt.Sprint(i))
	}
	return map[string]broker.Change{
		"a drain of another home":     drain(func(e *broker.Entry) { e.Home = beside }),
		"a drain of no home":          drain(func(e *broker.Entry) { e.Home = broker.Home{} }),
		"a drain of no type":          drain(func(e *broker.Entry) { e.Type = "" }),
		"a drain with a claim":        drain(func(e *broker.Entry) { e.Claim.Key = "k" }),
		"a drain with many headers":   drain(func(e *broker.Entry) { e.Headers = headers(broker.MaxHeaders+1, 1) }),
		"a drain with a bad exit":     drain(func(e *broker.Entry) { e.Exit = &broker.Entry{} }),
		"a drain of one entry twice":  {Home: home, Drain: of(home, "new", "new")},
		"a listing at no time":        {Home: home, List: &broker.Listing{Terms: []string{"t"}}},
		"a listing by an empty term":  list("t", ""),
		"a listing by a term twice":   list("t", "u", "t"),
		"a listing by too many terms": list(many...),
		"a listing by too long a one": list(strings.Repeat("t", broker.MaxTermBytes+1)),
		"a listing by a bad text":     list("\xff"),
		"a negative quota":            {Home: home, Quota: -1, Put: []broker.Put{{Key: "new"}}},
		"a negative quota of no put":  {Quota: -1},
	}
}

// operations are calls of every method of an operator, about queue and an entry.
func operations(o broker.Operator, queue string, l broker.Lease) map[string]func(context.Context) error {
	now := time.Now()
	ref := broker.LeaseRef{EntryRef: broker.EntryRef{Queue: queue, ID: l.Entry.ID}, Token: l.Token}
	return map[string]func(context.Context) error{
		"Gather": func(ctx context.Context) error {
			_, err := o.Gather(ctx, now, broker.GatherRequest{Queue: queue, Group: "g", Token: "t", MaxSize: 1, Until: now.Add(time.Hour)})
			return err
		},
		"Joined": func(ctx context.Context) error {
			_, err := o.Joined(ctx, broker.JoinedRequest{Queue: queue, Limit: 1})
			return err
		},
		"Groups": func(ctx context.Context) error { _, err := o.Groups(ctx, queue); return err },
		"Report": func(ctx context.Context) error {
			_, err := o.Report(ctx, now, broker.Progress{LeaseRef: l.Ref(), Data: []byte("x")}, broker.Progress{LeaseRef: ref})
			return err
		},
		"Sweep": func(ctx context.Context) error {
			_, err := o.Sweep(ctx, now, broker.SweepRequest{Queue: queue, State: task.Pending, Do: broker.Delete, Limit: 5})
			return err
		},
		"Pause":   func(ctx context.Context) error { _, err := o.Pause(ctx, now, queue, true); return err },
		"Remove":  func(ctx context.Context) error { return o.Remove(ctx, now, queue, true) },
		"History": func(ctx context.Context) error { _, err := o.History(ctx, now, queue, 1); return err },
		"Memory":  func(ctx context.Context) error { _, err := o.Memory(ctx, queue); return err },
	}
}

func checkOperate(x *trial) {
	x.enqueue(entry("q", "leased"))
	l := x.leaseOne("q")
	x.enqueue(entry("q", "pending"), grouped("grouped", "g"))
	for _, queue := range []string{"", "{q}", "q q"} {
		for method, call := range operations(x.b, queue, l) {
			err := call(x.Context())
			x.invalid(method+" with queue "+queue, err)
			x.refusal(method+" with queue "+queue, err)
		}
	}
	equal(x, "progress", x.get("q", "leased").Progress, nil)
	equal(x, "waiting", x.waiting("g"), []string{"grouped"})
	equal(x, "queues", x.names(), []string{"q"})
}

func checkGather(x *trial) {
	x.enqueue(grouped("a", "g"))
	good := broker.GatherRequest{Queue: "q", Group: "g", Token: "t", MaxSize: 1, Until: time.Now().Add(time.Hour)}
	for what, f := range map[string]func(*broker.GatherRequest){
		"no group":         func(r *broker.GatherRequest) { r.Group = "" },
		"a bad group":      func(r *broker.GatherRequest) { r.Group = "{g}" },
		"no token":         func(r *broker.GatherRequest) { r.Token = "" },
		"a bad token":      func(r *broker.GatherRequest) { r.Token = "t t" },
		"no size":          func(r *broker.GatherRequest) { r.MaxSize = 0 },
		"too large a size": func(r *broker.GatherRequest) { r.MaxSize = broker.MaxBatch + 1 },
		"a negative grace": func(r *broker.GatherRequest) { r.Grace = -1 },
		"a negative delay": func(r *broker.GatherRequest) { r.MaxDelay = -1 },
		"negative bytes":   func(r *broker.GatherRequest) { r.MaxBytes = -1 },
	} {
		r := good
		f(&r)
		_, err := x.b.Gather(x.Context(), time.Now(), r)
		x.invalid(what, err)
		x.refusal(what, err)
	}
	equal(x, "waiting", x.waiting("g"), []string{"a"})
}

func checkJoined(x *trial) {
	for what, r := range map[string]broker.JoinedRequest{
		"no queue":          {Limit: 1},
		"a bad queue":       {Queue: "{q}", Limit: 1},
		"no limit":          {Queue: "q"},
		"a negative one":    {Queue: "q", Limit: -1},
		"too large a limit": {Queue: "q", Limit: broker.MaxParts + 1},
	} {
		_, err := x.b.Joined(x.Context(), r)
		x.invalid(what, err)
		x.refusal(what, err)
	}
}

func checkSweep(x *trial) {
	for _, state := range task.States() {
		if state != task.Active {
			x.brought(state.String(), state)
		}
	}
	before := x.counts("q")
	for what, r := range map[string]broker.SweepRequest{
		"no act":               {State: task.Pending, Limit: 1},
		"a time":               {State: task.Pending, Do: broker.Reschedule, Limit: 1},
		"run of pending ones":  {State: task.Pending, Do: broker.Run, Limit: 1},
		"active ones":          {State: task.Active, Do: broker.Cancel, Limit: 1},
		"cancel of archived":   {State: task.Archived, Do: broker.Cancel, Limit: 1},
		"cancel of completed":  {State: task.Completed, Do: broker.Cancel, Limit: 1},
		"archive of archived":  {State: task.Archived, Do: broker.Archive, Limit: 1},
		"no state":             {Do: broker.Delete, Limit: 1},
		"no group":             {State: task.Aggregating, Do: broker.Delete, Limit: 1},
		"a group too many":     {State: task.Pending, Group: "g", Do: broker.Delete, Limit: 1},
		"no limit":             {State: task.Pending, Do: broker.Delete},
		"too large a limit":    {State: task.Pending, Do: broker.Delete, Limit: broker.MaxSweep + 1},
		"a negative one":       {State: task.Pending, Do: broker.Delete, Limit: -1},
		"an act there is not":  {State: task.Pending, Do: broker.Cancel + 1, Limit: 1},
		"a group of bad name":  {State: task.Aggregating, Group: "{g}", Do: broker.Delete, Limit: 1},
		"a state there is not": {State: task.Aggregating + 1, Do: broker.Delete, Limit: 1},
	} {
		r.Queue = "q"
		_, err := x.b.Sweep(x.Context(), time.Now(), r)
		x.invalid(what, err)
		x.refusal(what, err)
	}
	equal(x, "counts", x.counts("q"), before)
}

func checkListAndAdvance(x *trial) {
	x.enqueue(grouped("a", "g"))
	for what, r := range map[string]broker.ListRequest{
		"no group":    {State: task.Aggregating},
		"a bad group": {State: task.Aggregating, Group: "g g"},
		"a group":     {State: task.Pending, Group: "g"},
	} {
		r.Queue, r.Limit = "q", 1
		_, err := x.b.List(x.Context(), r)
		x.invalid(what, err)
		x.refusal(what, err)
	}
	x.must(moving(broker.Archive, "a"))
	for what, keep := range map[string]broker.ArchiveLimits{"count": {Count: -1}, "age": {Age: -1}, "bytes": {Bytes: -1}} {
		_, err := x.b.Advance(x.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1, Keep: keep})
		x.invalid(what, err)
		x.refusal(what, err)
	}
	x.in("after that", task.Archived, "a")
}
