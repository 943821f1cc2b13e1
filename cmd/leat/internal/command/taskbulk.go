package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A bulkVerb is what can be done to all tasks that are selected.
type bulkVerb struct {
	do    broker.Act
	doing string // for a progress bar
	done  string // what follows "4200 tasks"
}

func bulkVerbs() []bulkVerb {
	return []bulkVerb{
		{broker.Delete, "deleting", "deleted"},
		{broker.Archive, "archiving", "archived"},
		{broker.Run, "making pending", "are now pending"},
		{broker.Cancel, "cancelling", "cancelled"},
	}
}

// A bulk is a call of a bulkVerb.
type bulk struct {
	*app
	bulkVerb
	selection taskSelection
	yes, dry  bool

	search *query.Search
	places []query.Place
	found  int // how many tasks it is about, as far as that is known
	bulkResult
}

// A bulkResult is what a bulk came to.
type bulkResult struct {
	Matched int      `json:"matched"`
	Done    int      `json:"done"`
	Skipped int      `json:"skipped"` // had moved on when it was their turn
	Stopped bool     `json:"stopped"`
	DryRun  bool     `json:"dry_run,omitempty"`
	Sample  []string `json:"sample,omitempty"`
}

func (a *app) taskBulkCommand(v bulkVerb) *cobra.Command {
	b := &bulk{app: a, bulkVerb: v}
	c := &cobra.Command{
		Use:     v.do.String() + "-all [QUERY]",
		Aliases: []string{v.do.String() + "all"},
		Short:   title(v.do.String()) + " all tasks that flags and a query select",
		Long: title(v.do.String()) + " all tasks of --queue, or of --all-queues, that are in --state and that the query takes.\n" +
			"Without a state, those in each state that allows it: " + strings.Join(v.statesOf(), ", ") + ".\n" +
			"It says first how many they are, shows some, and asks. It goes in steps; when it is\ninterrupted, it stops after the one at hand, and says how many it has done.\n\n" + queryHelp,
		Example: fmt.Sprintf("leat task %[1]s-all --queue mail --state %[2]s\nleat task %[1]s-all state:%[2]s type:email:* --dry-run\nleat task %[1]s-all --all-queues --state %[2]s --yes",
			v.do, v.usualState()),
		RunE: func(c *cobra.Command, args []string) error { return b.run(c.Context(), args) },
	}
	b.selection.flags(c)
	b.flags(c)
	return c
}

func (b *bulk) flags(c *cobra.Command) {
	c.Flags().BoolVarP(&b.yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&b.dry, "dry-run", false, "only say what would be done")
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// statesOf returns the states that allow it.
func (v bulkVerb) statesOf() (names []string) {
	for _, s := range task.States() {
		if v.do.From(s) {
			names = append(names, s.String())
		}
	}
	return names
}

func (v bulkVerb) usualState() task.State {
	if v.do.From(task.Archived) {
		return task.Archived
	}
	return task.Retry
}

// run does it to what flags and args select.
func (b *bulk) run(ctx context.Context, args []string) error {
	if len(args) == 0 && len(b.selection.queues) == 0 && !b.selection.all {
		return usage(errors.New("which tasks? Say --queue, --all-queues or a query"))
	}
	i, err := b.inspector(ctx)
	if err != nil {
		return err
	}
	if b.search, err = b.selection.search(i, args); err != nil {
		return err
	}
	if err := b.narrow(); err != nil {
		return err
	}
	if b.places, err = b.search.Places(ctx); err != nil {
		return err
	}
	return b.carryOut(ctx, i, b.look)
}

// carryOut does it to what is in the places, if the answer is yes. What is shown before,
// look finds.
func (b *bulk) carryOut(ctx context.Context, i *queue.Inspector, look func(context.Context) error) error {
	if b.dry || !b.yes {
		if err := look(ctx); err != nil {
			return err
		}
	}
	if b.dry {
		return b.wouldBe()
	}
	if !b.yes && b.found > 0 {
		if err := output.Confirm(&b.Printer, b.in, b.question()); err != nil {
			return err
		}
	}
	return b.say(b.all(ctx, i))
}

// narrow has the search look only where it is allowed. A state that is asked for and does
// not allow it is refused. What no worker has any more is active, too: only where that is
// asked for.
func (b *bulk) narrow() error {
	asked := slices.Clone(b.search.States)
	for _, word := range b.search.Query.Only("state") {
		if s, err := task.ParseState(word); err == nil && !slices.Contains(asked, s) {
			asked = append(asked, s)
		}
	}
	if len(asked) == 0 {
		for _, s := range task.States() {
			if b.do.From(s) {
				b.search.States = append(b.search.States, s)
			}
		}
		return nil
	}
	for _, s := range asked {
		if !b.do.From(s) && (s != task.Active || !b.do.FromLapsed()) {
			return usage(fmt.Errorf("cannot %s tasks that are %s, only those that are %s", b.do, s, strings.Join(b.statesOf(), ", ")))
		}
	}
	return nil
}

// filter returns what the places do not say of the tasks.
func (b *bulk) filter() query.Query[*task.Info] {
	return b.search.Query.Without("queue", "state", "group")
}

// samples is how many tasks are shown before it is asked.
const samples = 5

// look finds out how many tasks it is about, and keeps some of them to be shown.
func (b *bulk) look(ctx context.Context) error {
	bar := output.NewBar(&b.Printer, "looking at", b.sizes())
	defer bar.End()
	for more := true; more; {
		found, err := b.search.Next(ctx, perStep, perStep)
		if err != nil {
			return err
		}
		for _, t := range found.Tasks[:min(len(found.Tasks), samples-len(b.Sample))] {
			b.Sample = append(b.Sample, sampleOf(t))
		}
		b.found += len(found.Tasks)
		bar.Set(found.Scanned)
		more = !found.Done
		if b.filter().Empty() && len(b.Sample) == samples {
			b.found, more = b.sizes(), false
		}
	}
	return nil
}

// perStep is how many tasks are looked at between two looks at whether to go on.
const perStep = 1000

func (b *bulk) sizes() (n int) {
	for _, p := range b.places {
		n += p.Size
	}
	return n
}

func sampleOf(t *task.Info) string {
	name := plain.Name(t.Queue + "/" + t.ID)
	return fmt.Sprintf("%s  %s  %s  %s", name, t.State, plain.Name(t.Type), plain.Cut(plain.Line(t.Payload), 60))
}

// wouldBe says what would be done.
func (b *bulk) wouldBe() error {
	b.Matched, b.DryRun = b.found, true
	if !b.Format.ForPeople() {
		return output.One(&b.Printer, bulkRecord(), b.bulkResult)
	}
	if err := b.Print("would %s %s", b.do, b.what()); err != nil {
		return err
	}
	for _, line := range b.Sample {
		if err := b.Print("  %s", line); err != nil {
			return err
		}
	}
	if more := b.found - len(b.Sample); more > 0 {
		return b.Print("  … and %d more", more)
	}
	return nil
}

func (b *bulk) question() output.Question {
	return output.Question{Do: b.do.String(), What: b.what(), Sample: b.Sample, More: b.found - len(b.Sample)}
}

// what says which tasks it is about: "1200 archived tasks of mail".
func (b *bulk) what() string {
	var states, queues []string
	for _, p := range b.places {
		states, queues = append(states, p.State.String()), append(queues, p.Queue)
	}
	states, queues = distinct(states), distinct(queues)
	text := plural(b.found, "task")
	if len(states) == 1 {
		text = plural(b.found, states[0]+" task")
	}
	switch {
	case len(queues) == 1:
		return text + " of " + plain.Name(queues[0])
	case len(queues) > 1:
		return fmt.Sprintf("%s of %d queues", text, len(queues))
	default:
		return text
	}
}

func distinct(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// all does it to all, place by place. That ctx ends stops it after the step at hand, so
// that what was done is known; a storage that does not answer any more ends it.
func (b *bulk) all(ctx context.Context, i *queue.Inspector) error {
	counted := b.filter().Empty()
	if b.found = 0; counted {
		b.found = b.sizes()
	}
	bar := output.NewBar(&b.Printer, b.doing, b.found)
	defer bar.End()
	going, heard, end := b.patient(context.WithoutCancel(ctx))
	defer end()
	filter := query.Filter(b.filter())
	if match := filter.Match; match != nil {
		filter.Match = func(t *task.Info) bool {
			heard()
			takes := match(t)
			if takes {
				b.found++
			}
			return takes
		}
	}
	for _, p := range b.places {
		before := b.Done
		done, err := i.Bulk(going, queue.BulkRequest{
			Queue: p.Queue, State: p.State, Group: p.Group, Filter: filter, Do: b.do,
			Progress: func(done int) bool {
				heard()
				bar.Set(before + done)
				return ctx.Err() == nil
			},
		})
		b.Done, b.Skipped = before+done.Done, b.Skipped+done.Skipped
		if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
			return err
		}
		if b.Stopped = ctx.Err() != nil; b.Stopped {
			return nil
		}
	}
	return nil
}

// say says what was done, and that it was not all.
func (b *bulk) say(failure error) error {
	b.Matched, b.Sample = max(b.found, b.Done+b.Skipped), nil
	b.Stopped = b.Stopped && b.Done+b.Skipped < b.Matched
	var err error
	if b.Format.ForPeople() {
		err = b.people(failure)
	} else {
		err = output.One(&b.Printer, bulkRecord(), b.bulkResult)
	}
	switch {
	case failure != nil && b.Done > 0:
		return coded{failure, errPartly}
	case failure != nil:
		return failure
	case b.Stopped:
		return coded{fmt.Errorf("stopped: %d of %d %s", b.Done, b.Matched, b.done), errPartly}
	}
	return err
}

func (b *bulk) people(failure error) error {
	if b.Skipped > 0 {
		if err := b.Note("%s had moved on", plural(b.Skipped, "task")); err != nil {
			return err
		}
	}
	if failure != nil && b.Done == 0 || b.Stopped {
		return nil
	}
	done := b.done
	if b.Done == 1 {
		done = strings.Replace(done, "are", "is", 1)
	}
	return b.Print("%s %s", plural(b.Done, "task"), done)
}

func bulkRecord() output.Record[bulkResult] {
	return output.Record[bulkResult]{ID: func(r bulkResult) string { return fmt.Sprint(r.Done) }}
}
