package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// enqueueFlags are what a task is to be, as flags say it. What is not said is left to
// the library.
type enqueueFlags struct {
	kind       string
	payload    payloadFlags
	queue, id  string
	group      string
	headers    []string
	retry      int
	maxCrashes int

	timeout, retention, processIn, unique, uniqueFor time.Duration
	deadline, startBy, processAt                     string
	uniqueKey, onConflict                            string
	untilDone, untilStart                            bool
}

func (a *app) taskEnqueueCommand() *cobra.Command {
	var f enqueueFlags
	var from string
	var wait bool
	c := &cobra.Command{
		Use:   "enqueue (--type-name TYPE | --from FILE)",
		Short: "Enqueue a task, or many from a file",
		Long: "Enqueue a task, or, with --from, one for each line of a file. A line is an object as\n" +
			"\"leat task ls -o jsonl\" writes it, of which \"type\" is needed; what became of it, and what\n" +
			"it was unique by, is not kept. What flags say holds for all lines, whatever these say.",
		Example: "leat task enqueue -t email:welcome -l '{\"user\":7}' --queue mail --process-in 5m\nleat task enqueue -t report --payload-file report.json --wait\nleat task ls state:archived -o jsonl --scan 0 | leat task enqueue --from -",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			options, err := f.options(c)
			if err != nil {
				return err
			}
			if from != "" {
				return a.enqueueFrom(c.Context(), from, f.kind, options)
			}
			return a.enqueueOne(c.Context(), &f, options, wait)
		},
	}
	f.flags(c)
	c.Flags().StringVar(&from, "from", "", "a file with a task a line; - is the standard input")
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is done, and write its result")
	c.MarkFlagsOneRequired("type-name", "from")
	c.MarkFlagsMutuallyExclusive("from", "wait")
	for _, name := range []string{"id", "payload", "payload-file"} {
		c.MarkFlagsMutuallyExclusive("from", name)
	}
	return c
}

func (f *enqueueFlags) flags(c *cobra.Command) {
	f.payload.flags(c)
	flags := c.Flags()
	flags.StringVarP(&f.kind, "type-name", "t", "", "what is to be done: the type of the task")
	flags.StringVarP(&f.queue, "queue", "q", "", "the queue (default: "+task.DefaultQueue+")")
	flags.StringVarP(&f.id, "id", "i", "", "its id (default: a new one)")
	flags.StringVarP(&f.group, "group", "g", "", "the group in which it waits to be folded with others")
	flags.StringArrayVar(&f.headers, "header", nil, "a header, as KEY=VALUE; may be given several times")
	flags.IntVar(&f.retry, "retry", task.DefaultMaxRetry, "how many retries it has")
	flags.IntVar(&f.maxCrashes, "max-crashes", 0, "how often its worker may be lost, one time after another")
	flags.DurationVar(&f.timeout, "timeout", task.DefaultTimeout, "how long an attempt may take; 0: as long as it takes")
	flags.StringVar(&f.deadline, "deadline", "", "when it must be done, as 2030-01-31T08:00:00Z")
	flags.StringVar(&f.startBy, "start-by", "", "when it is too late to begin")
	flags.StringVar(&f.processAt, "process-at", "", "when it is to be run")
	flags.DurationVar(&f.processIn, "process-in", 0, "in how long it is to be run")
	flags.DurationVar(&f.retention, "retention", 0, "how long it is kept once it is done")
	flags.DurationVar(&f.unique, "unique", 0, "refuse another one like it for so long")
	flags.DurationVar(&f.uniqueFor, "unique-for", 0, "refuse another one like it until it has ended, and at least for so long")
	flags.BoolVar(&f.untilDone, "unique-until-done", false, "refuse another one like it until it has ended")
	flags.BoolVar(&f.untilStart, "unique-until-start", false, "refuse another one like it until a worker begins with it")
	flags.StringVar(&f.uniqueKey, "unique-key", "", "what it is the only one with (default: type and payload)")
	flags.StringVar(&f.onConflict, "on-conflict", "", "what becomes of one that is refused: reject, ignore or replace")
	c.MarkFlagsMutuallyExclusive("process-at", "process-in")
	c.MarkFlagsMutuallyExclusive("unique", "unique-for", "unique-until-done", "unique-until-start")
}

// options returns what was said.
func (f *enqueueFlags) options(c *cobra.Command) (options []task.Option, err error) {
	var faults []error
	timeOption := func(text string, option func(time.Time) task.Option) func(string) task.Option {
		return func(flag string) task.Option {
			at, err := parseTime("--"+flag, text)
			faults = append(faults, err)
			return option(at)
		}
	}
	just := func(o task.Option) func(string) task.Option { return func(string) task.Option { return o } }
	for _, o := range []struct {
		flag   string
		option func(flag string) task.Option
	}{
		{"queue", just(task.Queue(f.queue))},
		{"id", just(task.ID(f.id))},
		{"group", just(task.Group(f.group))},
		{"retry", just(task.MaxRetry(f.retry))},
		{"max-crashes", just(task.MaxCrashes(f.maxCrashes))},
		{"timeout", just(timeoutOption(f.timeout))},
		{"deadline", timeOption(f.deadline, task.Deadline)},
		{"start-by", timeOption(f.startBy, task.StartBy)},
		{"process-at", timeOption(f.processAt, task.ProcessAt)},
		{"process-in", just(task.ProcessIn(f.processIn))},
		{"retention", just(task.Retention(f.retention))},
		{"unique", just(task.Unique(f.unique))},
		{"unique-for", just(task.UniqueFor(f.uniqueFor))},
		{"unique-until-done", just(task.UniqueUntilDone())},
		{"unique-until-start", just(task.UniqueUntilStart())},
		{"unique-key", just(task.UniqueKey(f.uniqueKey))},
	} {
		if c.Flags().Changed(o.flag) {
			options = append(options, o.option(o.flag))
		}
	}
	for _, h := range f.headers {
		key, value, ok := strings.Cut(h, "=")
		if !ok {
			faults = append(faults, task.Invalid("--header", h, "is not KEY=VALUE"))
		}
		options = append(options, task.Header(key, value))
	}
	if f.onConflict != "" {
		conflict, err := parseConflict(f.onConflict)
		faults = append(faults, err)
		options = append(options, task.OnConflict(conflict))
	}
	return options, errors.Join(faults...)
}

func timeoutOption(d time.Duration) task.Option {
	if d == 0 {
		return task.NoTimeout()
	}
	return task.Timeout(d)
}

func parseConflict(word string) (task.Conflict, error) {
	for _, c := range []task.Conflict{task.Reject, task.Ignore, task.Replace} {
		if c.String() == word {
			return c, nil
		}
	}
	return 0, task.Invalid("--on-conflict", word, "is not reject, ignore or replace")
}

// client opens the storage for somebody who enqueues.
func (a *app) client(ctx context.Context) (*queue.Client, error) {
	b, err := a.create(ctx)
	if err != nil {
		return nil, err
	}
	return queue.NewClient(b), nil
}

func (a *app) enqueueOne(ctx context.Context, f *enqueueFlags, options []task.Option, wait bool) error {
	payload, err := f.payload.read(a.in)
	if err != nil {
		return err
	}
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	if wait { // unless the user says how long, there must be a result to be found
		options = append([]task.Option{task.Retention(time.Minute)}, options...)
	}
	info, err := c.Enqueue(ctx, task.New(f.kind, payload), options...)
	if err != nil {
		return err
	}
	if wait {
		if info, err = c.Wait(ctx, info); err != nil {
			return err
		}
		if a.Format.ForPeople() {
			_, err := a.Out.Write(info.Result)
			return err
		}
	}
	if a.Format.ForPeople() {
		return a.Done("task %s is enqueued: %s", plain.Name(info.Queue+"/"+info.ID), stateOf(info))
	}
	record := taskRecord()
	record.ID = func(t view.Task) string { return t.ID }
	if f.queue == "" {
		record.ID = taskName
	}
	return output.One(&a.Printer, record, view.TaskOf(info))
}

func stateOf(info *task.Info) string {
	if at := info.NextProcessAt; info.State == task.Scheduled {
		return fmt.Sprintf("%s, at %s", info.State, quantity.Time(at))
	}
	return info.State.String()
}
