package deed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

var enqueueDeeds = []Deed{
	{
		Kind: Task, Name: "enqueue", Label: "Enqueue", Role: access.Operator, New: true,
		Help: "A new task is enqueued.",
		Params: slices.Concat(
			[]Param{{Name: "type", Label: "Type", Form: Text, Required: true, Help: "What is to be done."}},
			payloadParams("What its handler gets."), taskParams),
		do: func(ctx context.Context, c call) (Outcome, error) {
			payload, _, err := c.payload()
			return c.enqueue(ctx, c.text("type"), payload, nil, err)
		},
	}, {
		Kind: Task, Name: "clone", Label: "Clone", Role: access.Operator,
		Help: "A new task is enqueued that is like this one, in everything that is not said otherwise. It is run now, unless a time is said.",
		Params: slices.Concat(
			[]Param{{Name: "type", Label: "Type", Form: Text, Help: "Nothing: that of the task."}},
			payloadParams("Nothing: that of the task."), cloneParams),
		do: clone,
	},
}

// taskParams are what a task is to be beside its type and its payload. What is not said
// is left to the library.
var taskParams = []Param{
	{Name: "queue", Label: "Queue", Form: Text, Help: "Nothing: " + task.DefaultQueue + "."},
	{Name: "id", Label: "Id", Form: Text, Help: "Nothing: a new one."},
	{Name: "at", Label: "When", Form: Moment, Help: "A time such as 2030-01-31T08:00:00Z, a day, or a duration from now such as 2h. Nothing: now."},
	{Name: "group", Label: "Group", Form: Text, Help: "The group in which it waits to be folded with others."},
	{Name: "retry", Label: "Retries", Form: Number, Help: fmt.Sprintf("Nothing: %d.", task.DefaultMaxRetry)},
	{Name: "max_crashes", Label: "Crashes", Form: Number, Help: "How often its worker may be lost, one time after another."},
	{Name: "timeout", Label: "Timeout", Form: Duration, Help: "How long an attempt may take, such as 90s; 0: as long as it takes."},
	{Name: "deadline", Label: "Deadline", Form: Moment, Help: "When it must be done."},
	{Name: "start_by", Label: "Start by", Form: Moment, Help: "When it is too late to begin."},
	{Name: "retention", Label: "Retention", Form: Duration, Help: "How long it is kept once it is done."},
	{Name: "headers", Label: "Headers", Form: Lines, Help: "KEY=VALUE, one a line."},
	{Name: "unique", Label: "Unique for", Form: Duration, Help: "Another one like it is refused for so long."},
	{Name: "unique_for", Label: "Unique until it has ended, and for", Form: Duration, Help: "Another one like it is refused until it has ended, and at least for so long."},
	{Name: "unique_until_done", Label: "Unique until it has ended", Form: Truth, Help: "Another one like it is refused until it has ended."},
	{Name: "unique_until_start", Label: "Unique until it begins", Form: Truth, Help: "Another one like it is refused until a worker begins with it."},
	{Name: "unique_key", Label: "Unique key", Form: Text, Help: "What it is the only one with. Nothing: type and payload."},
	{
		Name: "on_conflict", Label: "On conflict", Form: Choice, Help: "What becomes of one that is refused.",
		Choices: []string{task.Reject.String(), task.Ignore.String(), task.Replace.String()},
	},
}

// cloneParams are taskParams for a task that has another one as its target, which is
// named by its queue and id.
var cloneParams = slices.Concat(
	[]Param{
		{Name: "new_queue", Label: "Queue", Form: Text, Help: "Nothing: that of the task."},
		{Name: "new_id", Label: "Id", Form: Text, Help: "Nothing: a new one."},
	},
	taskParams[2:],
)

// enqueue enqueues a task with what was said, on top of options. It is refused if fault is
// not nil, or with all that is wrong with it.
func (c call) enqueue(ctx context.Context, typ string, payload []byte, options []task.Option, fault error) (Outcome, error) {
	said, err := c.taskOptions()
	if err := errors.Join(fault, err); err != nil {
		return Outcome{}, err
	}
	info, err := c.Storage.Client.Enqueue(ctx, task.New(typ, payload, append(options, said...)...))
	if err != nil {
		return Outcome{}, err
	}
	made := Target{info.Queue, info.ID}
	return Outcome{Text: "task " + made.String() + " is enqueued: " + info.State.String(), Made: &made}, nil
}

// taskOptions returns what was said of a task.
func (c call) taskOptions() (options []task.Option, err error) {
	var faults []error
	for _, o := range []struct {
		name   string
		option func(name string) task.Option
	}{
		{"queue", func(n string) task.Option { return task.Queue(c.text(n)) }},
		{"new_queue", func(n string) task.Option { return task.Queue(c.text(n)) }},
		{"id", func(n string) task.Option { return task.ID(c.text(n)) }},
		{"new_id", func(n string) task.Option { return task.ID(c.text(n)) }},
		{"at", func(n string) task.Option { return task.ProcessAt(c.time(n)) }},
		{"group", func(n string) task.Option { return task.Group(c.text(n)) }},
		{"retry", func(n string) task.Option { return task.MaxRetry(c.number(n)) }},
		{"max_crashes", func(n string) task.Option { return task.MaxCrashes(c.number(n)) }},
		{"timeout", c.timeout},
		{"deadline", func(n string) task.Option { return task.Deadline(c.time(n)) }},
		{"start_by", func(n string) task.Option { return task.StartBy(c.time(n)) }},
		{"retention", func(n string) task.Option { return task.Retention(c.duration(n)) }},
		{"unique_key", func(n string) task.Option { return task.UniqueKey(c.text(n)) }},
		{"on_conflict", c.onConflict},
	} {
		if c.has(o.name) {
			options = append(options, o.option(o.name))
		}
	}
	for _, line := range c.lines("headers") {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			faults = append(faults, task.Invalid("headers", line, "is not KEY=VALUE"))
		}
		options = append(options, task.Header(key, value))
	}
	unique, err := c.uniqueOption()
	return append(options, unique...), errors.Join(append(faults, err)...)
}

func (c call) timeout(name string) task.Option {
	if d := c.duration(name); d > 0 {
		return task.Timeout(d)
	}
	return task.NoTimeout()
}

func (c call) onConflict(name string) task.Option {
	for _, conflict := range []task.Conflict{task.Ignore, task.Replace} {
		if conflict.String() == c.text(name) {
			return task.OnConflict(conflict)
		}
	}
	return task.OnConflict(task.Reject)
}

// uniqueOption returns the one option by which the task is unique, if it is.
func (c call) uniqueOption() (options []task.Option, err error) {
	if c.has("unique") {
		options = append(options, task.Unique(c.duration("unique")))
	}
	if c.has("unique_for") {
		options = append(options, task.UniqueFor(c.duration("unique_for")))
	}
	if c.truth("unique_until_done") {
		options = append(options, task.UniqueUntilDone())
	}
	if c.truth("unique_until_start") {
		options = append(options, task.UniqueUntilStart())
	}
	if len(options) > 1 {
		return nil, task.Invalid("unique", fmt.Sprint(options), "is said in more than one way")
	}
	return options, nil
}

// clone enqueues a task like another one.
func clone(ctx context.Context, c call) (Outcome, error) {
	of, err := c.Storage.Inspector.Get(ctx, c.t.Queue, c.t.ID)
	if err != nil {
		return Outcome{}, err
	}
	payload, _, err := c.payload()
	if len(payload) == 0 {
		payload = of.Payload
	}
	typ := of.Type
	if c.has("type") {
		typ = c.text("type")
	}
	if c.has("headers") {
		of.Headers = nil // those that are said are all that it has
	}
	return c.enqueue(ctx, typ, payload, optionsOf(of), err)
}

// optionsOf returns how a task was to be run: what is about more than the one attempt
// that it was made for. Neither its id nor what it is unique by can be had twice, and its
// deadlines may have passed.
func optionsOf(i *task.Info) []task.Option {
	options := []task.Option{task.Queue(i.Queue), task.MaxRetry(i.MaxRetry)}
	if i.Timeout > 0 {
		options = append(options, task.Timeout(i.Timeout))
	} else {
		options = append(options, task.NoTimeout())
	}
	if i.Group != "" {
		options = append(options, task.Group(i.Group))
	}
	if i.Retention > 0 {
		options = append(options, task.Retention(i.Retention))
	}
	if i.MaxCrashes > 0 {
		options = append(options, task.MaxCrashes(i.MaxCrashes))
	}
	for key, value := range i.Headers {
		options = append(options, task.Header(key, value))
	}
	return options
}
