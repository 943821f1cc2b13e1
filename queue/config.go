package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/leatwork/leat/task"
)

// A Config says how a [Server] works. The zero value is ready to use; the
// comment of each field names its default. Negative durations and sizes are
// refused by [NewServer], all faults at once, each as a [task.InvalidError].
type Config struct {
	// Concurrency is how many tasks are run at once. 0 or less: as many as
	// GOMAXPROCS, which is the number of CPUs that the process may use. It is
	// at most 1048576 (1 << 20).
	Concurrency int

	// Queues maps the queues to serve to their priorities: while all of them
	// hold tasks, a queue with 6 gets twice the share of one with 3. A queue
	// whose priority is 0 or less is left out, which is logged. nil, empty, or
	// if all are left out: only "default".
	Queues map[string]int

	// StrictPriority has a queue served only while all with a higher priority
	// are empty.
	StrictPriority bool

	// BaseContext returns the context that a task's context is made from. It
	// is called at least once for each task and must return at once. When it
	// returns one that has ended, the server takes no tasks; those whose
	// contexts end in this way are given back, as in a shutdown. nil:
	// context.Background, which is also used where it does not return, or
	// returns nil; that is logged.
	BaseContext func() context.Context

	// RetryDelayFunc says how long a failed task waits. nil:
	// task.DefaultRetryPolicy, which is also used where it does not return, or
	// returns less than nothing.
	RetryDelayFunc task.RetryPolicy

	// IsFailure reports whether a handler's error counts as a failure. If not,
	// the task is retried at the cost of no attempt, as long as it has one
	// left. nil, or if it does not return: every error counts.
	IsFailure func(error) bool

	// MaxCrashes is how many workers may be lost with a task, one after another,
	// before it is archived as poison, unless the task says otherwise
	// ([task.MaxCrashes]). 0: 3. Negative: as many as there are.
	MaxCrashes int

	// ByType says what holds for the tasks whose type begins with the key, in
	// place of RetryDelayFunc, IsFailure and MaxCrashes. The longest key wins.
	ByType map[string]TypeConfig

	// OnExhausted is called with each task that is archived because it has used
	// up its retries, or its handler wants none of them, or it is poison, and
	// with the last error. What it returns is enqueued, by Client, in the very
	// commit that archives the task: if the process ends before, it is called
	// again by whoever runs the task then. A task that cannot be enqueued is
	// logged and left out. nil: nothing is called.
	OnExhausted func(ctx context.Context, info *task.Info, err error) []*task.Task

	// Client is what [Then] and OnExhausted enqueue with: its defaults, limits,
	// middleware and observer. nil: one that has none of these.
	Client *Client

	// Archive is how many archived tasks are kept of the server's queues. What is
	// deleted is counted and logged.
	Archive ArchiveLimits

	// ErrorHandler is called with every error that makes a task fail or that
	// its handler returned, [task.Snooze] excepted, before the outcome is
	// recorded, with the context and the task that the handler had. It is not
	// called for a task that is given back, cancelled, expired or poison, or whose
	// lease is lost. nil: nothing is called.
	ErrorHandler func(ctx context.Context, t *task.Task, err error)

	// ShutdownTimeout is how long a server that shuts down waits for its
	// handlers before it ends their contexts. 0: 8 seconds.
	ShutdownTimeout time.Duration

	// HealthCheckFunc is called every HealthCheckInterval (0: 15 seconds) with
	// nil, or with the error of a ping to the storage. nil: no pings.
	HealthCheckFunc     func(error)
	HealthCheckInterval time.Duration

	// LeaseDuration is how long a task of a server that died stays its own.
	// It is at least 1 second. 0: 10 seconds.
	LeaseDuration time.Duration

	// PollInterval is how long an idle server waits before it looks for tasks
	// again, half of it more or less at random. If the broker wakes it
	// ([github.com/leatwork/leat/queue/broker.Waker]), it looks only for what nobody announces, such as the tasks
	// of asynq's clients, and waits ten times as long unless it has found some in
	// the last ten minutes. 0: 500 milliseconds.
	PollInterval time.Duration

	// NoHistory has the server write nothing into the history of figures that the
	// storage keeps, by the minute and by the hour, for charts. Writing it takes up to
	// four calls to the storage a minute in which the server has done anything, none
	// otherwise.
	NoHistory bool

	// MaxResult is how many bytes a handler may write as the result of its
	// task. 0: 1 MiB.
	MaxResult int

	// Logger gets what an operator should know; what is about a task names it, as by
	// [task.LogHandler]. nil: slog.Default().
	Logger *slog.Logger

	// Observer is told what happens to the tasks. nil: nobody is.
	Observer Observer

	// Tracer makes spans of what the server does, and of what its own Client enqueues
	// if none is given. nil: nobody does.
	Tracer Tracer
}

// What a server does where its Config is silent.
const (
	defaultShutdownTimeout     = 8 * time.Second
	defaultHealthCheckInterval = 15 * time.Second
	defaultLeaseDuration       = 10 * time.Second
	defaultPollInterval        = 500 * time.Millisecond
	defaultMaxResult           = 1 << 20
)

// maxConcurrency is far more than a process can use, and as much as a record of
// the server and a channel of that length bear.
const maxConcurrency = 1 << 20

// noCallbacks is a Config that calls no function of the user.
var noCallbacks = Config{
	Logger:         slog.New(slog.DiscardHandler),
	RetryDelayFunc: task.DefaultRetryPolicy,
	IsFailure:      isAny,
}

func isAny(error) bool { return true }

// withDefaults returns c with every default filled in, or what is wrong with c.
func (c Config) withDefaults() (Config, error) {
	if err := c.check(); err != nil {
		return Config{}, err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = slog.New(task.LogHandler(c.Logger.Handler()))
	if c.Concurrency <= 0 {
		c.Concurrency = runtime.GOMAXPROCS(0)
	}
	if c.RetryDelayFunc == nil {
		c.RetryDelayFunc = task.DefaultRetryPolicy
	}
	if c.IsFailure == nil {
		c.IsFailure = isAny
	}
	c.Queues = c.served()
	setDefault(&c.MaxCrashes, defaultMaxCrashes)
	setDefault(&c.ShutdownTimeout, defaultShutdownTimeout)
	setDefault(&c.HealthCheckInterval, defaultHealthCheckInterval)
	setDefault(&c.LeaseDuration, defaultLeaseDuration)
	setDefault(&c.PollInterval, defaultPollInterval)
	setDefault(&c.MaxResult, defaultMaxResult)
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// served returns the queues that have a priority.
func (c Config) served() map[string]int {
	queues := make(map[string]int, len(c.Queues))
	for _, name := range slices.Sorted(maps.Keys(c.Queues)) {
		if priority := c.Queues[name]; priority > 0 {
			queues[name] = priority
		} else {
			c.Logger.Warn("queue is not served: its priority is not positive", "queue", name, "priority", priority)
		}
	}
	if len(queues) == 0 {
		queues[task.DefaultQueue] = 1
	}
	return queues
}

func (c Config) check() error {
	var faults []error
	refuse := func(field string, value any, reason string) {
		faults = append(faults, task.Invalid(field, value, reason))
	}
	if c.Concurrency > maxConcurrency {
		refuse("Config.Concurrency", c.Concurrency, fmt.Sprintf("must be at most %d", maxConcurrency))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Queues)) {
		if err := task.CheckName("Config.Queues", name); err != nil {
			faults = append(faults, err)
		}
		if p := c.Queues[name]; p > math.MaxInt32 {
			refuse("Config.Queues", p, "must be at most 2147483647")
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(c.ByType)) {
		if err := task.CheckMadeName("Config.ByType", prefix); err != nil {
			faults = append(faults, err)
		}
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"Config.ShutdownTimeout", c.ShutdownTimeout},
		{"Config.HealthCheckInterval", c.HealthCheckInterval},
		{"Config.LeaseDuration", c.LeaseDuration},
		{"Config.PollInterval", c.PollInterval},
	} {
		if d.value < 0 {
			refuse(d.field, d.value, "must not be negative")
		}
	}
	if c.LeaseDuration > 0 && c.LeaseDuration < time.Second {
		refuse("Config.LeaseDuration", c.LeaseDuration, "must be at least 1s")
	}
	if c.MaxResult < 0 {
		refuse("Config.MaxResult", c.MaxResult, "must not be negative")
	}
	return errors.Join(faults...)
}
