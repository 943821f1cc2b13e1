package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// bulkEnds are the states into which a bulk moves the tasks of another one; 0 is
// deleted.
var bulkEnds = map[broker.Act]task.State{
	broker.Run:        task.Pending,
	broker.Archive:    task.Archived,
	broker.Delete:     0,
	broker.Cancel:     task.Archived,
	broker.Reschedule: task.Scheduled,
}

var bulkPromises = []promise{
	{"everything in a state is run, archived, deleted, cancelled or rescheduled, and nothing else", func(x *inspection) {
		for do, to := range bulkEnds {
			for _, from := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating} {
				r := queue.BulkRequest{Queue: fmt.Sprintf("%s-%s", do, from), State: from, Do: do}
				if do == broker.Reschedule {
					r.At = time.Now().Add(5 * time.Hour)
				}
				x.put(r.Queue, task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating)
				got, err := x.i.Bulk(x.Context(), r)
				if refused := from == to && do != broker.Reschedule || do == broker.Archive && from == task.Archived ||
					do == broker.Cancel && (from == task.Archived || from == task.Completed); refused {
					if !errors.Is(err, task.ErrInvalid) {
						x.Errorf("%s all %s: Bulk() = %v, want ErrInvalid", do, from, err)
					}
					continue
				}
				if err != nil || got != (queue.BulkResult{Done: 1}) {
					x.Errorf("%s all %s: Bulk() = %+v, %v; want one done", do, from, got, err)
				}
				for id, info := range x.everything(r.Queue) {
					want := to
					if id != from.String() {
						want, _ = task.ParseState(id)
					}
					if info.State != want {
						x.Errorf("%s all %s: the one that was %s is %s, want %s", do, from, id, info.State, want)
					}
				}
			}
		}
	}},
	{"what is cancelled in bulk has ended as cancelled", func(x *inspection) {
		x.put("q", task.Retry, task.Active)
		for _, state := range []task.State{task.Retry, task.Active} {
			x.bulk(queue.BulkRequest{Queue: "q", State: state, Do: broker.Cancel})
		}
		if got := x.task("q", "retry").End; got != "cancelled" {
			x.Errorf("the one that waited has ended as %q, want cancelled", got)
		}
		if got := x.task("q", "active"); !got.CancelAsked || got.State != task.Active {
			x.Errorf("the active one is %s, asked %v; want active, true", got.State, got.CancelAsked)
		}
	}},
	{"orphans are recovered in bulk, and tasks that have a worker are not", func(x *inspection) {
		x.putOne("q", "a", task.Active)
		x.putOne("q", "b", task.Active)
		x.pass(11 * time.Second)
		x.putOne("q", "c", task.Active)
		got := x.bulk(queue.BulkRequest{Queue: "q", State: task.Active, Do: broker.Run})
		if want := (queue.BulkResult{Done: 2, Skipped: 1}); got != want {
			x.Errorf("Bulk() = %+v, want %+v", got, want)
		}
		x.wantIDs("q", task.Active, "c")
		x.wantIDs("q", task.Pending, "a", "b")
	}},
	{"a bulk of all queues, or of all groups, leaves out none", func(x *inspection) {
		x.put("a", task.Retry)
		x.put("b", task.Retry)
		if got := x.bulk(queue.BulkRequest{State: task.Retry, Do: broker.Delete}); got.Done != 2 {
			x.Errorf("Bulk() of all queues = %+v, want two done", got)
		}
		for _, group := range []string{"g", "h", "i"} {
			x.group("a", group, group+"1", group+"2")
		}
		if got := x.bulk(queue.BulkRequest{Queue: "a", State: task.Aggregating, Group: "h", Do: broker.Run}); got.Done != 2 {
			x.Errorf("Bulk() of a group = %+v, want two done", got)
		}
		x.wantIDs("a", task.Pending, "h1", "h2")
		if got := x.bulk(queue.BulkRequest{State: task.Aggregating, Do: broker.Archive}); got.Done != 4 {
			x.Errorf("Bulk() of all groups = %+v, want four done", got)
		}
		x.wantIDs("a", task.Archived, "g1", "g2", "i1", "i2")
	}},
	{"the first are the first, with a filter and without", func(x *inspection) {
		for _, filter := range []queue.Filter{{}, {Type: "test"}} {
			all := x.ten("q")
			x.bulk(queue.BulkRequest{Queue: "q", State: task.Scheduled, Do: broker.Run, Filter: filter})
			x.wantIDs("q", task.Pending, all...)
			x.bulk(queue.BulkRequest{Queue: "q", State: task.Pending, Do: broker.Delete})
		}
	}},
	{"a bulk goes in steps, tells how far it is, and stops when it is told to", func(x *inspection) {
		for _, filter := range []queue.Filter{{}, {Type: "man"}} {
			x.many("q", 301)
			var told []int
			r := queue.BulkRequest{Queue: "q", State: task.Pending, Do: broker.Archive, Filter: filter}
			r.Progress = func(done int) bool {
				told = append(told, done)
				return done < 200
			}
			got := x.bulk(r)
			if want := (queue.BulkResult{Done: 200, Stopped: true}); got != want {
				x.Errorf("filter %+v: Bulk() = %+v, want %+v", filter, got, want)
			}
			if diff := cmp.Diff([]int{100, 200}, slices.DeleteFunc(told, func(n int) bool { return n == 0 })); diff != "" {
				x.Errorf("filter %+v: told (-want +got):\n%s", filter, diff)
			}
			told = nil
			if got, want := x.bulk(r), (queue.BulkResult{Done: 101}); got != want {
				x.Errorf("filter %+v: when it is resumed: Bulk() = %+v, want %+v", filter, got, want)
			}
			x.bulk(queue.BulkRequest{Queue: "q", State: task.Archived, Do: broker.Delete})
		}
	}},
	{"a bulk that is stopped while it looks has done nothing", func(x *inspection) {
		x.many("q", 101)
		seen := 0
		got := x.bulk(queue.BulkRequest{Queue: "q", State: task.Pending, Do: broker.Delete,
			Filter:   queue.Filter{Match: func(*task.Info) bool { seen++; return true }},
			Progress: func(int) bool { return false }})
		if want := (queue.BulkResult{Stopped: true}); got != want || x.info("q").Pending != 101 || seen != 100 {
			x.Errorf("Bulk() = %+v, %d are left and %d were seen; want %+v, all and 100", got, x.info("q").Pending, seen, want)
		}
	}},
	{"a bulk ends with its context, and says what it has done", func(x *inspection) {
		for _, filter := range []queue.Filter{{}, {Type: "many"}} {
			x.many("q", 201)
			ctx, cancel := context.WithCancel(x.Context())
			got, err := x.i.Bulk(ctx, queue.BulkRequest{Queue: "q", State: task.Pending, Do: broker.Delete, Filter: filter,
				Progress: func(done int) bool {
					if done > 0 {
						cancel()
					}
					return true
				}})
			if !errors.Is(err, context.Canceled) || got.Done != 100 {
				x.Errorf("filter %+v: Bulk() = %+v, %v; want 100 done, and that ctx was cancelled", filter, got, err)
			}
			cancel()
			x.bulk(queue.BulkRequest{Queue: "q", State: task.Pending, Do: broker.Delete})
		}
	}},
	{"a task that fails again while a bulk runs it is not run twice", func(x *inspection) {
		for _, state := range []task.State{task.Retry, task.Archived} {
			x.notRunTwice(state)
		}
	}},
	{"a bulk takes no more than were there when it began", func(x *inspection) {
		x.many("q", 600, func(e *broker.Entry) { e.DueAt = time.Now().Add(time.Hour) })
		more := 0
		got := x.bulk(queue.BulkRequest{Queue: "q", State: task.Scheduled, Do: broker.Run, Progress: func(int) bool {
			x.putOne("q", fmt.Sprintf("more%d", more), task.Scheduled)
			more++
			return true
		}})
		if got.Done != 600 || more == 0 {
			x.Errorf("Bulk() = %+v while %d came, want 600 done", got, more)
		}
	}},
	{"a filter takes what it says", func(x *inspection) {
		begin := time.Now()
		for _, id := range []string{"a1", "a2", "b1"} {
			x.putOne("q", id, task.Retry) // its type is test:id, its error ends in it
			x.pass(10 * time.Second)
		}
		for name, c := range map[string]struct {
			filter queue.Filter
			want   string
		}{
			"type":                   {queue.Filter{Type: "test:a"}, "a1 a2"},
			"no such type":           {queue.Filter{Type: "a"}, ""},
			"error":                  {queue.Filter{Error: "broke: b"}, "b1"},
			"from":                   {queue.Filter{From: begin.Add(10 * time.Second)}, "a2 b1"},
			"until":                  {queue.Filter{Until: begin.Add(10 * time.Second)}, "a1"},
			"between":                {queue.Filter{From: begin.Add(time.Second), Until: begin.Add(11 * time.Second)}, "a2"},
			"own":                    {queue.Filter{Match: func(i *task.Info) bool { return i.ID == "a2" }}, "a2"},
			"all that all take":      {queue.Filter{Type: "test:a", Error: "1"}, "a1"},
			"own, of what is taken":  {queue.Filter{Type: "test:a", Match: func(i *task.Info) bool { return i.ID != "a1" }}, "a2"},
			"a failure that was not": {queue.Filter{Error: "it worked"}, ""},
		} {
			var got []string
			r := queue.BulkRequest{Queue: "q", State: task.Retry, Do: broker.Reschedule, At: time.Now().Add(time.Hour), Filter: c.filter}
			x.bulk(r)
			for id, info := range x.everything("q") {
				if info.State == task.Scheduled {
					got = append(got, id)
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != c.want {
				x.Errorf("%s: took %v, want %s", name, got, c.want)
			}
			x.bulk(queue.BulkRequest{Queue: "q", State: task.Scheduled, Do: broker.Delete})
			for _, id := range got {
				x.putBack("q", id, begin)
			}
		}
	}},
	{"the time of a filter is when a task is due, or was completed", func(x *inspection) {
		begin := time.Now()
		x.putOne("q", "s1", task.Scheduled)
		x.putOne("q", "c1", task.Completed)
		x.pass(10 * time.Second)
		x.putOne("q", "s2", task.Scheduled)
		x.putOne("q", "c2", task.Completed)
		x.bulk(queue.BulkRequest{Queue: "q", State: task.Scheduled, Do: broker.Delete, Filter: queue.Filter{From: begin.Add(time.Hour + time.Second)}})
		x.bulk(queue.BulkRequest{Queue: "q", State: task.Completed, Do: broker.Delete, Filter: queue.Filter{Until: begin.Add(time.Second)}})
		x.wantIDs("q", task.Scheduled, "s1")
		x.wantIDs("q", task.Completed, "c2")
	}},
	{"a task that has not failed is at no time of a filter", func(x *inspection) {
		x.enqueue("a")
		l := x.lease("default")
		x.change(broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Retry, At: time.Now().Add(time.Hour)}}})
		for _, f := range []queue.Filter{{Until: time.Now().Add(time.Hour)}, {From: time.Now().Add(-time.Hour)}} {
			if got := x.bulk(queue.BulkRequest{Queue: "default", State: task.Retry, Do: broker.Run, Filter: f}); got.Done != 0 {
				x.Errorf("filter %+v: Bulk() = %+v, want none done", f, got)
			}
		}
	}},
	{"a task that moves on before its turn is skipped", func(x *inspection) {
		for _, id := range []string{"a", "b", "c"} {
			x.putOne("q", id, task.Retry)
		}
		got := x.bulk(queue.BulkRequest{Queue: "q", State: task.Retry, Do: broker.Run, Filter: queue.Filter{Match: func(i *task.Info) bool {
			switch i.ID {
			case "a":
				return x.i.Delete(x.Context(), "q", "a") == nil
			case "b":
				return x.i.Run(x.Context(), "q", "b") == nil
			}
			return true
		}}})
		if want := (queue.BulkResult{Done: 1, Skipped: 2}); got != want {
			x.Errorf("Bulk() = %+v, want %+v", got, want)
		}
	}},
	{"a bulk that makes no sense is refused", func(x *inspection) {
		x.put("q", task.States()...)
		now := time.Now()
		for name, r := range map[string]queue.BulkRequest{
			"no state":                        {Queue: "q", Do: broker.Run},
			"no act":                          {Queue: "q", State: task.Retry},
			"a bad queue":                     {Queue: "a b", State: task.Retry, Do: broker.Run},
			"run what is ready":               {Queue: "q", State: task.Pending, Do: broker.Run},
			"no time":                         {Queue: "q", State: task.Retry, Do: broker.Reschedule},
			"a time for something else":       {Queue: "q", State: task.Retry, Do: broker.Run, At: now},
			"a group of another state":        {Queue: "q", State: task.Retry, Do: broker.Run, Group: "g"},
			"a group of all queues":           {State: task.Aggregating, Do: broker.Run, Group: "g"},
			"a filter that ends as it begins": {Queue: "q", State: task.Retry, Do: broker.Run, Filter: queue.Filter{From: now, Until: now}},
		} {
			if got, err := x.i.Bulk(x.Context(), r); !errors.Is(err, task.ErrInvalid) || got != (queue.BulkResult{}) {
				x.Errorf("%s: Bulk() = %+v, %v; want ErrInvalid", name, got, err)
			}
		}
	}},
}

func (x *inspection) bulk(r queue.BulkRequest) queue.BulkResult {
	x.Helper()
	got, err := x.i.Bulk(x.Context(), r)
	if err != nil {
		x.Fatalf("Bulk(%+v) = %v, want nil", r, err)
	}
	return got
}

// putBack stores an entry to be retried that has failed as it had, n seconds after
// begin, n being the place of its id.
func (x *inspection) putBack(queue, id string, begin time.Time) {
	x.Helper()
	failed := begin.Add(time.Duration(slices.Index([]string{"a1", "a2", "b1"}, id)) * 10 * time.Second)
	x.change(broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Type: "test:" + id}}})
	l := x.lease(queue)
	s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Retry, At: time.Now().Add(time.Hour), Failed: true}
	s.Entry.LastErr, s.Entry.LastFailedAt = "it broke: "+id, failed
	x.change(broker.Change{Settle: []broker.Settlement{s}})
}

// notRunTwice has six hundred tasks run that fail and come back while the bulk is
// at its second step, before those that it has not come to yet.
func (x *inspection) notRunTwice(state task.State) {
	x.Helper()
	name := "twice-" + state.String()
	runs := make(map[string]int)
	fail := func(at time.Time) {
		now := time.Now()
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: name}}, Max: 1000, Until: now.Add(time.Minute)}
		applied, err := x.b.Apply(x.Context(), now, nil, want)
		if err != nil {
			x.Fatal(err)
		}
		for _, l := range applied.Leases {
			runs[l.Entry.ID]++
			s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Archived}
			if state == task.Retry {
				s.To, s.At = broker.Retry, at
			}
			x.change(broker.Change{Settle: []broker.Settlement{s}})
		}
	}
	x.many(name, 600)
	fail(time.Now().Add(time.Hour))
	clear(runs)
	got := x.bulk(queue.BulkRequest{Queue: name, State: state, Do: broker.Run, Progress: func(int) bool {
		fail(time.Now().Add(time.Second))
		return true
	}})
	fail(time.Now())
	if got.Done != 600 || len(runs) != 600 {
		x.Errorf("%s: Bulk() = %+v, and %d of 600 were run", state, got, len(runs))
	}
	for id, n := range runs {
		if n != 1 {
			x.Fatalf("%s: task %s was run %d times", state, id, n)
		}
	}
}

func TestABulkStopsAtTheFirstAnswerThatItDoesNotExpect(t *testing.T) {
	inBubble(t, func(b *bench) {
		x := &inspection{b, queue.NewInspector(b.b)}
		for _, id := range []string{"a", "b", "c"} {
			x.putOne("q", id, task.Retry)
		}
		full := errors.New("storage is full")
		faulty := &tapped{Broker: x.b, apply: func(call applyCall) (broker.Applied, error) {
			applied, err := call.run()
			applied.Outcomes[1] = full
			return applied, err
		}}
		i := queue.NewInspector(faulty)
		got, err := i.Bulk(x.Context(), queue.BulkRequest{Queue: "q", State: task.Retry, Do: broker.Run})
		if !errors.Is(err, full) || got.Done != 2 {
			t.Errorf("Bulk() = %+v, %v; want two done, and why not the third", got, err)
		}
	})
}
