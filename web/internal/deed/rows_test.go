package deed_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/views"
	"github.com/leatwork/leat/workflow"
)

// A row is a deed, what it is done to, and how it is seen in the storage that it was done.
type row struct {
	kind deed.Kind
	name string
	args map[string]string

	target func(w *world) deed.Target // nil: it makes something
	seen   func(w *world, t deed.Target)

	// wrong is what it is not done to, and the error that it meets. nil: there is nothing
	// of that sort.
	wrong func(w *world) (deed.Target, error)
}

func in(state string) func(w *world) deed.Target {
	return func(w *world) deed.Target { return w.put(state) }
}

func becomes(state string) func(w *world, t deed.Target) {
	return func(w *world, t deed.Target) { w.wantState(t, state) }
}

func not(target func(w *world) deed.Target, err error) func(w *world) (deed.Target, error) {
	return func(w *world) (deed.Target, error) { return target(w), err }
}

// errAny stands for one that has no name.
var errAny = errors.New("any")

// A group of two tasks.
func twoInGroup(w *world) deed.Target {
	t := deed.Target{Queue: w.queueName(), ID: "digest"}
	for range 2 {
		_, err := w.s.Client.Enqueue(w.Context(), task.New("mail", nil, task.Queue(t.Queue), task.Group(t.ID)))
		w.need(err)
	}
	return t
}

func nowAll(state task.State, n int) func(w *world, t deed.Target) {
	return func(w *world, t deed.Target) {
		info, err := w.s.Inspector.QueueInfo(w.Context(), t.Queue)
		w.need(err)
		if info.In(state) != n || info.Aggregating != 0 {
			w.Errorf("%d tasks are %s and %d wait in groups, want %d and none", info.In(state), state, info.Aggregating, n)
		}
	}
}

func noGroup(w *world) deed.Target { return deed.Target{Queue: w.put("pending").Queue, ID: "none"} }

// stored returns an entry that is stored.
func stored(w *world) deed.Target {
	t := deed.Target{ID: "report-" + w.queueName()}
	w.need(w.s.Entries.Add(w.Context(), periodic.Entry{Name: t.ID, Schedule: "@every 1h", Type: "report"}, "test"))
	return t
}

func pausedEntry(w *world) deed.Target {
	t := stored(w)
	w.need(w.s.Entries.Pause(w.Context(), t.ID, "test", ""))
	return t
}

func noEntry(*world) deed.Target { return deed.Target{ID: "none"} }

func (w *world) entry(t deed.Target) periodic.Info {
	w.Helper()
	i, err := w.s.Entries.Get(w.Context(), t.ID)
	w.need(err)
	return i
}

func backfilled(w *world) deed.Target {
	t := stored(w)
	_, err := w.s.Entries.Backfill(w.Context(), t.ID, periodic.Backfill{From: time.Now().Add(-3 * time.Hour), To: time.Now(), Cap: 1})
	w.need(err)
	return t
}

func aRun(state workflow.State) func(w *world) deed.Target {
	return func(w *world) deed.Target { return w.run(state) }
}

func runs(state workflow.State) func(w *world, t deed.Target) {
	return func(w *world, t deed.Target) { w.awaitRun(t, state) }
}

func wantPaused(want bool) func(w *world, t deed.Target) {
	return func(w *world, t deed.Target) {
		info, err := w.s.Inspector.QueueInfo(w.Context(), t.Queue)
		w.need(err)
		if info.Paused != want {
			w.Errorf("paused is %v, want %v", info.Paused, want)
		}
	}
}

func rows() []row {
	at := time.Date(2040, 1, 31, 8, 0, 0, 0, time.UTC)
	return []row{
		{kind: deed.Task, name: "run", target: in("scheduled"), seen: becomes("pending"), wrong: not(in("active"), errAny)},
		{kind: deed.Task, name: "run", target: in("retry"), seen: becomes("pending"), wrong: not(in("pending"), errAny)},
		{kind: deed.Task, name: "run", target: in("archived"), seen: becomes("pending")},
		{kind: deed.Task, name: "run", target: in("aggregating"), seen: becomes("pending")},
		{kind: deed.Task, name: "requeue", target: in("completed"), seen: becomes("pending"), wrong: not(in("active"), errAny)},
		{
			kind: deed.Task, name: "reschedule", args: map[string]string{"at": at.Format(time.RFC3339)}, target: in("archived"), wrong: not(in("active"), errAny),
			seen: func(w *world, t deed.Target) {
				w.wantState(t, "scheduled")
				if got := w.task(t).NextProcessAt; !got.Equal(at) {
					w.Errorf("it is due at %v, want %v", got, at)
				}
			},
		},
		{kind: deed.Task, name: "cancel", target: in("pending"), wrong: not(in("archived"), errAny), seen: func(w *world, t deed.Target) {
			if i := w.task(t); i.State != task.Archived || i.End != "cancelled" {
				w.Errorf("it is %s, ended %q; want archived, cancelled", i.State, i.End)
			}
		}},
		{kind: deed.Task, name: "cancel", target: in("active"), wrong: not(in("completed"), errAny), seen: func(w *world, t deed.Target) {
			if !w.task(t).CancelAsked {
				w.Error("it is not asked to end")
			}
		}},
		{kind: deed.Task, name: "archive", target: in("pending"), seen: becomes("archived"), wrong: not(in("active"), errAny)},
		{kind: deed.Task, name: "archive", target: in("completed"), seen: becomes("archived"), wrong: not(in("archived"), errAny)},
		{kind: deed.Task, name: "delete", target: in("archived"), seen: becomes(""), wrong: not(in("active"), errAny)},
		{kind: deed.Task, name: "edit", args: map[string]string{"payload": `{"to":8}`}, target: in("scheduled"), wrong: not(in("active"), errAny), seen: wantPayload(`{"to":8}`)},
		{kind: deed.Task, name: "edit", args: map[string]string{"payload": ""}, target: in("pending"), wrong: not(in("completed"), errAny), seen: wantPayload("")},
		{kind: deed.Task, name: "edit", args: map[string]string{"payload_base64": base64.StdEncoding.EncodeToString([]byte{0, 255})}, target: in("retry"), seen: wantPayload("\x00\xff")},
		{
			kind: deed.Task, name: "transfer", args: map[string]string{"to": "slow"}, target: in("retry"), wrong: not(in("active"), errAny),
			seen: func(w *world, t deed.Target) {
				w.wantState(deed.Target{Queue: "slow", ID: t.ID}, "scheduled")
				w.need(w.s.Inspector.Delete(w.Context(), "slow", t.ID))
			},
		},
		{kind: deed.Task, name: "recover", target: in(deed.Orphaned), seen: becomes("pending"), wrong: not(in("active"), errAny)},
		{kind: deed.Task, name: "drop", target: in(deed.Orphaned), seen: becomes(""), wrong: not(in("active"), errAny)},
		{kind: deed.Task, name: "clone", args: map[string]string{"new_id": "again"}, target: in("archived"), wrong: not(func(w *world) deed.Target { return deed.Target{Queue: w.put("pending").Queue, ID: "none"} }, queue.ErrTaskNotFound), seen: func(w *world, t deed.Target) {
			w.wantState(t, "archived")
			if i := w.task(deed.Target{Queue: t.Queue, ID: "again"}); i.State != task.Pending || string(i.Payload) != `{"to":7}` || i.Type != "email:welcome" {
				w.Errorf("the clone is %+v", i)
			}
		}},
		{
			kind: deed.Task, name: "enqueue", args: map[string]string{
				"type": "report", "payload": "[1]", "queue": "made", "id": "made-1", "at": at.Format(time.RFC3339), "retry": "3", "timeout": "90s",
				"deadline": "2041-01-01", "headers": "a=b\n\nc=d=e\n", "retention": "1h", "unique_until_done": "on", "unique_key": "k", "max_crashes": "2",
			},
			seen: func(w *world, _ deed.Target) {
				i := w.task(deed.Target{Queue: "made", ID: "made-1"})
				if i.State != task.Scheduled || i.MaxRetry != 3 || i.Timeout != 90*time.Second || i.Headers["c"] != "d=e" || i.Headers["a"] != "b" ||
					i.Retention != time.Hour || i.MaxCrashes != 2 || !i.NextProcessAt.Equal(at) || i.Deadline.Year() != 2041 || i.UniqueKey == "" {
					w.Errorf("it is %+v", i)
				}
			},
		},
		{kind: deed.Queue, name: "pause", args: map[string]string{"why": "too loud"}, target: func(w *world) deed.Target { return deed.Target{Queue: w.put("pending").Queue} }, seen: func(w *world, t deed.Target) {
			wantPaused(true)(w, t)
			infos := []queue.QueueInfo{{Counts: broker.Counts{Queue: t.Queue, Paused: true}}}
			w.need(w.s.Inspector.ReadPauses(w.Context(), infos))
			if p := infos[0].Pause; p == nil || p.Why != "too loud" || p.By == "" {
				w.Errorf("it is paused as %+v, want by somebody, too loud", p)
			}
		}},
		{kind: deed.Queue, name: "resume", seen: wantPaused(false), target: func(w *world) deed.Target {
			t := deed.Target{Queue: w.put("pending").Queue}
			_, err := w.s.Inspector.Pause(w.Context(), t.Queue)
			w.need(err)
			return t
		}},
		{
			kind: deed.Queue, name: "remove", args: map[string]string{"force": "true", "confirm": "2"},
			target: func(w *world) deed.Target { return deed.Target{Queue: twoInGroup(w).Queue} },
			seen: func(w *world, t deed.Target) {
				names, err := w.s.Inspector.Queues(w.Context())
				w.need(err)
				if slices.Contains(names, t.Queue) {
					w.Errorf("queue %s is still there", t)
				}
			},
			wrong: not(func(w *world) deed.Target { return deed.Target{Queue: w.put("active").Queue} }, queue.ErrQueueNotEmpty),
		},
		{kind: deed.Group, name: "run", target: twoInGroup, seen: nowAll(task.Pending, 2), wrong: not(noGroup, deed.ErrGroupNotFound)},
		{kind: deed.Group, name: "archive", target: twoInGroup, seen: nowAll(task.Archived, 2), wrong: not(noGroup, deed.ErrGroupNotFound)},
		{kind: deed.Group, name: "delete", args: map[string]string{"confirm": "2"}, target: twoInGroup, seen: nowAll(task.Pending, 0), wrong: not(noGroup, deed.ErrGroupNotFound)},
		{
			kind: deed.Entry, name: "add", args: map[string]string{
				"name": "nightly", "schedule": "30 2 * * *", "zone": "Europe/Berlin", "type": "report", "payload": "{}", "queue": "low", "options": "MaxRetry(3)\nTimeout(10m)",
				"missed": "once", "overlap": "skip", "jitter": "5s", "window": "2m", "start": "2026-01-01", "end": "2050-01-01",
			},
			seen: func(w *world, _ deed.Target) {
				i := w.entry(deed.Target{ID: "nightly"})
				if i.Schedule != "30 2 * * *" || i.Zone != "Europe/Berlin" || i.Type != "report" || len(i.Options) != 3 || i.Overlap.String() != "skip" || i.Jitter != 5*time.Second {
					w.Errorf("it is %+v", i)
				}
			},
		},
		{kind: deed.Entry, name: "change", args: map[string]string{"schedule": "@daily", "template": "{}"}, target: stored, wrong: not(noEntry, periodic.ErrEntryNotFound), seen: func(w *world, t deed.Target) {
			if i := w.entry(t); i.Schedule != "@daily" || i.Type != "report" {
				w.Errorf("it is %+v, want it daily and of the same type", i)
			}
		}},
		{kind: deed.Entry, name: "run", target: stored, wrong: not(noEntry, periodic.ErrEntryNotFound), seen: func(w *world, t deed.Target) {
			if i := w.entry(t); i.Asked != 1 {
				w.Errorf("it is to be run %d times, want once", i.Asked)
			}
		}},
		{kind: deed.Entry, name: "pause", args: map[string]string{"why": "too loud"}, target: stored, wrong: not(noEntry, periodic.ErrEntryNotFound), seen: func(w *world, t deed.Target) {
			if p := w.entry(t).Paused; p == nil || p.Why != "too loud" || p.By == "" {
				w.Errorf("it is paused as %+v, want by somebody, too loud", p)
			}
		}},
		{kind: deed.Entry, name: "resume", target: pausedEntry, wrong: not(noEntry, periodic.ErrEntryNotFound), seen: func(w *world, t deed.Target) {
			if w.entry(t).Paused != nil {
				w.Error("it is still paused")
			}
		}},
		{kind: deed.Entry, name: "backfill", args: map[string]string{"from": "-3h", "to": "-1h", "cap": "2"}, target: stored, wrong: not(noEntry, periodic.ErrEntryNotFound), seen: func(w *world, t deed.Target) {
			if got := w.entry(t).Backfills; len(got) != 1 || got[0].Cap != 2 || got[0].By == "" || got[0].To.Sub(got[0].From).Round(time.Minute) != 2*time.Hour {
				w.Errorf("its backfills are %+v", got)
			}
		}},
		{kind: deed.Entry, name: "end-backfill", args: map[string]string{"backfill": "?"}, target: backfilled, wrong: not(stored, periodic.ErrBackfillNotFound), seen: func(w *world, t deed.Target) {
			if got := w.entry(t).Backfills; len(got) != 1 || got[0].To.After(got[0].From) {
				w.Errorf("its backfills are %+v, want one of which nothing is left", got)
			}
		}},
		{kind: deed.Entry, name: "remove", target: stored, wrong: not(noEntry, periodic.ErrEntryNotFound), seen: func(w *world, t deed.Target) {
			if _, err := w.s.Entries.Get(w.Context(), t.ID); !errors.Is(err, periodic.ErrEntryNotFound) {
				w.Errorf("Get() = %v, want ErrEntryNotFound", err)
			}
		}},
		{kind: deed.Run, name: "start", args: map[string]string{"workflow": "order", "input": `"17"`, "id": "started", "queue": "default"}, seen: func(w *world, _ deed.Target) {
			w.serve()
			w.awaitRun(deed.Target{Queue: "default", ID: "started"}, workflow.Running)
		}},
		{kind: deed.Run, name: "pause", target: aRun(workflow.Running), seen: runs(workflow.Paused), wrong: not(aRun(workflow.Done), workflow.ErrRunState)},
		{kind: deed.Run, name: "resume", target: aRun(workflow.Paused), seen: runs(workflow.Running), wrong: not(aRun(workflow.Done), workflow.ErrRunState)},
		{kind: deed.Run, name: "cancel", target: aRun(workflow.Running), seen: runs(workflow.Cancelled), wrong: not(aRun(workflow.Done), workflow.ErrRunState)},
		{kind: deed.Run, name: "retry", target: aRun(workflow.Cancelled), seen: runs(workflow.Running), wrong: not(aRun(workflow.Running), workflow.ErrRunState)},
		{kind: deed.Run, name: "retry-from", args: map[string]string{"step": "charge"}, target: aRun(workflow.Done), wrong: not(aRun(workflow.Running), workflow.ErrRunState), seen: func(w *world, t deed.Target) {
			w.awaitRun(t, workflow.Done)
			if s, err := w.handle(t).Status(w.Context()); err != nil || s.Retries != 1 {
				w.Errorf("it was begun again %d times, %v; want once", s.Retries, err)
			}
		}},
		{kind: deed.Run, name: "retry-all", target: aRun(workflow.Done), wrong: not(aRun(workflow.Running), workflow.ErrRunState), seen: func(w *world, t deed.Target) {
			w.awaitRun(t, workflow.Running) // and waits for what it waited for then
			if s, err := w.handle(t).Status(w.Context()); err != nil || s.Retries != 1 {
				w.Errorf("it was begun again %d times, %v; want once", s.Retries, err)
			}
		}},
		{kind: deed.Run, name: "skip", args: map[string]string{"step": "charge", "output": `"by hand"`}, target: aRun(workflow.Failed), wrong: not(aRun(workflow.Done), workflow.ErrRunState), seen: func(w *world, t deed.Target) {
			w.awaitRun(t, workflow.Running)
			got, err := w.handle(t).Output(w.Context(), "charge")
			if err != nil || string(got) != `"by hand"` {
				w.Errorf("the step gave %s, %v; want by hand", got, err)
			}
		}},
		{kind: deed.Run, name: "signal", args: map[string]string{"signal": "approved", "payload": `"ada"`, "signal_id": "1"}, target: aRun(workflow.Running), seen: runs(workflow.Done), wrong: not(aRun(workflow.Cancelled), workflow.ErrRunState)},
		{kind: deed.Run, name: "delete", target: aRun(workflow.Done), wrong: not(aRun(workflow.Running), workflow.ErrRunState), seen: func(w *world, t deed.Target) {
			w.await("the run is gone", func() bool {
				_, err := w.handle(t).Status(w.Context())
				return errors.Is(err, workflow.ErrRunNotFound)
			})
		}},
		{kind: deed.View, name: "keep", args: map[string]string{"page": "tasks", "name": "failed", "query": "state:archived", "order": "oldest"}, seen: func(w *world, _ deed.Target) {
			w.wantViews(views.View{Page: "tasks", Name: "failed", Query: "state:archived", Order: "oldest"})
		}},
		{kind: deed.View, name: "forget", target: keptView, seen: func(w *world, _ deed.Target) { w.wantViews() }, wrong: not(func(*world) deed.Target { return deed.Target{ID: "tasks/none"} }, broker.ErrNotFound)},
	}
}

// keptView returns a view that is kept.
func keptView(w *world) deed.Target {
	v := views.View{Page: "queues", Name: "large", Sort: "-size"}
	w.need(errors.Join(forgetAll(w), views.Keep(w.Context(), w.b, time.Now(), v)))
	return deed.Target{ID: v.ID()}
}

func forgetAll(w *world) (err error) {
	all, err := views.All(w.Context(), w.b)
	for _, v := range all {
		err = errors.Join(err, views.Forget(w.Context(), w.b, time.Now(), v.ID()))
	}
	return err
}

func (w *world) wantViews(want ...views.View) {
	w.Helper()
	got, err := views.All(w.Context(), w.b)
	w.need(err)
	if !slices.Equal(got, want) {
		w.Errorf("kept are %+v, want %+v", got, want)
	}
}

func wantPayload(want string) func(w *world, t deed.Target) {
	return func(w *world, t deed.Target) {
		if got := string(w.task(t).Payload); got != want {
			w.Errorf("its payload is %q, want %q", got, want)
		}
	}
}

// argsFor returns the arguments of a row, with what only the target tells.
func (r row) argsFor(w *world, t deed.Target) map[string]string {
	args := map[string]string{}
	for name, text := range r.args {
		if text == "?" {
			text = "none"
			if all := w.entry(t).Backfills; len(all) > 0 {
				text = all[0].ID
			}
		}
		args[name] = text
	}
	return args
}

func TestEveryDeedIsSeenInTheStorage(t *testing.T) {
	inWorlds(t, func(w *world) {
		done := map[string]bool{}
		for _, r := range rows() {
			w.Run(string(r.kind)+" "+r.name, func(t *testing.T) {
				x := w.on(t)
				x.done(r)
				x.refused(r)
			})
			done[string(r.kind)+" "+r.name] = true
		}
		for _, d := range deed.All(access.Admin) {
			if name := string(d.Kind) + " " + d.Name; !done[name] {
				w.Errorf("no row shows that %q is done", name)
			}
		}
	})
}

// done does what a row says, and looks at the storage.
func (w *world) done(r row) {
	var target deed.Target
	if r.target != nil {
		target = r.target(w)
	}
	d := w.find(r.kind, r.name)
	args := r.argsFor(w, target)
	o, err := w.d.Perform(w.Context(), admin, d, target, args)
	if err != nil {
		w.Fatalf("%s %s: %v", r.name, target, err)
	}
	if o.Text == "" || d.New != (o.Made != nil) && d.Name != "clone" {
		w.Errorf("the outcome is %+v", o)
	}
	r.seen(w, target)
	if told := w.last(); told.Deed != r.name || told.Target != target.String() || told.By != admin.Name || told.Role != admin.Role || told.Err != "" {
		w.Errorf("told was %+v", told)
	}
}

// refused does what a row says to what does not allow it.
func (w *world) refused(r row) {
	if r.wrong == nil {
		return
	}
	target, want := r.wrong(w)
	text, err := w.d.Do(w.Context(), admin, w.find(r.kind, r.name), target, r.argsFor(w, target))
	if err == nil || want != errAny && !errors.Is(err, want) || text != "" {
		w.Errorf("%s of %s = %q, %v; want %v", r.name, target, text, err, want)
	}
	if told := w.last(); told.Target != target.String() || told.Err != err.Error() {
		w.Errorf("told was %+v, want the failure", told)
	}
}
