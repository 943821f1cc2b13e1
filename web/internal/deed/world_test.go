package deed_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var admin = access.Identity{Name: "ada", Role: access.Admin}

// A world is a storage, somebody who does deeds in it, and what was told of them.
type world struct {
	*testing.T
	b broker.Broker
	s *storage.Storage
	d *deed.Doer
	*told

	served *sync.Once
}

// told are the records of what was done.
type told struct {
	mu      sync.Mutex
	records []audit.Entry
}

func (l *told) Record(_ context.Context, e audit.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, e)
}

func (l *told) last() audit.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records) == 0 {
		return audit.Entry{}
	}
	return l.records[len(l.records)-1]
}

// inWorlds runs test with each broker.
func inWorlds(t *testing.T, test func(w *world)) {
	for name, open := range map[string]func(t *testing.T) (broker.Broker, error){
		"sqlite": func(*testing.T) (broker.Broker, error) { return sqlitebroker.Open(":memory:", nil) },
		"redis": func(t *testing.T) (broker.Broker, error) {
			return redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
			test(newWorld(t, b))
		})
	}
}

func newWorld(t *testing.T, b broker.Broker) *world {
	s := storage.New(b, time.Millisecond)
	l := &told{}
	return &world{T: t, b: b, s: s, d: &deed.Doer{Storage: s, Recorder: l}, told: l, served: new(sync.Once)}
}

// on returns w for a part of its test.
func (w *world) on(t *testing.T) *world {
	return &world{T: t, b: w.b, s: w.s, d: w.d, told: w.told, served: new(sync.Once)}
}

func (w *world) need(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// find returns a deed that there is.
func (w *world) find(kind deed.Kind, name string) deed.Deed {
	w.Helper()
	d, err := deed.Find(kind, name)
	w.need(err)
	return d
}

// put enqueues a task into a queue of its own and brings it into a state.
func (w *world) put(state string, options ...task.Option) deed.Target {
	w.Helper()
	t := deed.Target{Queue: w.queueName(), ID: "it"}
	options = append([]task.Option{task.Queue(t.Queue), task.ID(t.ID)}, options...)
	switch state {
	case "scheduled":
		options = append(options, task.ProcessIn(time.Hour))
	case "aggregating":
		options = append(options, task.Group("g"))
	case "completed":
		options = append(options, task.Retention(time.Hour))
	}
	_, err := w.s.Client.Enqueue(w.Context(), task.New("email:welcome", []byte(`{"to":7}`), options...))
	w.need(err)
	now := time.Now()
	switch state {
	case "archived":
		w.need(w.s.Inspector.Archive(w.Context(), t.Queue, t.ID))
	case "active":
		w.lease(t.Queue, now)
	case deed.Orphaned:
		w.lease(t.Queue, now.Add(-time.Hour))
	case "retry":
		w.settle(w.lease(t.Queue, now), broker.Retry, now.Add(time.Hour))
	case "completed":
		w.settle(w.lease(t.Queue, now), broker.Completed, now.Add(time.Hour))
	}
	if got := deed.TaskState(w.task(t)); got != state {
		w.Fatalf("a task that was to be %s is %s", state, got)
	}
	return t
}

var named struct {
	sync.Mutex
	n int
}

// queueName returns one that nobody has.
func (w *world) queueName() string {
	named.Lock()
	defer named.Unlock()
	named.n++
	return fmt.Sprintf("q%d", named.n)
}

func (w *world) lease(queue string, now time.Time) broker.Lease {
	w.Helper()
	a, err := w.b.Apply(w.Context(), now, nil, broker.LeaseRequest{Queues: []broker.Share{{Queue: queue, First: 1}}, Max: 1, Until: now.Add(time.Minute)})
	w.need(err)
	if len(a.Leases) != 1 {
		w.Fatalf("queue %s gave %d leases, want 1", queue, len(a.Leases))
	}
	return a.Leases[0]
}

// tryLease reports whether a worker gets a task of the queue.
func (w *world) tryLease(queue string) bool {
	now := time.Now()
	a, err := w.b.Apply(w.Context(), now, nil, broker.LeaseRequest{Queues: []broker.Share{{Queue: queue, First: 1}}, Max: 1, Until: now.Add(time.Minute)})
	if err != nil {
		w.Error(err)
	}
	return len(a.Leases) == 1
}

func (w *world) settle(l broker.Lease, to broker.Outcome, at time.Time) {
	w.Helper()
	a, err := w.b.Apply(w.Context(), time.Now(), []broker.Change{{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: to, At: at}}}}, broker.LeaseRequest{})
	w.need(errors.Join(append(a.Outcomes, err)...))
}

// task returns a task that there is.
func (w *world) task(t deed.Target) *task.Info {
	w.Helper()
	i, err := w.s.Inspector.Get(w.Context(), t.Queue, t.ID)
	w.need(err)
	return i
}

// wantState sees to it that a task is in a state; "" is that there is none.
func (w *world) wantState(t deed.Target, want string) {
	w.Helper()
	i, err := w.s.Inspector.Get(w.Context(), t.Queue, t.ID)
	switch {
	case errors.Is(err, queue.ErrTaskNotFound):
		if want != "" {
			w.Errorf("task %s is gone, want %s", t, want)
		}
	case err != nil:
		w.Fatal(err)
	case deed.TaskState(i) != want:
		w.Errorf("task %s is %s, want %q", t, deed.TaskState(i), want)
	}
}

var (
	approved = workflow.NewSignal[string]("approved")
	charge   = workflow.NewStep("charge", func(_ context.Context, in string) (string, error) {
		if in == "declined" {
			return "", fmt.Errorf("%s: %w", in, task.SkipRetry)
		}
		return "receipt", nil
	})
	order = dag.New("order", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
		paid := dag.Do(g, charge, in)
		return dag.Join2(g, paid, dag.Await(g, approved, 0), func(paid, by string) string { return paid + " by " + by })
	})
)

// serve has a server run steps, until the test ends.
func (w *world) serve() {
	w.served.Do(func() {
		mux := task.NewMux()
		workflow.Register(mux, order)
		srv, err := queue.NewServer(w.b, queue.Config{Concurrency: 4})
		w.need(err)
		ctx, stop := context.WithCancel(context.WithoutCancel(w.Context()))
		ended := make(chan error)
		go func() { ended <- srv.Run(ctx, mux) }()
		w.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				w.Error(err)
			}
		})
	})
}

// run starts a run and brings it into a state.
func (w *world) run(state workflow.State) deed.Target {
	w.Helper()
	w.serve()
	in := map[bool]string{true: "declined", false: "17"}[state == workflow.Failed]
	r, err := order.Start(w.Context(), w.s.Client, in)
	w.need(err)
	t := deed.Target{Queue: r.Queue(), ID: r.ID}
	switch state {
	case workflow.Failed:
	case workflow.Paused:
		w.need(r.Pause(w.Context()))
	case workflow.Cancelled:
		w.need(r.Cancel(w.Context()))
	case workflow.Done:
		w.need(approved.Send(w.Context(), r, "ada"))
	default:
		w.await("charge is done", func() bool { return w.step(t, "charge").State == workflow.StepDone })
	}
	w.awaitRun(t, state)
	return t
}

func (w *world) handle(t deed.Target) workflow.Handle {
	return workflow.OpenRun(w.s.Client, t.Queue, t.ID)
}

func (w *world) step(t deed.Target, name string) workflow.StepStatus {
	w.Helper()
	s, err := w.handle(t).Status(w.Context())
	w.need(err)
	for _, step := range s.Steps {
		if step.Name == name {
			return step
		}
	}
	w.Fatalf("run %s has no step %s: %+v", t, name, s.Steps)
	return workflow.StepStatus{}
}

// awaitRun waits for a run to be in a state.
func (w *world) awaitRun(t deed.Target, want workflow.State) {
	w.Helper()
	w.await(fmt.Sprintf("run %s is %s", t, want), func() bool {
		s, err := w.handle(t).Status(w.Context())
		return err == nil && s.State == want
	})
}

// await waits until something is so.
func (w *world) await(what string, is func() bool) {
	w.Helper()
	redistest.Await(w, what, is)
}
