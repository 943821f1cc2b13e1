package queuetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
)

// A Recorder is a client whose queue lies in memory, and which remembers what was
// enqueued. Its methods may be called from several goroutines.
type Recorder struct {
	// Client enqueues into the recorder's queue. Other clients and servers may be
	// made of its [queue.Client.Broker]; what they enqueue is remembered, too.
	*queue.Client

	broker *recording
}

// NewRecorder returns a recorder whose queue is empty.
func NewRecorder() *Recorder {
	b := &recording{Model: model.New(model.Options{})}
	return &Recorder{Client: queue.NewClient(b), broker: b}
}

// Inspector returns an inspector of the recorder's queue.
func (r *Recorder) Inspector() *queue.Inspector { return queue.NewInspector(r.broker) }

// A Filter takes some of the tasks that were enqueued. Any function may be one.
type Filter func(*task.Info) bool

// OfType takes the tasks whose type begins with prefix.
func OfType(prefix string) Filter {
	return func(i *task.Info) bool { return strings.HasPrefix(i.Type, prefix) }
}

// InQueue takes the tasks of one queue.
func InQueue(name string) Filter { return func(i *task.Info) bool { return i.Queue == name } }

// Enqueued returns what is known of the tasks that were enqueued and that all of
// filters take, as they were then, the first one first. What takes the place of a
// task that waits, as [task.Debounce] does it, is one more. Steps of a workflow are
// among them if they were enqueued by the commit that made them ready, and not if
// they were waited for together.
func (r *Recorder) Enqueued(filters ...Filter) []*task.Info {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	var taken []*task.Info
	for _, i := range r.broker.enqueued {
		if !slices.ContainsFunc(filters, func(f Filter) bool { return !f(i) }) {
			taken = append(taken, i)
		}
	}
	return taken
}

// A recording is a broker that remembers what is enqueued, and may have it run at
// once.
type recording struct {
	*model.Model

	mu       sync.Mutex
	enqueued []*task.Info
	inline   func(ctx context.Context) error // nil: nothing is run
	running  bool                            // inline is
	more     bool                            // something was enqueued meanwhile
}

// Direct implements [broker.Direct]: handlers that run inline enqueue, too.
func (b *recording) Direct() {}

// Apply implements [broker.Broker].
func (b *recording) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	applied, err := b.Model.Apply(ctx, now, changes, want)
	if err == nil && b.record(now, changes, applied.Outcomes) {
		err = b.runInline(context.WithoutCancel(ctx))
	}
	return applied, err
}

// record remembers what changes have enqueued, and reports whether the caller has
// to run it.
func (b *recording) record(now time.Time, changes []broker.Change, outcomes []error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.enqueued)
	for i, c := range changes {
		if outcomes[i] != nil {
			continue
		}
		for _, e := range c.Enqueue {
			b.enqueued = append(b.enqueued, enqueued(now, e))
		}
		for _, r := range c.Replace {
			b.enqueued = append(b.enqueued, enqueued(now, r.Entry))
		}
	}
	if b.inline == nil || len(b.enqueued) == before {
		return false
	}
	b.more = true
	begins := !b.running
	b.running = true
	return begins
}

// runInline runs what is ready until nobody has enqueued more meanwhile.
func (b *recording) runInline(ctx context.Context) (err error) {
	for {
		b.mu.Lock()
		run := b.inline
		if err != nil || !b.more || run == nil {
			b.running = false
			b.mu.Unlock()
			return err
		}
		b.more = false
		b.mu.Unlock()
		err = run(ctx)
	}
}

// enqueued returns what is known of e, which was enqueued at now.
func enqueued(now time.Time, e broker.Entry) *task.Info {
	s := broker.Stored{Entry: e, State: task.Pending}
	switch {
	case e.DueAt.After(now):
		s.State = task.Scheduled
	case e.Group != "":
		s.State = task.Aggregating
	}
	return queue.InfoOf(now, s)
}
