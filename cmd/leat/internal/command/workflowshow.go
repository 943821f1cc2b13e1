package command

import (
	"cmp"
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
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// mostSteps is how many steps are read of the runs within a run.
const mostSteps = 500

// A runShow is what is to be seen of a run.
type runShow struct {
	depth               int
	children            bool
	graph, gantt, ascii bool
	values              bool
}

// A valuedRun is a run with what it was given, and what it has come to.
type valuedRun struct {
	view.Run

	Input         view.Data `json:"input,omitempty"`
	InputBase64   []byte    `json:"input_base64,omitempty"`
	Outcome       view.Data `json:"outcome,omitempty"`
	OutcomeBase64 []byte    `json:"outcome_base64,omitempty"`
}

func (a *app) workflowShowCommand(n *runNaming) *cobra.Command {
	var s runShow
	c := &cobra.Command{
		Use:     "show RUN",
		Aliases: []string{"inspect", "status"},
		Short:   "Show how far a run has come",
		Long: `Show how far a run has come: how it stands, what waits for what if that fits the terminal,
its steps, and when they ran. With --graph or --gantt, only that. The runs that its steps
are have a heavy border; --depth and --children show them, too.

` + runNamingHelp,
		Example: "  leat workflow show order-17\n  leat workflow show orders/order-17 --graph --gantt\n  leat workflow show order-17 --values --children -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.inRun(c.Context(), n, args[0], func(h workflow.Handle) error { return a.showRun(c.Context(), h, s) })
		},
	}
	c.Flags().IntVar(&s.depth, "depth", 0, "how many levels of the runs within it are shown")
	c.Flags().BoolVar(&s.children, "children", false, "all levels of them are")
	c.Flags().BoolVar(&s.graph, "graph", false, "only draw what waits for what")
	c.Flags().BoolVar(&s.gantt, "gantt", false, "only draw when its steps ran")
	c.Flags().BoolVar(&s.ascii, "ascii", false, "draw with ASCII alone")
	c.Flags().BoolVar(&s.values, "values", false, "show also what it was given, and what it has come to")
	c.MarkFlagsMutuallyExclusive("depth", "children")
	return c
}

// readRun reads a run, and those within it that are to be seen.
func (a *app) readRun(ctx context.Context, h workflow.Handle, s runShow) (r valuedRun, err error) {
	most := 0
	if s.children || s.depth > 0 {
		most = mostSteps
	}
	tree, err := h.Tree(ctx, most)
	if err != nil {
		return r, err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return r, err
	}
	servers, err := i.Servers(ctx)
	if err != nil {
		return r, err
	}
	r.Run = view.RunOf(tree, time.Now(), servers...)
	if !s.children {
		r.Run = cutDeeper(r.Run, s.depth)
	}
	if !s.values {
		return r, nil
	}
	input, err := h.Input(ctx)
	if err != nil {
		return r, err
	}
	r.Input, r.InputBase64 = view.DataOf(input)
	outcome, err := h.Outcome(ctx)
	if errors.Is(err, workflow.ErrNoOutput) || errors.Is(err, workflow.ErrRunFailed) {
		return r, nil // which the run's state tells
	}
	r.Outcome, r.OutcomeBase64 = view.DataOf(outcome)
	return r, err
}

// cutDeeper leaves out the runs within a run below some levels.
func cutDeeper(r view.Run, depth int) view.Run {
	if depth <= 0 {
		r.Children, r.Truncated = nil, false
	}
	for i, child := range r.Children {
		r.Children[i] = cutDeeper(child, depth-1)
	}
	return r
}

func (a *app) showRun(ctx context.Context, h workflow.Handle, s runShow) error {
	if s.depth < 0 {
		return task.Invalid("--depth", s.depth, "is negative")
	}
	r, err := a.readRun(ctx, h, s)
	if err != nil {
		return err
	}
	switch now := time.Now(); {
	case !a.Format.ForPeople():
		return output.One(&a.Printer, output.Record[valuedRun]{ID: func(r valuedRun) string { return r.Queue + "/" + r.ID }}, r)
	case s.graph || s.gantt:
		if s.graph {
			_, err = a.drawGraph(r.Run, s.ascii, true)
		}
		if err == nil && s.gantt {
			err = a.drawGantt(r.Run, now, s.ascii)
		}
		return err
	default:
		return a.writeRun(r, now, s)
	}
}

// writeRun writes all there is to see of a run.
func (a *app) writeRun(r valuedRun, now time.Time, s runShow) error {
	if err := output.One(&a.Printer, runRecord(now, ""), r.Run); err != nil {
		return err
	}
	if err := output.One(&a.Printer, valuesRecord, r); err != nil {
		return err
	}
	if err := a.Print(""); err != nil {
		return err
	}
	drawn, err := a.drawGraph(r.Run, s.ascii, false)
	if drawn && err == nil {
		err = a.Print("")
	}
	if err == nil {
		err = output.List(&a.Printer, stepTable(now), r.Steps)
	}
	if err == nil {
		err = a.writeChildren(r.Run, now)
	}
	if err == nil {
		err = a.Print("")
	}
	if err != nil {
		return err
	}
	return a.drawGantt(r.Run, now, s.ascii)
}

var valuesRecord = output.Record[valuedRun]{Fields: []output.Field[valuedRun]{
	{Name: "Input", Text: func(r valuedRun) string { return dataText(r.Input, r.InputBase64) }},
	{Name: "Outcome", Text: func(r valuedRun) string { return dataText(r.Outcome, r.OutcomeBase64) }},
}}

// writeChildren writes the runs within a run, and their steps.
func (a *app) writeChildren(r view.Run, now time.Time) error {
	for _, child := range r.Children {
		if err := a.Print(""); err != nil {
			return err
		}
		if err := output.One(&a.Printer, runRecord(now, r.ID+" / "+child.Step), child); err != nil {
			return err
		}
		if err := a.Print(""); err != nil {
			return err
		}
		if err := output.List(&a.Printer, stepTable(now), child.Steps); err != nil {
			return err
		}
		if err := a.writeChildren(child, now); err != nil {
			return err
		}
	}
	if r.Truncated {
		return a.Note("There are more runs within %s.", plain.Name(r.ID))
	}
	return nil
}

func runRecord(now time.Time, above string) output.Record[view.Run] {
	type run = view.Run
	return output.Record[run]{
		ID: func(r run) string { return r.Queue + "/" + r.ID },
		Fields: []output.Field[run]{
			{Name: "Within", Text: func(run) string { return plain.Name(above) }},
			{Name: "ID", Text: func(r run) string { return plain.Name(r.ID) }},
			{Name: "Workflow", Text: func(r run) string { return plain.Name(r.Workflow) }},
			{Name: "Queue", Text: func(r run) string { return r.Queue }},
			{Name: "State", Text: func(r run) string { return r.State }},
			{Name: "Failure", Text: failureOfRun},
			{Name: "Attributes", Text: attributesOfRun},
			{Name: "Started", Text: func(r run) string { return quantity.Time(r.StartedAt) + " (" + ago(now, r.StartedAt) + ")" }},
			{Name: "Begins", Text: func(r run) string { return quantity.Time(r.BeginsAt) }},
			{Name: "Deadline", Text: func(r run) string { return quantity.Time(r.Deadline) }},
			{Name: "Ended", Text: func(r run) string { return quantity.Time(r.EndedAt) }},
			{Name: "Took", Text: func(r run) string { return quantity.Seconds(r.TookSeconds) }},
			{Name: "Parent", Text: func(r run) string { return plain.Name(r.Parent) }},
			{Name: "Retries", Text: func(r run) string {
				if r.Retries == 0 {
					return ""
				}
				return fmt.Sprint(r.Retries)
			}},
		},
	}
}

func stepTable(now time.Time) output.Table[view.Step] {
	type step = view.Step
	return output.Table[step]{
		ID: func(s step) string { return s.Name }, Empty: "No steps.",
		Columns: []output.Column[step]{
			{Name: "Step", Cell: func(s step) string { return plain.Name(s.Name) }},
			{Name: "Kind", Cell: func(s step) string { return s.Kind }},
			{Name: "State", Cell: func(s step) string { return s.State }, State: true},
			{Name: "Progress", Cell: progressOf},
			{Name: "Took", Cell: func(s step) string {
				if s.TookSeconds == 0 {
					return "-"
				}
				return quantity.Seconds(s.TookSeconds)
			}},
			{Name: "Tries", Cell: func(s step) string { return fmt.Sprint(s.Tries) }},
			{Name: "After", Cell: func(s step) string { return plain.Name(cmp.Or(strings.Join(s.After, ", "), "-")) }, Loose: true},
			{Name: "What", Cell: func(s step) string { return plain.Name(noteOf(now, s)) }, Loose: true},
			{Name: "Task", Cell: func(s step) string { return plain.Name(cmp.Or(s.TaskID, s.Child, "-")) }, Wide: true},
			{Name: "Queue", Cell: func(s step) string { return cmp.Or(s.Queue, "-") }, Wide: true},
		},
	}
}

// progressOf writes how many of a step's tasks have ended.
func progressOf(s view.Step) string {
	switch {
	case s.Width <= 1:
		return "-"
	case s.Failed > 0:
		return fmt.Sprintf("%d/%d, %d failed", s.Ended, s.Width, s.Failed)
	}
	return fmt.Sprintf("%d/%d", s.Ended, s.Width)
}

// noteOf writes what else there is to say of a step: what went wrong first.
func noteOf(now time.Time, s view.Step) string {
	switch {
	case s.Error != "":
		return s.Error
	case s.Problem != "":
		return s.Problem
	case s.Arm != "":
		return "took " + s.Arm
	case s.Signal != "" && !s.Until.IsZero():
		return "waits for " + s.Signal + ", " + until(now, s.Until)
	case s.Signal != "":
		return "signal " + s.Signal
	case !s.Until.IsZero():
		return "until " + quantity.Time(s.Until)
	}
	return ""
}

func (a *app) workflowHistoryCommand(n *runNaming) *cobra.Command {
	return &cobra.Command{
		Use:     "history RUN",
		Short:   "Show what has happened in a run, the oldest first",
		Long:    "Show what has happened in a run, the oldest first: the outcomes of its steps, and what was\ndone to it.\n\n" + runNamingHelp,
		Example: "  leat workflow history order-17",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.inRun(c.Context(), n, args[0], func(h workflow.Handle) error {
				all, err := h.History(c.Context())
				if err != nil {
					return err
				}
				return output.List(&a.Printer, happeningTable(), view.HistoryOf(all))
			})
		},
	}
}

func happeningTable() output.Table[view.Happening] {
	type happening = view.Happening
	return output.Table[happening]{
		ID: func(h happening) string { return h.What }, Empty: "Nothing has happened.",
		Columns: []output.Column[happening]{
			{Name: "At", Cell: func(h happening) string { return quantity.Time(h.At) }},
			{Name: "What", Cell: func(h happening) string { return h.What }, State: true},
			{Name: "Step", Cell: func(h happening) string { return plain.Name(cmp.Or(h.Step, "-")) }},
			{Name: "Took", Cell: func(h happening) string { return quantity.Seconds(h.TookSeconds) }},
			{Name: "Tries", Cell: func(h happening) string { return fmt.Sprint(h.Tries) }},
			{Name: "Why", Cell: func(h happening) string { return plain.Name(h.Why) }, Loose: true},
		},
	}
}

func (a *app) workflowResultCommand(n *runNaming) *cobra.Command {
	var step string
	var input bool
	c := &cobra.Command{
		Use:     "result RUN",
		Short:   "Write what a run has come to, or one step of it, as it is stored",
		Long:    "Write what a run has come to, or one step of it, as it is stored: JSON, or the bytes of what\ngives bytes. It fails if there is nothing yet; \"leat workflow wait\" waits.\n\n" + runNamingHelp,
		Example: "  leat workflow result order-17 | jq .\n  leat workflow result order-17 --step charge\n  leat workflow result order-17 --input",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.inRun(c.Context(), n, args[0], func(h workflow.Handle) error {
				read := h.Outcome
				switch {
				case input:
					read = h.Input
				case step != "":
					read = func(ctx context.Context) ([]byte, error) { return h.Output(ctx, step) }
				}
				b, err := read(c.Context())
				if err != nil {
					return err
				}
				return a.writeBytes(b)
			})
		},
	}
	c.Flags().StringVar(&step, "step", "", "what this step has given")
	c.Flags().BoolVar(&input, "input", false, "what the run was started with")
	c.MarkFlagsMutuallyExclusive("step", "input")
	return c
}
