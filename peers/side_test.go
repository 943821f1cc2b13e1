package peers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A side is one of the two systems, in words that both have.
type side struct {
	name    string
	enqueue func(*bench, spec) error
	serve   func(x *bench, queue string, h handler) (stop func())
}

var (
	leat  = side{"leat", enqueueLeat, serveLeat}
	peer  = side{"asynq", enqueueAsynq, serveAsynq}
	sides = []side{leat, peer}
)

// betweenSides runs a parallel test with each system as the first that is at
// work, and each as the second.
func betweenSides(t *testing.T, test func(x *bench, first, second side)) {
	t.Parallel()
	for _, first := range sides {
		for _, second := range sides {
			t.Run(first.name+" to "+second.name, func(t *testing.T) {
				t.Parallel()
				test(newBench(t), first, second)
			})
		}
	}
}

// A spec is a task and its options, the zero value of each being none.
type spec struct {
	ID        string
	Type      string
	Payload   []byte
	Headers   map[string]string
	MaxRetry  *int
	Queue     string
	Timeout   time.Duration
	Deadline  time.Time
	Unique    time.Duration
	ProcessAt time.Time
	ProcessIn time.Duration
	Retention time.Duration
	Group     string
}

// A run is what a handler learns of its task.
type run struct {
	ID, Queue string
	Type      string
	Payload   string
	Headers   map[string]string
	Retried   int
	MaxRetry  int
	Deadline  time.Time
	write     func([]byte) (int, error)
}

type handler func(context.Context, run) error

var (
	errDuplicate = errors.New("another such task exists")
	errConflict  = errors.New("the id is taken")
)

func enqueueLeat(x *bench, s spec) error {
	_, err := x.client.Enqueue(x.Context(), task.New(s.Type, s.Payload), s.leat()...)
	return sameError(err, queue.ErrDuplicateTask, queue.ErrTaskIDConflict)
}

func enqueueAsynq(x *bench, s spec) error {
	_, err := x.theirs.Enqueue(asynq.NewTaskWithHeaders(s.Type, s.Payload, s.Headers), s.asynq()...)
	return sameError(err, asynq.ErrDuplicateTask, asynq.ErrTaskIDConflict)
}

// sameError returns err, or the word that both sides have for it here.
func sameError(err, duplicate, conflict error) error {
	switch {
	case errors.Is(err, duplicate):
		return errDuplicate
	case errors.Is(err, conflict):
		return errConflict
	}
	return err
}

func (s spec) leat() (options []task.Option) {
	add := func(set bool, o task.Option) {
		if set {
			options = append(options, o)
		}
	}
	for key, value := range s.Headers {
		add(true, task.Header(key, value))
	}
	if s.MaxRetry != nil {
		add(true, task.MaxRetry(*s.MaxRetry))
	}
	add(s.ID != "", task.ID(s.ID))
	add(s.Queue != "", task.Queue(s.Queue))
	add(s.Timeout != 0, task.Timeout(s.Timeout))
	add(!s.Deadline.IsZero(), task.Deadline(s.Deadline))
	add(s.Unique != 0, task.Unique(s.Unique))
	add(!s.ProcessAt.IsZero(), task.ProcessAt(s.ProcessAt))
	add(s.ProcessIn != 0, task.ProcessIn(s.ProcessIn))
	add(s.Retention != 0, task.Retention(s.Retention))
	add(s.Group != "", task.Group(s.Group))
	return options
}

func (s spec) asynq() (options []asynq.Option) {
	add := func(set bool, o asynq.Option) {
		if set {
			options = append(options, o)
		}
	}
	if s.MaxRetry != nil {
		add(true, asynq.MaxRetry(*s.MaxRetry))
	}
	add(s.ID != "", asynq.TaskID(s.ID))
	add(s.Queue != "", asynq.Queue(s.Queue))
	add(s.Timeout != 0, asynq.Timeout(s.Timeout))
	add(!s.Deadline.IsZero(), asynq.Deadline(s.Deadline))
	add(s.Unique != 0, asynq.Unique(s.Unique))
	add(!s.ProcessAt.IsZero(), asynq.ProcessAt(s.ProcessAt))
	add(s.ProcessIn != 0, asynq.ProcessIn(s.ProcessIn))
	add(s.Retention != 0, asynq.Retention(s.Retention))
	add(s.Group != "", asynq.Group(s.Group))
	return options
}

// How both sides serve: with as many slots, and soon.
const (
	slots           = 8
	retryDelay      = time.Second
	shutdownTimeout = 500 * time.Millisecond
)

var (
	errAsked = errors.New("as it was asked to")
	errLater = fmt.Errorf("%w, but not soon", errAsked)
)

// delay is how long a task waits that failed with err.
func delay(err error) time.Duration {
	if errors.Is(err, errLater) || errors.Is(err, context.Canceled) {
		return time.Hour
	}
	return retryDelay
}

func leatConfig(queueName string) queue.Config {
	return queue.Config{
		Concurrency:     slots,
		Queues:          map[string]int{queueName: 1},
		PollInterval:    20 * time.Millisecond,
		RetryDelayFunc:  func(_ int, err error, _ *task.Task) time.Duration { return delay(err) },
		ShutdownTimeout: shutdownTimeout,
		Logger:          quiet,
	}
}

func asynqConfig(queueName string) asynq.Config {
	return asynq.Config{
		ShutdownTimeout:          shutdownTimeout,
		Concurrency:              slots,
		Queues:                   map[string]int{queueName: 1},
		TaskCheckInterval:        20 * time.Millisecond,
		DelayedTaskCheckInterval: 50 * time.Millisecond,
		JanitorInterval:          50 * time.Millisecond,
		RetryDelayFunc:           func(_ int, err error, _ *asynq.Task) time.Duration { return delay(err) },
		Logger:                   quietAsynq{},
		LogLevel:                 asynq.FatalLevel,
	}
}

func serveLeat(x *bench, name string, h handler) (stop func()) {
	x.Helper()
	return startLeat(x, leatConfig(name), h)
}

func startLeat(x *bench, cfg queue.Config, h handler) (stop func()) {
	x.Helper()
	srv, err := queue.NewServer(x.broker, cfg)
	if err != nil {
		x.Fatal(err)
	}
	if err := srv.Start(task.HandlerFunc(h.leat)); err != nil {
		x.Fatal(err)
	}
	return once(x, func() { x.must(srv.Shutdown(context.Background())) })
}

func serveAsynq(x *bench, name string, h handler) (stop func()) {
	x.Helper()
	return startAsynq(x, asynqConfig(name), h)
}

func startAsynq(x *bench, cfg asynq.Config, h handler) (stop func()) {
	x.Helper()
	srv := asynq.NewServer(x.peer, cfg)
	if err := srv.Start(asynq.HandlerFunc(h.asynq)); err != nil {
		x.Fatal(err)
	}
	return once(x, srv.Shutdown)
}

// once returns stop, to be called once or, failing that, when the test ends.
func once(x *bench, stop func()) func() {
	stopped := false
	stopOnce := func() {
		if !stopped {
			stopped = true
			stop()
		}
	}
	x.Cleanup(stopOnce)
	return stopOnce
}

func (h handler) leat(ctx context.Context, t *task.Task) error {
	r := run{Type: t.Type(), Payload: string(t.Payload()), Headers: t.Headers(), write: t.ResultWriter().Write}
	r.ID, _ = task.GetID(ctx)
	r.Queue, _ = task.GetQueue(ctx)
	r.Retried, _ = task.GetRetryCount(ctx)
	r.MaxRetry, _ = task.GetMaxRetry(ctx)
	r.Deadline, _ = ctx.Deadline()
	return h(ctx, r)
}

func (h handler) asynq(ctx context.Context, t *asynq.Task) error {
	r := run{Type: t.Type(), Payload: string(t.Payload()), write: t.ResultWriter().Write}
	if len(t.Headers()) > 0 {
		r.Headers = maps.Clone(t.Headers())
	}
	r.ID, _ = asynq.GetTaskID(ctx)
	r.Queue, _ = asynq.GetQueueName(ctx)
	r.Retried, _ = asynq.GetRetryCount(ctx)
	r.MaxRetry, _ = asynq.GetMaxRetry(ctx)
	r.Deadline, _ = ctx.Deadline()
	return h(ctx, r)
}
