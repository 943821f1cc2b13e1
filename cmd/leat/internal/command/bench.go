package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// manyTasks is how many tasks a benchmark has at most that nobody has agreed to.
const manyTasks = 1_000_000

// benchCommand returns the benchmark of the storage that the user has.
func (a *app) benchCommand() *cobra.Command {
	b := benchmark{}
	agreed := false
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this storage is",
		Long: `Measure how fast this storage is: how many tasks it takes one by one and in
batches, how fast one server of this process runs them, how soon an idle server
begins a task, and how many steps of workflows it runs.

It is done in a queue of its own, which is removed at the end, also if it is
interrupted; but the storage and this machine are busy meanwhile, and others that
use them are slower. The figures are those of this machine, of the network between
the two, and of one process: more of them do more.`,
		Example: `  leat bench
  leat bench --broker sqlite:bench.db
  leat bench --tasks 100000 --concurrency 200 --payload 1024 --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.bench(c.Context(), b, agreed) },
	}
	c.Flags().IntVar(&b.Tasks, "tasks", 10_000, "how many tasks are enqueued and run")
	c.Flags().IntVar(&b.Concurrency, "concurrency", 100, "how many tasks the server runs at once")
	c.Flags().IntVar(&b.Payload, "payload", 35, "how many bytes a task carries")
	c.Flags().IntVar(&b.Batch, "batch", 1000, "how many tasks a batch has")
	c.Flags().BoolVarP(&agreed, "yes", "y", false, "also with more than a million tasks")
	return c
}

// check returns what makes no sense in b.
func (b benchmark) check(agreed bool) error {
	var faults []error
	for _, f := range []struct {
		flag             string
		value, min, most int
	}{
		{"--tasks", b.Tasks, 1, 1 << 30},
		{"--concurrency", b.Concurrency, 1, 1 << 20},
		{"--payload", b.Payload, 0, queue.DefaultMaxPayload},
		{"--batch", b.Batch, 1, 100_000},
	} {
		if f.value < f.min || f.value > f.most {
			faults = append(faults, task.Invalid(f.flag, strconv.Itoa(f.value), fmt.Sprintf("must be from %d to %d", f.min, f.most)))
		}
	}
	if b.Tasks > manyTasks && !agreed {
		faults = append(faults, task.Invalid("--tasks", strconv.Itoa(b.Tasks), "is more than a million: say --yes if the storage has room for them"))
	}
	return errors.Join(faults...)
}

// removal is how long it may take to remove what a benchmark has left.
const removal = 5 * time.Minute

// bench measures, removes the queue whatever has happened, and shows what was measured.
func (a *app) bench(ctx context.Context, b benchmark, agreed bool) (err error) {
	if err := b.check(agreed); err != nil {
		return err
	}
	if b.broker, err = a.create(ctx); err != nil {
		return err
	}
	b.Queue = "leat-bench-" + uuid.NewString()[:8]
	b.say = func(what string) {
		if a.Format.ForPeople() {
			_ = a.Note("%s …", what) // the figures come later, and do not depend on it
		}
	}
	figures, err := b.measure(ctx)
	b.say("removing queue " + b.Queue)
	if left := removeBench(ctx, b.broker, b.Queue); left != nil {
		err = errors.Join(err, fmt.Errorf("queue %s is left: %w", b.Queue, left))
	}
	if err != nil {
		return err
	}
	return output.One(&a.Printer, figuresRecord, figures)
}

// removeBench removes a benchmark's queue, if there is one, also after ctx has ended.
func removeBench(ctx context.Context, b broker.Broker, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removal)
	defer cancel()
	err := queue.NewInspector(b).RemoveQueue(ctx, name, true)
	if errors.Is(err, queue.ErrQueueNotFound) {
		return nil
	}
	return err
}

// figuresRecord says how figures are shown to people.
var figuresRecord = output.Record[figures]{
	ID: func(f figures) string { return f.Queue },
	Fields: []output.Field[figures]{
		{Name: "Storage", Text: func(f figures) string { return f.Storage }},
		{Name: "Tasks", Text: func(f figures) string {
			return fmt.Sprintf("%d of %d bytes, concurrency %d", f.Tasks, f.Payload, f.Concurrency)
		}},
		{Name: "Round trip", Text: func(f figures) string { return millis(f.RoundTrip) }},
		{Name: "Enqueue one by one", Text: func(f figures) string { return perSecond(f.OneByOne) }},
		{Name: "Enqueue in batches", Text: func(f figures) string {
			return perSecond(f.InBatches) + fmt.Sprintf(" (of %d)", f.Batch)
		}},
		{Name: "Run", Text: func(f figures) string { return perSecond(f.Run) }},
		{Name: "Pick-up of an idle server", Text: func(f figures) string {
			return fmt.Sprintf("p50 %s, p99 %s", millis(f.PickUpP50), millis(f.PickUpP99))
		}},
		{Name: "Steps of workflows", Text: func(f figures) string { return perSecond(f.Steps) }},
	},
}

// perSecond writes a rate with three digits that mean something.
func perSecond(rate float64) string {
	unit := 1.0
	for rate/unit >= 1000 {
		unit *= 10
	}
	return fmt.Sprintf("%.0f/s", float64(int(rate/unit+0.5))*unit)
}

// millis writes a time that is given in seconds.
func millis(seconds float64) string { return fmt.Sprintf("%.2f ms", 1000*seconds) }
