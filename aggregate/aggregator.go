package aggregate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/gather"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// name is that of the background in which an aggregator runs.
const name = "aggregate"

// An Aggregator has batches of groups run by the handlers that it is given. It runs
// beside a server's tasks ([Aggregator.Register]) or by itself ([Aggregator.Runner]), in
// as many processes as may be: they share the work.
//
// Its methods must not be called once it runs.
type Aggregator struct {
	handled []handled
}

// A handled is what was given in one call of Handle.
type handled struct {
	queue, prefix string
	rule          Rule
	handler       Handler
}

// New returns an aggregator that has no handlers yet.
func New() *Aggregator { return new(Aggregator) }

// Handle has h run the batches of those groups of a queue whose names begin with prefix,
// when r says so. With an empty prefix these are all; the longest that fits wins, as in a
// [task.Mux].
//
// What is wrong with it is told by Register or Runner, all at once.
func (a *Aggregator) Handle(queue, prefix string, r Rule, h Handler) {
	a.handled = append(a.handled, handled{queue, prefix, r, h})
}

// Register has the servers that serve mux run the aggregator beside the tasks. They must
// serve its queues, and refuse to start if they do not. The policies, limits, client and
// observer are those of the server, and so are its LeaseDuration and ShutdownTimeout.
//
// It returns a [task.InvalidError] for each thing that is wrong, all joined, and changes
// nothing then. A mux has one aggregator.
func (a *Aggregator) Register(mux *task.Mux) error {
	err := a.check()
	switch {
	case mux == nil:
		err = errors.Join(err, task.Invalid("mux", nil, "must not be nil"))
	case mux.Backgrounds()[name] != nil:
		err = errors.Join(err, task.Invalid("mux", name, "has an aggregator already"))
	}
	if err != nil {
		return fmt.Errorf("register aggregator: %w", err)
	}
	for queue := range a.patterns() {
		mux.Need(queue)
	}
	mux.Background(name, a.work)
	return nil
}

// Runner returns what runs the aggregator by itself, as cfg has it of a server; no tasks
// are run. Of cfg.Queues its own queues must be part; nil: these. What time makes due in
// them, as tasks that are to join a group later, is seen to.
//
// It returns a [task.InvalidError] for each thing that is wrong, all joined.
func (a *Aggregator) Runner(b broker.Broker, cfg queue.Config) (queue.Runner, error) {
	err := a.check()
	if len(cfg.Queues) == 0 {
		cfg.Queues = make(map[string]int)
		for queue := range a.patterns() {
			cfg.Queues[queue] = 1
		}
	}
	for queue := range a.patterns() {
		if cfg.Queues[queue] <= 0 {
			err = errors.Join(err, task.Invalid("Config.Queues", queue, "is missing, and has a handler"))
		}
	}
	var background *queue.Background
	if err == nil {
		background, err = queue.NewBackground(b, cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("aggregator: %w", err)
	}
	return queue.RunnerFunc(func(ctx context.Context) error { return background.Run(ctx, name, a.work) }), nil
}

// patterns returns what is handled, by queue and prefix.
func (a *Aggregator) patterns() map[string]map[string]handled {
	all := make(map[string]map[string]handled)
	for _, h := range a.handled {
		if all[h.queue] == nil {
			all[h.queue] = make(map[string]handled)
		}
		all[h.queue][h.prefix] = h
	}
	return all
}

// check returns all that is wrong with what was given to Handle.
func (a *Aggregator) check() error {
	if len(a.handled) == 0 {
		return task.Invalid("Aggregator", nil, "has no handlers")
	}
	var faults []error
	seen := make(map[[2]string]bool)
	for _, h := range a.handled {
		err := errors.Join(task.CheckMadeName("queue", h.queue), h.rule.check())
		if h.prefix != "" {
			err = errors.Join(err, task.CheckMadeName("prefix", h.prefix))
		}
		if h.handler.isNil() {
			err = errors.Join(err, task.Invalid("handler", nil, "must not be nil"))
		}
		if key := [2]string{h.queue, h.prefix}; seen[key] {
			err = errors.Join(err, task.Invalid("prefix", h.prefix, "has a handler already"))
		} else {
			seen[key] = true
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("groups %q of queue %q: %w", h.prefix, h.queue, err))
		}
	}
	return errors.Join(faults...)
}

// work runs the aggregator in the background that has ctx, until that ends.
func (a *Aggregator) work(ctx context.Context) error {
	server, ok := queue.BackgroundFromContext(ctx)
	if !ok {
		return errors.New("aggregate: not in the background of a server")
	}
	w := &gather.Watcher{
		Broker: server.Broker(), Queues: make(map[string]func(string) *gather.Rule),
		Lease: server.Config().LeaseDuration, Patience: server.Patience(), Lost: queue.ErrLeaseLost, Stopped: queue.ErrShutdown,
		Unfit: server.Unfit, Parked: server.Parked, Log: server.Config().Logger,
	}
	for queue, patterns := range a.patterns() {
		w.Queues[queue] = ruling(server, patterns)
	}
	return w.Run(ctx)
}

// ruling returns what says by which of the patterns of a queue a group goes.
func ruling(server *queue.Background, patterns map[string]handled) func(group string) *gather.Rule {
	rules := make(map[string]*gather.Rule, len(patterns))
	for prefix, h := range patterns {
		rules[prefix] = h.gathered(server)
	}
	longest := slices.SortedFunc(maps.Keys(rules), func(a, b string) int { return len(b) - len(a) })
	return func(group string) *gather.Rule {
		for _, prefix := range longest {
			if strings.HasPrefix(group, prefix) {
				return rules[prefix]
			}
		}
		return nil
	}
}

// gathered returns the rule by which batches for h are gathered.
func (h handled) gathered(server *queue.Background) *gather.Rule {
	r := h.rule.withDefaults()
	return &gather.Rule{
		Grace: r.Grace, MaxDelay: r.MaxDelay, MaxSize: r.MaxSize, MaxBytes: r.MaxBytes, Parallel: r.Parallel,
		Run: func(ctx context.Context, leased *gather.Batch) {
			b := newBatch(ctx, server, h, leased)
			b.run(ctx)
		},
	}
}
