package deed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/workflow"
)

// fill enqueues n tasks into a queue.
func (w *world) fill(name string, n int, options ...task.Option) {
	w.Helper()
	var all []*task.Task
	for i := range n {
		all = append(all, task.New("mail", fmt.Appendf(nil, `{"n":%d,"card":{"number":%d}}`, i, i%7), append(options, task.Queue(name))...))
	}
	for _, e := range w.s.Client.EnqueueMany(w.Context(), all) {
		w.need(e.Err)
	}
}

// ended waits for a bulk to end, and returns how it has.
func (w *world) ended(id string) (p deed.Progress) {
	w.Helper()
	w.await("bulk "+id+" has ended", func() bool {
		var err error
		p, err = w.d.Progress(id)
		w.need(err)
		return !p.Going()
	})
	return p
}

// in returns how many tasks of a queue are in a state.
func (w *world) in(name string, state task.State) int {
	w.Helper()
	info, err := w.s.Inspector.QueueInfo(w.Context(), name)
	w.need(err)
	return info.In(state)
}

// bulk does a bulk, and returns how it has ended.
func (w *world) bulk(b deed.Bulk) deed.Progress {
	w.Helper()
	id, err := w.d.Begin(w.Context(), admin, b)
	w.need(err)
	return w.ended(id)
}

func TestABulkIsStoppedMidway(t *testing.T) {
	const n = 20_000
	inWorlds(t, func(w *world) {
		w.fill("mail", n)
		b := deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "queue:mail"}
		p, err := w.d.Preview(w.Context(), admin, b)
		if err != nil || p.Count != n || !p.Exact || len(p.Sample) != 5 {
			w.Fatalf("Preview() = %+v, %v; want %d, exact, 5 of them", p, err, n)
		}
		id, err := w.d.Begin(w.Context(), admin, b)
		w.need(err)
		w.await("something is done", func() bool {
			p, err := w.d.Progress(id)
			return err == nil && p.Done > 0
		})
		w.need(w.d.Stop(admin, id))
		end := w.ended(id)
		if end.State != deed.Stopped || end.Done == 0 || end.Done >= n || end.Total != n || end.Rate <= 0 || end.Ended.IsZero() {
			w.Errorf("it has ended as %+v", end)
		}
		if archived, pending := w.in("mail", task.Archived), w.in("mail", task.Pending); archived != end.Done || pending != n-end.Done {
			w.Errorf("%d are archived and %d pending, want what was told: %d and the rest", archived, pending, end.Done)
		}
		if told := w.records[0]; told.Args["bulk"] != "begun" || told.Count != n || told.By != admin.Name {
			w.Errorf("told was %+v, want that it has begun", told)
		}
		if told := w.last(); told.Deed != "archive" || told.Target != "queue:mail" || told.Count != end.Done || !strings.Contains(told.Err, "stopped") {
			w.Errorf("told was %+v", told)
		}
		b.Confirm = n - end.Done
		if rest := w.bulk(b); rest.State != deed.Ended || rest.Done != n-end.Done {
			w.Errorf("the rest has ended as %+v", rest)
		}
	})
}

func TestABulkIsDoneToWhatTheQueryTakes(t *testing.T) {
	inWorlds(t, func(w *world) {
		w.fill("mail", 70)
		w.fill("other", 3, task.ProcessIn(time.Hour))
		orphan := w.put(deed.Orphaned)
		active := w.put("active")
		for _, c := range []struct {
			name  string
			bulk  deed.Bulk
			count int
			seen  func() bool
		}{
			{"by what they carry", deed.Bulk{Deed: "archive", Query: "queue:mail payload.card.number:3"}, 10, func() bool { return w.in("mail", task.Archived) == 10 && w.in("mail", task.Pending) == 60 }},
			{"in the states that suit", deed.Bulk{Deed: "run", Query: "queue:mail,other"}, 13, func() bool { return w.in("mail", task.Pending) == 70 && w.in("other", task.Pending) == 3 }},
			{"at a time", deed.Bulk{Deed: "reschedule", Query: "queue:other", Args: map[string]string{"at": "2h"}}, 3, func() bool { return w.in("other", task.Scheduled) == 3 }},
			{"what has no worker", deed.Bulk{Deed: "recover", Query: ""}, 1, func() bool { return w.task(orphan).State == task.Pending && w.task(active).State == task.Active }},
			{"what is named", deed.Bulk{Deed: "archive", Query: "id:it queue:" + orphan.Queue}, 1, func() bool { return w.task(orphan).State == task.Archived }},
			{"to another queue", deed.Bulk{Deed: "transfer", Query: "queue:other", Args: map[string]string{"to": "third"}}, 3, func() bool { return w.in("third", task.Scheduled) == 3 && w.in("other", task.Scheduled) == 0 }},
			{"what is final", deed.Bulk{Deed: "delete", Query: "queue:mail", Confirm: 70}, 70, func() bool { return w.in("mail", task.Pending) == 0 }},
			{"nothing", deed.Bulk{Deed: "delete", Query: "queue:nowhere"}, 0, func() bool { return true }},
		} {
			c.bulk.Kind = deed.Task
			p, err := w.d.Preview(w.Context(), admin, c.bulk)
			if err != nil || p.Count != c.count || !p.Exact {
				w.Errorf("%s: Preview() = %+v, %v; want %d", c.name, p, err, c.count)
			}
			if end := w.bulk(c.bulk); end.State != deed.Ended || end.Done != c.count || !c.seen() {
				w.Errorf("%s: it has ended as %+v", c.name, end)
			}
		}
	})
}

func TestABulkIsDoneToRunsEntriesAndQueues(t *testing.T) {
	inWorlds(t, func(w *world) {
		running, done := w.run(workflow.Running), w.run(workflow.Done)
		if end := w.bulk(deed.Bulk{Kind: deed.Run, Deed: "pause", Query: "workflow:order"}); end.Done != 1 || end.State != deed.Ended {
			w.Errorf("pause has ended as %+v", end)
		}
		w.awaitRun(running, workflow.Paused)
		if end := w.bulk(deed.Bulk{Kind: deed.Run, Deed: "delete", Query: "id:" + done.ID, Confirm: 1}); end.Done != 1 {
			w.Errorf("delete has ended as %+v", end)
		}
		one, two := stored(w), stored(w)
		if end := w.bulk(deed.Bulk{Kind: deed.Entry, Deed: "pause", Query: "name:" + one.ID}); end.Done != 1 || w.entry(one).Paused == nil || w.entry(two).Paused != nil {
			w.Errorf("pause of entries has ended as %+v", end)
		}
		q := w.put("pending")
		if end := w.bulk(deed.Bulk{Kind: deed.Queue, Deed: "pause", Query: "name:" + q.Queue}); end.Done != 1 {
			w.Errorf("pause of queues has ended as %+v", end)
		}
		wantPaused(true)(w, q)
	})
}

func TestABulkThatMakesNoSenseIsRefused(t *testing.T) {
	w := inMemory(t)
	w.fill("mail", 20)
	rules, err := mask.New(access.Admin, "card")
	w.need(err)
	w.d.Rules = rules
	operator := access.Identity{Name: "bob", Role: access.Operator}
	var bad *query.Error
	for _, c := range []struct {
		name string
		who  access.Identity
		bulk deed.Bulk
		want func(error) bool
	}{
		{"no deed", admin, deed.Bulk{Kind: deed.Task, Deed: "explode"}, is(deed.ErrUnknown)},
		{"a deed for one", admin, deed.Bulk{Kind: deed.Task, Deed: "edit", Args: map[string]string{"payload": "1"}}, is(task.ErrInvalid)},
		{"no query of groups", admin, deed.Bulk{Kind: deed.Group, Deed: "run", Query: "size>"}, func(err error) bool { return errors.As(err, &bad) }},
		{"queues with what is in them", admin, deed.Bulk{Kind: deed.Queue, Deed: "remove"}, is(task.ErrInvalid)},
		{"no query", admin, deed.Bulk{Kind: deed.Task, Deed: "run", Query: "state:"}, func(err error) bool { return errors.As(err, &bad) }},
		{"a state that does not suit", admin, deed.Bulk{Kind: deed.Task, Deed: "run", Query: "state:active"}, is(task.ErrInvalid)},
		{"a run's state", admin, deed.Bulk{Kind: deed.Run, Deed: "retry", Query: "state:running"}, is(task.ErrInvalid)},
		{"an argument that is missing", admin, deed.Bulk{Kind: deed.Task, Deed: "reschedule", Query: "queue:mail"}, is(task.ErrInvalid)},
		{"one that is not known", admin, deed.Bulk{Kind: deed.Task, Deed: "archive", Args: map[string]string{"why": "1"}}, is(task.ErrInvalid)},
		{"the role", operator, deed.Bulk{Kind: deed.Task, Deed: "delete", Query: "queue:mail", Confirm: 20}, is(deed.ErrForbidden)},
		{"what is masked", operator, deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "payload.card.number:3"}, is(mask.ErrMasked)},
		{"final, not confirmed", admin, deed.Bulk{Kind: deed.Task, Deed: "delete", Query: "queue:mail"}, is(deed.ErrUnconfirmed)},
		{"grown", admin, deed.Bulk{Kind: deed.Task, Deed: "delete", Query: "queue:mail", Confirm: 18}, is(deed.ErrUnconfirmed)},
		{"grown, not final", admin, deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "queue:mail", Confirm: 2}, is(deed.ErrUnconfirmed)},
	} {
		if id, err := w.d.Begin(t.Context(), c.who, c.bulk); !c.want(err) || id != "" {
			t.Errorf("%s: Begin() = %q, %v", c.name, id, err)
		} else if told := w.last(); told.Err != strings.Replace(err.Error(), `why "1"`, "why", 1) || told.By != c.who.Name || told.Deed != c.bulk.Deed {
			t.Errorf("%s: told was %+v, want %v", c.name, told, err)
		}
	}
	if _, err := w.d.Preview(t.Context(), operator, deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "payload.card.number:3"}); !errors.Is(err, mask.ErrMasked) {
		t.Errorf("Preview of what is masked = %v", err)
	}
	if n := w.in("mail", task.Pending); n != 20 {
		t.Errorf("%d are still there, want 20", n)
	}
	if end := w.bulk(deed.Bulk{Kind: deed.Task, Deed: "delete", Query: "queue:mail", Confirm: 19}); end.Done != 20 {
		t.Errorf("of those that have grown by less than a tenth %+v", end)
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// A slow broker waits with what is done to many until it is let go.
type slow struct {
	broker.Broker
	gate chan struct{}
}

func (s slow) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	select {
	case <-s.gate:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return s.Broker.Sweep(ctx, now, r)
}

func TestOnlyAFewBulksAreUnderWay(t *testing.T) {
	w := inMemory(t)
	w.fill("mail", 4)
	gate := make(chan struct{})
	w = newWorld(t, slow{w.b, gate})
	b := deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "queue:mail"}
	var ids []string
	for range 4 {
		id, err := w.d.Begin(t.Context(), admin, b)
		w.need(err)
		ids = append(ids, id)
	}
	if _, err := w.d.Begin(t.Context(), admin, b); !errors.Is(err, deed.ErrBusy) {
		t.Errorf("a fifth: %v, want ErrBusy", err)
	}
	if all := w.d.Bulks(); len(all) != 4 || all[0].ID != ids[3] || !all[0].Going() {
		t.Errorf("Bulks() = %+v", all)
	}
	for _, role := range []access.Role{access.Nobody, access.Viewer} {
		if err := w.d.Stop(access.Identity{Role: role}, ids[0]); !errors.Is(err, deed.ErrForbidden) {
			t.Errorf("%s stops it: %v, want ErrForbidden", role, err)
		}
	}
	close(gate)
	for _, id := range ids {
		w.ended(id)
	}
}

func TestABulkIsForgottenAnHourAfterItsEnd(t *testing.T) {
	w := inMemory(t)
	w.fill("mail", 4)
	var mu sync.Mutex
	ahead := time.Duration(0)
	w.s.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(ahead) }
	id, err := w.d.Begin(t.Context(), admin, deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "queue:mail"})
	w.need(err)
	w.ended(id)
	mu.Lock()
	ahead = 61 * time.Minute
	mu.Unlock()
	if _, err := w.d.Progress(id); !errors.Is(err, deed.ErrWorkNotFound) {
		t.Errorf("Progress() = %v, want ErrWorkNotFound", err)
	}
	if err := w.d.Stop(admin, id); !errors.Is(err, deed.ErrWorkNotFound) {
		t.Errorf("Stop() = %v, want ErrWorkNotFound", err)
	}
	if all := w.d.Bulks(); len(all) != 0 {
		t.Errorf("Bulks() = %+v, want none", all)
	}
}

func TestCloseEndsBulksAndWaitsForThem(t *testing.T) {
	w := inMemory(t)
	w.fill("mail", 5000)
	b := deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "queue:mail"}
	id, err := w.d.Begin(t.Context(), admin, b)
	w.need(err)
	w.d.Close()
	p, err := w.d.Progress(id)
	if err != nil || p.Going() {
		t.Errorf("Progress() = %+v, %v; want that it has ended", p, err)
	}
	if got := w.in("mail", task.Archived); got != p.Done {
		t.Errorf("%d are archived, want %d", got, p.Done)
	}
	if _, err := w.d.Begin(t.Context(), admin, b); !errors.Is(err, deed.ErrClosed) {
		t.Errorf("Begin() = %v, want ErrClosed", err)
	}
}

func TestABulkBearsWhatOthersDo(t *testing.T) {
	inWorlds(t, func(w *world) {
		w.fill("mail", 3000)
		id, err := w.d.Begin(w.Context(), admin, deed.Bulk{Kind: deed.Task, Deed: "archive", Query: "queue:mail type:mail"})
		w.need(err)
		mux := task.NewMux()
		mux.HandleFunc("mail", func(context.Context, *task.Task) error { return nil })
		srv, err := queue.NewServer(w.b, queue.Config{Queues: map[string]int{"mail": 1}, Concurrency: 4})
		w.need(err)
		ctx, stop := context.WithCancel(w.Context())
		ended := make(chan error)
		go func() { ended <- srv.Run(ctx, mux) }()
		end := w.ended(id)
		w.await("nothing waits", func() bool { return w.in("mail", task.Pending)+w.in("mail", task.Active) == 0 })
		stop()
		w.need(<-ended)
		info, err := w.s.Inspector.QueueInfo(w.Context(), "mail")
		w.need(err)
		if end.State != deed.Ended || end.Failed != 0 || info.Archived != end.Done || info.Archived+info.ProcessedTotal != 3000 {
			w.Errorf("%+v; %d archived, %d processed; want 3000 together", end, info.Archived, info.ProcessedTotal)
		}
	})
}

func TestATransferIsDoneToWhatIsElsewhereAndOneThatStaysKeepsNoOther(t *testing.T) {
	inWorlds(t, func(w *world) {
		w.fill("third", 15)
		for i := range 15 {
			w.fill("mail", 1, task.UniqueUntilDone(), task.UniqueKey(fmt.Sprint(i)))
		}
		w.fill("mail", 5)
		b := deed.Bulk{Kind: deed.Task, Deed: "transfer", Query: "type:mail", Args: map[string]string{"to": "third"}}
		p, err := w.d.Preview(w.Context(), admin, b)
		if err != nil || p.Count != 20 {
			w.Errorf("Preview() = %+v, %v; want the 20 that are elsewhere", p, err)
		}
		if end := w.bulk(b); end.State != deed.Ended || end.Done != 5 || end.Failed != 15 || w.in("third", task.Pending) != 20 {
			w.Errorf("it has ended as %+v, want 5 done and the 15 that are unique failed", end)
		}
		b.Args["to"] = "no{name"
		if _, err := w.d.Begin(w.Context(), admin, b); !errors.Is(err, task.ErrInvalid) {
			w.Errorf("to what is no name: %v, want ErrInvalid", err)
		}
	})
}
