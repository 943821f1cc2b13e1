package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A runSelection is how a command line says which runs it is about, without naming them
// one by one.
type runSelection struct {
	queues     []string // none: all
	workflow   string
	state      string
	attributes []string // KEY=VALUE
	since      string
	until      string
	after      string
	limit      int // 0: none
	text       string
}

func (a *app) workflowListCommand() *cobra.Command {
	s := runSelection{}
	c := &cobra.Command{
		Use:     "ls [QUERY]",
		Aliases: []string{"list"},
		Short:   "List runs, the newest first",
		Long:    "List runs, the newest first: those beside all queues, or beside those that are said.\n\n" + queryHelp,
		Example: "  leat workflow ls --state failed --since 24h\n  leat workflow ls --attr customer=17 -o wide\n  leat workflow ls 'error~declined' 'took>10m'",
		RunE: func(c *cobra.Command, args []string) error {
			s.text = strings.Join(args, " ")
			return a.listRuns(c.Context(), s)
		},
	}
	c.Flags().StringSliceVarP(&s.queues, "queue", "q", nil, "runs beside this queue; may be given several times")
	c.Flags().Bool("all-queues", false, "runs beside all queues, as without --queue")
	c.Flags().StringVar(&s.workflow, "workflow", "", "runs of this workflow")
	c.Flags().StringVarP(&s.state, "state", "s", "", "runs in this state")
	c.Flags().StringArrayVar(&s.attributes, "attr", nil, "runs that were given this attribute: KEY=VALUE; may be given several times")
	c.Flags().StringVar(&s.since, "since", "", "runs that were started at or after this time, or so long ago: 24h")
	c.Flags().StringVar(&s.until, "until", "", "runs that were started before this time, or longer ago")
	c.Flags().IntVar(&s.limit, "limit", 50, "how many at most")
	c.Flags().StringVar(&s.after, "after", "", "go on where a list of one queue has ended")
	c.MarkFlagsMutuallyExclusive("queue", "all-queues")
	return c
}

func (a *app) listRuns(ctx context.Context, s runSelection) error {
	if s.limit < 1 {
		return task.Invalid("--limit", s.limit, "must be 1 or more")
	}
	if s.after != "" && len(s.queues) != 1 {
		return usage(errors.New("--after goes on in one queue: say which with --queue"))
	}
	b, err := a.open(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	runs, next, err := s.find(ctx, queue.NewClient(b))
	if err != nil {
		return err
	}
	now := time.Now()
	shown := make([]view.Run, len(runs))
	for i, r := range runs {
		shown[i] = view.ListedRunOf(r, now)
	}
	if err := output.List(&a.Printer, runTable(now), shown); err != nil || next == "" {
		return err
	}
	return a.Note("There are more: --queue %s --after %s", s.queues[0], next)
}

// find returns the runs that are selected, the newest first. next is where to go on if
// there are more and they are all beside one queue.
func (s runSelection) find(ctx context.Context, c *queue.Client) (runs []workflow.Summary, next string, err error) {
	now := time.Now()
	q, err := query.Runs.Parse(s.text)
	if err != nil {
		return nil, "", err
	}
	r, err := s.request(now, q)
	if err != nil {
		return nil, "", err
	}
	queues := s.queues
	if len(queues) == 0 {
		if queues, err = queue.NewInspector(c.Broker()).Queues(ctx); err != nil {
			return nil, "", err
		}
	}
	for _, name := range queues {
		if !q.Allows("queue", name) {
			continue
		}
		r.Queue = name
		found, more, err := s.beside(ctx, c, r, func(s workflow.Summary) bool { return q.Match(now, s) })
		if err != nil {
			return nil, "", err
		}
		runs, next = append(runs, found...), more
	}
	slices.SortStableFunc(runs, func(r, s workflow.Summary) int { return s.Started.Compare(r.Started) })
	if s.limit > 0 {
		runs = runs[:min(s.limit, len(runs))]
	}
	if len(s.queues) != 1 || !q.Empty() {
		next = ""
	}
	return runs, next, nil
}

// beside returns the runs that r asks for and that are wanted, as many as the limit says.
func (s runSelection) beside(ctx context.Context, c *queue.Client, r workflow.RunsRequest, wanted func(workflow.Summary) bool) (runs []workflow.Summary, next string, err error) {
	for {
		r.Limit = 500
		if s.limit > 0 {
			r.Limit = min(r.Limit, s.limit-len(runs))
		}
		page, err := workflow.Runs(ctx, c, r)
		if err != nil {
			return nil, "", err
		}
		for _, found := range page.Runs {
			if wanted(found) {
				runs = append(runs, found)
			}
		}
		if r.After = page.Next; r.After == "" || s.limit > 0 && len(runs) >= s.limit {
			return runs, r.After, nil
		}
	}
}

// request returns what is asked of the storage; the query may ask for more.
func (s runSelection) request(now time.Time, q query.Query[workflow.Summary]) (workflow.RunsRequest, error) {
	r := workflow.RunsRequest{Workflow: s.workflow, State: workflow.State(strings.ReplaceAll(s.state, "-", " ")), After: s.after}
	if only := q.Only("workflow"); r.Workflow == "" && len(only) == 1 {
		r.Workflow = only[0]
	}
	var faults []error
	for _, text := range s.attributes {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			faults = append(faults, task.Invalid("--attr", text, "is not KEY=VALUE"))
		}
		if r.Attributes == nil {
			r.Attributes = make(map[string]string)
		}
		r.Attributes[key] = value
	}
	if s.state != "" && !slices.Contains(runStates, r.State) {
		faults = append(faults, task.Invalid("--state", s.state, fmt.Sprintf("is none of %q", runStates)))
	}
	var fault error
	r.From, fault = pastTime("--since", s.since, now)
	faults = append(faults, fault)
	r.To, fault = pastTime("--until", s.until, now)
	return r, errors.Join(append(faults, fault)...)
}

// runStates are the states that runs have.
var runStates = []workflow.State{
	workflow.Running, workflow.Paused, workflow.Closing, workflow.Undoing, workflow.Stuck,
	workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut,
}

// pastTime reads a time, or how long ago it was; none is zero.
func pastTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	return parseTime(flag, text)
}

func runTable(now time.Time) output.Table[view.Run] {
	type run = view.Run
	return output.Table[run]{
		ID: func(r run) string { return r.Queue + "/" + r.ID }, Empty: "No runs.",
		Columns: []output.Column[run]{
			{Name: "ID", Cell: func(r run) string { return plain.Name(r.ID) }},
			{Name: "Workflow", Cell: func(r run) string { return plain.Name(r.Workflow) }},
			{Name: "State", Cell: func(r run) string { return r.State }, State: true},
			{Name: "Started", Cell: func(r run) string { return ago(now, r.StartedAt) }},
			{Name: "Took", Cell: func(r run) string { return quantity.Seconds(r.TookSeconds) }},
			{Name: "Failure", Cell: failureOfRun, Loose: true},
			{Name: "Queue", Cell: func(r run) string { return r.Queue }, Wide: true},
			{Name: "Attributes", Cell: attributesOfRun, Wide: true},
		},
	}
}

func failureOfRun(r view.Run) string {
	if r.FailedStep == "" {
		return plain.Name(r.Error)
	}
	return plain.Name(r.FailedStep + ": " + r.Error)
}

func attributesOfRun(r view.Run) string {
	var texts []string
	for _, key := range slices.SortedFunc(maps.Keys(r.Attributes), cmp.Compare[string]) {
		texts = append(texts, key+"="+r.Attributes[key])
	}
	return plain.Name(strings.Join(texts, " "))
}
