package aggregate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

var (
	errFault = fmt.Errorf("%w: on the way there", broker.ErrRefused)
	errLost  = errors.New("on the way back")
	errSome  = errors.New("no luck")
)

// A bench is a broker, whose calls are counted, and what has run on it.
type bench struct {
	*testing.T
	b      broker.Broker // as the aggregator sees it
	client *queue.Client // to the storage itself
	began  time.Time
	cfg    queue.Config
	log    lockedBuffer

	mu     sync.Mutex
	calls  map[string]int
	fault  func(method string, n int) brokertest.Fault
	runs   []run
	events []queue.Event
}

// A run is one call of a handler.
type run struct {
	at    time.Duration // since the beginning
	group string
	tasks []string // payloads
}

// inBubble runs f on a bench of its own, in fake time.
func inBubble(t *testing.T, f func(*bench)) {
	t.Helper()
	inBubbleOn(t, func() broker.Broker { return brokertest.NewModel() }, f)
}

func inBubbleOn(t *testing.T, open func() broker.Broker, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newBench(t, open())) })
}

func newBench(t *testing.T, b broker.Broker) *bench {
	x := &bench{T: t, client: queue.NewClient(b), began: time.Now(), calls: make(map[string]int)}
	x.b = brokertest.Faulty(b, func(_ int, method string) brokertest.Fault {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.calls[method]++
		if x.fault == nil {
			return brokertest.Fault{}
		}
		return x.fault(method, x.calls[method])
	})
	x.cfg = queue.Config{
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return 10 * time.Second },
		Logger:         slog.New(slog.NewTextHandler(&x.log, nil)),
		Observer: func(_ context.Context, e queue.Event) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.events = append(x.events, e)
		},
	}
	return x
}

// start runs agg by itself until the function that it returns is called, or the test
// ends.
func (x *bench) start(agg *aggregate.Aggregator) (stop func()) {
	x.Helper()
	runner, err := agg.Runner(x.b, x.cfg)
	if err != nil {
		x.Fatalf("Runner() = %v, want nil", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	over.Go(func() {
		if err := runner.Run(ctx); err != nil {
			x.Errorf("Run() = %v, want nil", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); over.Wait() })
	x.Cleanup(stop)
	return stop
}

// handle starts an aggregator with one handler, for all groups of the default queue.
func (x *bench) handle(r aggregate.Rule, h aggregate.Handler) (stop func()) {
	x.Helper()
	agg := aggregate.New()
	agg.Handle("default", "", r, h)
	return x.start(agg)
}

// add enqueues tasks with the payloads as their ids, into a group.
func (x *bench) add(group string, payloads ...string) {
	x.Helper()
	x.addWith(group, payloads)
}

func (x *bench) addWith(group string, payloads []string, options ...task.Option) {
	x.Helper()
	var ts []*task.Task
	for _, p := range payloads {
		ts = append(ts, task.New("member", []byte(p), append([]task.Option{task.ID(p), task.Group(group)}, options...)...))
	}
	for _, e := range x.client.EnqueueMany(x.Context(), ts) {
		if e.Err != nil {
			x.Fatalf("EnqueueMany() = %v, want nil", e.Err)
		}
	}
}

// names returns n names that begin with prefix.
func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%05d", prefix, i)
	}
	return all
}

// note notes a call of a handler.
func (x *bench) note(group string, tasks []*task.Task) {
	r := run{at: time.Since(x.began), group: group}
	for _, t := range tasks {
		r.tasks = append(r.tasks, string(t.Payload()))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.runs = append(x.runs, r)
}

// joined returns a handler that notes its calls and folds into a task of all payloads.
func (x *bench) joined() aggregate.Handler {
	return aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
		x.note(group, tasks)
		return folded(tasks), nil
	})
}

func folded(tasks []*task.Task) *task.Task {
	var all []string
	for _, t := range tasks {
		all = append(all, string(t.Payload()))
	}
	return task.New("folded", []byte(strings.Join(all, ",")))
}

// pass lets d pass, and what happens at its end happen.
func (x *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// called returns what the handlers were called for so far.
func (x *bench) called() []run {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.runs)
}

// counted returns how many calls of the broker there were, but for those of some methods.
func (x *bench) counted(except ...string) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for method, of := range x.calls {
		if !slices.Contains(except, method) {
			n += of
		}
	}
	return n
}

func (x *bench) seen(kind queue.EventKind) []queue.Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(x.events), func(e queue.Event) bool { return e.Kind != kind })
}

// get returns the entry default/id.
func (x *bench) get(id string) broker.Stored {
	x.Helper()
	s, err := x.client.Broker().Entry(x.Context(), broker.EntryRef{Queue: "default", ID: id})
	if err != nil {
		x.Fatalf("Entry(%s) = %v, want nil", id, err)
	}
	return s
}

// in returns the entries of the default queue that are in a state.
func (x *bench) in(state task.State) []broker.Stored {
	x.Helper()
	found, err := x.client.Broker().List(x.Context(), broker.ListRequest{Queue: "default", State: state, Limit: 1 << 20})
	if err != nil {
		x.Fatalf("List(%s) = %v, want nil", state, err)
	}
	return found
}

// payloads returns what the folded tasks hold, sorted.
func (x *bench) payloads() (all []string) {
	for _, s := range x.in(task.Pending) {
		if s.Type == "folded" {
			all = append(all, strings.Split(string(s.Payload), ",")...)
		}
	}
	slices.Sort(all)
	return all
}

// verify has the storage checked.
func (x *bench) verify() {
	x.Helper()
	v, ok := x.client.Broker().(broker.Verifier)
	if !ok {
		x.Fatalf("%T cannot be verified", x.client.Broker())
	}
	faults, err := v.Verify(x.Context(), time.Now())
	if err != nil || len(faults) > 0 {
		x.Errorf("Verify() = %q, %v, want nothing", faults, err)
	}
}

// A lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}
