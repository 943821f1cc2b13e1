package command

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/workflow"
)

// depthOf is how many runs within a run are shown unless somebody wants another number.
const depthOf = 20

func (a *app) workflowShowCommand(n *runNaming) *cobra.Command {
	var children int
	c := &cobra.Command{
		Use:     "show RUN",
		Aliases: []string{"inspect", "status"},
		Short:   "Show how far a run has come",
		Long:    "Show how far a run has come: its steps, and the runs that its steps are.\n\n" + runNamingHelp,
		Example: "  leat workflow show order-17\n  leat workflow show orders/order-17 -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.inRun(c.Context(), n, args[0], func(h workflow.Handle) error { return a.showRun(c.Context(), h, children) })
		},
	}
	c.Flags().IntVar(&children, "children", depthOf, "how many runs within it are shown at most")
	return c
}

func (a *app) showRun(ctx context.Context, h workflow.Handle, children int) error {
	tree, err := h.Tree(ctx, children)
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	servers, err := i.Servers(ctx)
	if err != nil {
		return err
	}
	return a.writeRun(view.RunOf(tree, time.Now(), servers...), "")
}

// writeRun writes a run, and for people below it its steps and the runs within it.
func (a *app) writeRun(r view.Run, above string) error {
	if !a.Format.ForPeople() {
		return output.One(&a.Printer, runRecord(time.Now(), above), r)
	}
	if err := output.One(&a.Printer, runRecord(time.Now(), above), r); err != nil {
		return err
	}
	if err := a.Print(""); err != nil {
		return err
	}
	if err := output.List(&a.Printer, stepTable(time.Now()), r.Steps); err != nil {
		return err
	}
	for _, child := range r.Children {
		if err := a.Print(""); err != nil {
			return err
		}
		if err := a.writeRun(child, r.ID+" / "+child.Step); err != nil {
			return err
		}
	}
	if r.Truncated {
		return a.Note("There are more runs within %s: --children", r.ID)
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
			{Name: "Started", Text: func(r run) string { return output.Time(r.StartedAt) + " (" + ago(now, r.StartedAt) + ")" }},
			{Name: "Begins", Text: func(r run) string { return output.Time(r.BeginsAt) }},
			{Name: "Deadline", Text: func(r run) string { return output.Time(r.Deadline) }},
			{Name: "Ended", Text: func(r run) string { return output.Time(r.EndedAt) }},
			{Name: "Took", Text: func(r run) string { return output.Seconds(r.TookSeconds) }},
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
				return output.Seconds(s.TookSeconds)
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
		return "until " + output.Time(s.Until)
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
			{Name: "At", Cell: func(h happening) string { return output.Time(h.At) }},
			{Name: "What", Cell: func(h happening) string { return h.What }, State: true},
			{Name: "Step", Cell: func(h happening) string { return plain.Name(cmp.Or(h.Step, "-")) }},
			{Name: "Took", Cell: func(h happening) string { return output.Seconds(h.TookSeconds) }},
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
				if err == nil {
					_, err = a.Out.Write(b)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&step, "step", "", "what this step has given")
	c.Flags().BoolVar(&input, "input", false, "what the run was started with")
	c.MarkFlagsMutuallyExclusive("step", "input")
	return c
}
