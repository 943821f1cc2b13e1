package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A cell of a table in docs/unique.md.
type cell struct{ row, column, says string }

// documented returns the cells of the table that is marked with a name, and its
// rows and columns.
func documented(t *testing.T, name string) (cells []cell, rows, columns []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/unique.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "<!-- tested: "+name+" -->\n")
	if !found {
		t.Fatalf("docs/unique.md has no table %s", name)
	}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		parts := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		switch {
		case columns == nil:
			columns = parts[1:]
		case strings.HasPrefix(parts[0], "---"):
		default:
			rows = append(rows, parts[0])
			for i, says := range parts[1:] {
				cells = append(cells, cell{parts[0], columns[i], says})
			}
		}
	}
	return cells, rows, columns
}

// same demands that a table has exactly the rows or columns that are tested.
func same[V any](t *testing.T, what string, documented []string, tested map[string]V) {
	t.Helper()
	slices.Sort(documented)
	if names := slices.Sorted(maps.Keys(tested)); !slices.Equal(documented, names) {
		t.Fatalf("%s of the table:\n%q\nand of the test:\n%q", what, documented, names)
	}
}

// The periods of all modes, where they have one, and how long Debounce waits.
const (
	period = 24 * time.Hour
	quiet  = time.Minute
)

var uniqueModes = map[string]task.Option{
	"Unique":           task.Unique(period),
	"UniqueUntilDone":  task.UniqueUntilDone(),
	"UniqueUntilStart": task.UniqueUntilStart(),
	"UniqueFor":        task.UniqueFor(period),
	"Debounce":         task.Debounce(quiet, time.Hour),
	"Rerun":            task.Rerun(),
}

// A first is the task that is there before, default/first.
type first struct {
	*bench
	mode task.Option
	ref  broker.EntryRef
}

// enqueued enqueues it, and reports whether its options go together.
func (f *first) enqueued(options ...task.Option) bool {
	f.Helper()
	info, err := f.client.Enqueue(f.Context(), task.New("test:first", []byte("old")), append(options, f.mode, task.UniqueKey("key"))...)
	if errors.Is(err, task.ErrInvalid) {
		return false
	}
	if err != nil {
		f.Fatal(err)
	}
	f.ref = broker.EntryRef{Queue: info.Queue, ID: info.ID}
	return true
}

func (f *first) state() broker.Stored {
	f.Helper()
	s, err := f.b.Entry(f.Context(), f.ref)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

func (f *first) advance() {
	f.Helper()
	for range 3 {
		if _, err := f.b.Advance(f.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"default"}, Limit: 10}); err != nil {
			f.Fatal(err)
		}
		f.pass(4 * time.Second)
	}
}

// pending has it wait for a worker.
func (f *first) pending(options ...task.Option) {
	f.Helper()
	if f.enqueued(options...); f.state().State == task.Scheduled {
		f.pass(quiet)
		f.advance()
	}
	if s := f.state().State; s != task.Pending {
		f.Fatalf("the first task is %s, want pending", s)
	}
}

// leased has a worker begin with it.
func (f *first) leased() broker.Lease {
	f.Helper()
	f.pending()
	now := time.Now()
	applied, err := f.b.Apply(f.Context(), now, nil, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "default", First: 1}}, Max: 1, Until: now.Add(time.Second),
	})
	if err != nil || len(applied.Leases) != 1 {
		f.Fatalf("lease = %+v, %v", applied.Leases, err)
	}
	return applied.Leases[0]
}

// settled has it come to an outcome.
func (f *first) settled(to broker.Outcome, end broker.End, at time.Duration) {
	f.Helper()
	l := f.leased()
	if end == broker.Cancelled {
		f.moved(broker.Cancel)
	}
	f.commit(broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: to, End: end, At: time.Now().Add(at)}}})
}

func (f *first) moved(acts ...broker.Act) {
	f.Helper()
	for _, act := range acts {
		f.commit(broker.Change{Move: []broker.Move{{EntryRef: f.ref, Do: act}}})
	}
}

func (f *first) commit(c broker.Change) {
	f.Helper()
	applied, err := f.b.Apply(f.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	if err != nil || applied.Outcomes[0] != nil {
		f.Fatalf("%+v: %v, %v", c, applied.Outcomes, err)
	}
}

// firsts bring the first task to where a row of the table has it.
var firsts = map[string]func(*first){
	"is pending":                         func(f *first) { f.pending() },
	"is scheduled":                       func(f *first) { f.scheduled() },
	"waits in a group":                   func(f *first) { f.enqueued(task.Group("g")) },
	"is being run":                       func(f *first) { f.leased() },
	"has failed and waits to be retried": func(f *first) { f.settled(broker.Retry, 0, time.Hour) },
	"has been put off by Snooze":         func(f *first) { f.settled(broker.Retry, 0, time.Minute) },
	"was given back by a shutdown":       func(f *first) { f.settled(broker.Released, 0, 0) },
	"was recovered from a worker that was lost": func(f *first) {
		f.leased()
		f.pass(10 * time.Second)
		f.advance()
	},
	"is done":                func(f *first) { f.settled(broker.Done, 0, 0) },
	"is completed, and kept": func(f *first) { f.settled(broker.Completed, 0, time.Hour) },
	"was completed, and its retention is over": func(f *first) { f.settled(broker.Completed, 0, time.Hour); f.pass(2 * time.Hour); f.advance() },
	"is archived, out of retries":              func(f *first) { f.settled(broker.Archived, 0, 0) },
	"is archived as poison":                    func(f *first) { f.settled(broker.Archived, broker.Poison, 0) },
	"is archived as expired":                   func(f *first) { f.settled(broker.Archived, broker.Expired, 0) },
	"was cancelled while it waited":            func(f *first) { f.pending(); f.moved(broker.Cancel) },
	"was cancelled while it was run":           func(f *first) { f.settled(broker.Archived, broker.Cancelled, 0) },
	"was archived by hand":                     func(f *first) { f.pending(); f.moved(broker.Archive) },
	"was archived, and run again by hand":      func(f *first) { f.pending(); f.moved(broker.Archive, broker.Run) },
	"was archived, and then deleted":           func(f *first) { f.pending(); f.moved(broker.Archive, broker.Delete) },
	"was deleted while it waited":              func(f *first) { f.pending(); f.moved(broker.Delete) },
	"waits, and its TTL or period is over":     func(f *first) { f.pending(); f.pass(period + time.Hour) },
	"is done, and its TTL or period is over":   func(f *first) { f.settled(broker.Done, 0, 0); f.pass(period + time.Hour) },
	"went with its queue, which was removed": func(f *first) {
		f.pending()
		f.moved(broker.Delete)
		if err := f.b.Remove(f.Context(), time.Now(), "default", true); err != nil {
			f.Fatal(err)
		}
	},
}

// scheduled has it wait for its time, which Debounce does by itself.
func (f *first) scheduled() {
	if f.mode == uniqueModes["Debounce"] {
		f.enqueued()
		return
	}
	f.enqueued(task.ProcessIn(time.Hour))
}

// second enqueues the second task, and says in the words of the tables what
// became of it.
func (f *first) second(options ...task.Option) string {
	f.Helper()
	if f.ref.ID == "" {
		return "–"
	}
	info, err := f.client.Enqueue(f.Context(), task.New("test:second", []byte("new")), append(options, f.mode, task.UniqueKey("key"))...)
	if duplicate, ok := errors.AsType[*queue.DuplicateError](err); ok {
		if duplicate.Holder != f.ref.ID || duplicate.Key != "key" {
			f.Errorf("refused because of key %q of %s, want that of %s", duplicate.Key, duplicate.Holder, f.ref.ID)
		}
		return "refused"
	}
	if err != nil {
		return err.Error()
	}
	stored, err := f.b.Entry(f.Context(), broker.EntryRef{Queue: "default", ID: info.ID})
	switch {
	case info.ID == f.ref.ID && (errors.Is(err, broker.ErrNotFound) || string(stored.Payload) == "old"):
		return "holder"
	case err != nil:
		return err.Error()
	case stored.State != info.State:
		return fmt.Sprintf("stored as %s, and told to be %s", stored.State, info.State)
	case info.ID == f.ref.ID:
		return "replaces"
	case stored.Claim.Behind:
		return "behind"
	default:
		return "new"
	}
}

// onEveryBroker runs f on a bench of each broker, in a bubble.
func onEveryBroker(t *testing.T, f func(t *testing.T, inBubble func(string, func(*bench)))) {
	for _, of := range inspected {
		t.Run(of.name, func(t *testing.T) {
			open := of.open(t)
			f(t, func(name string, f func(*bench)) {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := open(t)
						defer b.Close()
						f(newBench(t, b))
					})
				})
			})
		})
	}
}

func TestTheTableOfUniquenessIsTrue(t *testing.T) {
	cells, rows, columns := documented(t, "modes")
	same(t, "rows", rows, firsts)
	same(t, "columns", columns, uniqueModes)
	onEveryBroker(t, func(t *testing.T, inBubble func(string, func(*bench))) {
		for _, c := range cells {
			if strings.HasSuffix(t.Name(), "/redis") && c.column == "Unique" && c.row == "waits, and its TTL or period is over" {
				continue // it ends by the clock of the server: brokertest waits for that in real time
			}
			inBubble(c.row+", "+c.column, func(x *bench) {
				f := &first{bench: x, mode: uniqueModes[c.column]}
				firsts[c.row](f)
				if got := f.second(); got != c.says {
					x.Errorf("if the first task %s, the second with %s is: %s; the table says: %s", c.row, c.column, got, c.says)
				}
			})
		}
	})
}

var holders = map[string]func(*first){
	"is pending":                         firsts["is pending"],
	"is scheduled":                       firsts["is scheduled"],
	"waits in a group":                   firsts["waits in a group"],
	"has failed and waits to be retried": firsts["has failed and waits to be retried"],
	"is being run":                       firsts["is being run"],
	"is completed, and within the period of UniqueFor":    firsts["is completed, and kept"],
	"is done and deleted, within the period of UniqueFor": firsts["is done"],
	"is archived, within the TTL of Unique":               firsts["is archived, out of retries"],
}

var conflicts = map[string]task.Conflict{"Reject": task.Reject, "Ignore": task.Ignore, "Replace": task.Replace}

func TestTheTableOfConflictsIsTrue(t *testing.T) {
	cells, rows, columns := documented(t, "conflicts")
	same(t, "rows", rows, holders)
	same(t, "columns", columns, conflicts)
	onEveryBroker(t, func(t *testing.T, inBubble func(string, func(*bench))) {
		for _, c := range cells {
			modes := []string{"Unique", "UniqueUntilDone", "UniqueFor"}
			if _, only, ok := strings.Cut(c.row, " of "); ok {
				modes = []string{only}
			}
			for _, mode := range modes {
				inBubble(c.row+", "+c.column+", "+mode, func(x *bench) {
					f := &first{bench: x, mode: uniqueModes[mode]}
					holders[c.row](f)
					if got := f.second(task.OnConflict(conflicts[c.column])); got != c.says {
						x.Errorf("if the holder %s, a task with %s and %s is: %s; the table says: %s", c.row, mode, c.column, got, c.says)
					}
				})
			}
		}
	})
}

func TestATaskThatReplacesAnotherIsDueWhenItSaysItself(t *testing.T) {
	for name, test := range map[string]struct {
		first, second []task.Option
		want          time.Duration // until it is due; 0: it is ready
	}{
		"at once":            {[]task.Option{task.ProcessIn(time.Hour)}, nil, 0},
		"later":              {nil, []task.Option{task.ProcessIn(time.Hour)}, time.Hour},
		"at another time":    {[]task.Option{task.ProcessIn(time.Hour)}, []task.Option{task.ProcessIn(time.Minute)}, time.Minute},
		"at once, as before": {nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				f := &first{bench: x, mode: task.UniqueUntilDone()}
				f.enqueued(test.first...)
				if got := f.second(append(test.second, task.OnConflict(task.Replace), task.MaxRetry(7))...); got != "replaces" {
					t.Fatalf("the second task is: %s, want that it replaces", got)
				}
				s := f.state()
				if test.want == 0 && s.State != task.Pending || test.want > 0 && (s.State != task.Scheduled || time.Until(s.DueAt) != test.want) {
					t.Errorf("it is %s until %v, want %v from now", s.State, s.DueAt, test.want)
				}
				if s.Type != "test:second" || s.MaxRetry != 7 {
					t.Errorf("it has type %s and %d retries, want those of the second", s.Type, s.MaxRetry)
				}
			})
		})
	}
}

func TestDebounceWaitsForQuietButNotForEver(t *testing.T) {
	inBubble(t, func(x *bench) {
		begin := time.Now()
		var ran []time.Duration
		var last string
		x.serve(func(_ context.Context, tk *task.Task) error {
			ran, last = append(ran, time.Since(begin)), string(tk.Payload())
			return nil
		})
		trigger := func(payload string) {
			if _, err := x.client.Enqueue(x.Context(), task.New("index", []byte(payload)), task.Debounce(10*time.Second, 25*time.Second)); err != nil {
				t.Error(err)
			}
		}
		near := func(want time.Duration) {
			t.Helper()
			if len(ran) == 0 || (ran[len(ran)-1]-want).Abs() > 1500*time.Millisecond {
				t.Errorf("it was run after %v, want %v", ran, want)
			}
		}
		trigger("a")
		x.pass(5 * time.Second)
		trigger("b")
		x.pass(20 * time.Second)
		near(15 * time.Second)
		if len(ran) != 1 || last != "b" {
			t.Errorf("run %d times, the last time with %q, want once with b", len(ran), last)
		}
		x.pass(time.Minute)
		begin = time.Now()
		for i := range 30 { // it is never quiet
			trigger(fmt.Sprint(i))
			x.pass(time.Second)
		}
		near(25 * time.Second)
		if len(ran) != 2 {
			t.Errorf("run %d times, want once more", len(ran))
		}
	})
}

func TestAHundredProducersAtOnceLeaveOneTaskWithTheLastPayload(t *testing.T) {
	for name, mode := range map[string][]task.Option{
		"Debounce": {task.Debounce(time.Minute, 0)},
		"Rerun":    {task.Rerun()},
		"Replace":  {task.UniqueUntilDone(), task.UniqueKey("k"), task.OnConflict(task.Replace)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				var stored []string
				b := &tapped{Broker: x.b}
				var mu sync.Mutex
				b.apply = func(call applyCall) (broker.Applied, error) {
					mu.Lock()
					defer mu.Unlock()
					applied, err := call.run()
					for i, c := range call.changes {
						switch {
						case applied.Outcomes[i] != nil:
						case len(c.Enqueue) > 0:
							stored = append(stored, string(c.Enqueue[0].Payload))
						case len(c.Replace) > 0:
							stored = append(stored, string(c.Replace[0].Entry.Payload))
						}
					}
					return applied, err
				}
				client := queue.NewClient(b)
				var producers sync.WaitGroup
				for i := range 100 {
					producers.Go(func() {
						if _, err := client.Enqueue(x.Context(), task.New("index", fmt.Append(nil, i)), mode...); err != nil {
							t.Errorf("Enqueue(%d) = %v, want nil", i, err)
						}
					})
				}
				producers.Wait()
				if c := x.counts("default"); c.Size() != 1 || len(stored) != 100 {
					t.Fatalf("%d tasks after %d commits, want 1 after 100", c.Size(), len(stored))
				}
				id := append(x.list(task.Pending), x.list(task.Scheduled)...)[0]
				if got := string(x.get(id).Payload); got != stored[99] {
					t.Errorf("payload %s, want that of the last commit, %s", got, stored[99])
				}
			})
		})
	}
}

func TestOfAThousandRerunsDuringOneRunTheLastIsRun(t *testing.T) {
	inBubble(t, func(x *bench) {
		var ran []string
		busy := make(chan struct{})
		x.cfg.Concurrency = 4
		x.serve(func(_ context.Context, tk *task.Task) error {
			ran = append(ran, string(tk.Payload()))
			if len(ran) == 1 {
				<-busy
			}
			return nil
		})
		rerun := func(payload string) {
			if _, err := x.client.Enqueue(x.Context(), task.New("index", []byte(payload)), task.Rerun()); err != nil {
				t.Error(err)
			}
		}
		rerun("first")
		x.pass(time.Second)
		var producers sync.WaitGroup
		for range 999 {
			producers.Go(func() { rerun("storm") })
		}
		producers.Wait()
		rerun("last")
		x.pass(time.Minute)
		if !slices.Equal(ran, []string{"first"}) {
			t.Errorf("ran %q while the first goes on, want only that", ran)
		}
		close(busy)
		synctest.Wait()
		x.pass(time.Second)
		if !slices.Equal(ran, []string{"first", "last"}) {
			t.Errorf("ran %q, want the first and the last", ran)
		}
	})
}

func TestRerunLosesNoTriggerToWorkersThatAreFaster(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Concurrency, x.cfg.PollInterval = 4, time.Millisecond
		last := ""
		x.serve(func(_ context.Context, tk *task.Task) error {
			last = string(tk.Payload())
			return nil
		})
		for i := range 500 {
			payload := fmt.Sprint(i)
			if _, err := x.client.Enqueue(x.Context(), task.New("index", []byte(payload)), task.Rerun()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(i%3) * time.Millisecond)
		}
		x.pass(time.Minute)
		if last != "499" || x.counts("default").Size() != 0 {
			t.Errorf("the last run had payload %s, and %d tasks are left; want 499 and none", last, x.counts("default").Size())
		}
	})
}

func TestATaskWhoseHolderStartsBeforeItIsReplacedIsStoredAsANewOne(t *testing.T) {
	inBubble(t, func(x *bench) {
		f := &first{bench: x, mode: task.UniqueUntilStart()}
		f.enqueued()
		b := &tapped{Broker: x.b}
		b.apply = func(call applyCall) (broker.Applied, error) {
			if len(call.changes[0].Replace) > 0 && f.state().State == task.Pending { // a worker is faster
				now := time.Now()
				_, err := x.b.Apply(x.Context(), now, nil, broker.LeaseRequest{
					Queues: []broker.Share{{Queue: "default", First: 1}}, Max: 1, Until: now.Add(time.Minute),
				})
				if err != nil {
					t.Error(err)
				}
			}
			return call.run()
		}
		x.client = queue.NewClient(b)
		if got := f.second(task.OnConflict(task.Replace)); got != "new" {
			t.Errorf("the second task is: %s, want new", got)
		}
	})
}
