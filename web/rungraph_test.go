package web_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// line returns a workflow of so many steps in a line, which then waits for a signal.
func line(name string, steps int) workflow.Workflow[int, int] {
	next := workflow.NewStep("next-stage", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	goOn := workflow.NewSignal[int]("go-on")
	return dag.New(name, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		for i := range steps {
			in = dag.Do(g, next, in, dag.As(fmt.Sprint("stage-", i)))
		}
		return dag.Do(g, next, dag.Await(g, goOn, 0, dag.As("gate"), dag.After(in)), dag.As("last"))
	})
}

// waiting starts a run of a line, has it run until it waits, and opens its page.
func (s *site) waiting(steps int, query string) (workflow.Run[int], *browsertest.Page) {
	s.Helper()
	mux := task.NewMux()
	flow := line(fmt.Sprint("line-", steps), steps)
	workflow.Register(mux, flow)
	run, err := flow.Start(s.Context(), queue.NewClient(s.b), 1)
	if err != nil {
		s.Fatal(err)
	}
	s.run(mux, func() bool {
		status, err := run.Status(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		return len(status.Steps) == steps+2 && status.Steps[steps].State == workflow.StepRunning
	})
	return run, s.look("/run?queue=default&id="+run.ID+query, browsertest.Options{})
}

// scaled returns how large the graph is seen, against how large it is drawn.
func scaled(p *browsertest.Page) float64 {
	return browsertest.Eval[float64](p, `() => {
		const svg = document.querySelector("#graphbox svg")
		return svg.getBoundingClientRect().width / svg.getAttribute("width")
	}`)
}

// isWhole reports whether there is no more of the graph than its frame shows.
const isWhole = `() => {
	const box = document.getElementById("graphbox")
	return box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight
}`

// isSeen reports whether a step is in the frame.
const isSeen = `name => {
	const r = document.getElementById("graphbox").getBoundingClientRect()
	const b = document.querySelector("#graphbox [data-step='" + name + "']").getBoundingClientRect()
	return b.left >= r.left && b.right <= r.right && b.top >= r.top && b.bottom <= r.bottom
}`

func TestASmallGraphIsSeenWholeAndNotEnlarged(t *testing.T) {
	_, p := serve(t, onSQLite(t), web.Config{}).waiting(1, "")
	p.Wait("graph that is whole", isWhole)
	if got := scaled(p); got < 0.999 || got > 1.001 {
		t.Errorf("a graph that has room is seen %v times as large as drawn", got)
	}
}

func TestAWideGraphOpensWhereItMatters(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	run, p := s.waiting(20, "")
	p.Wait("step that runs in sight", isSeen, "gate")
	if got := scaled(p); got < 0.599 || got > 0.601 {
		t.Errorf("a graph that is too wide is seen %v times as large as drawn", got)
	}
	p.Open("/run?queue=default&id=" + run.ID + "&step=stage-8")
	p.Wait("step that is chosen in sight", isSeen, "stage-8")
	p.Press("0")
	p.Wait("graph that is whole", isWhole)
}

func TestWhatTheUserHasMovedToStaysInSight(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	run, p := s.waiting(20, "")
	view := func() string {
		return browsertest.Eval[string](p, `() => document.querySelector("#graphbox svg").getAttribute("viewBox")`)
	}
	at := func() float64 {
		return browsertest.Eval[float64](p, `() => document.getElementById("graphbox").scrollLeft`)
	}
	p.Wait("step that runs in sight", isSeen, "gate")
	browsertest.Eval[bool](p, `() => { document.getElementById("graphbox").scrollLeft = 77; return true }`)
	if err := run.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.WaitFor(`#graphbox .state-paused[data-step="last"]`)
	if got := at(); got != 77 {
		t.Errorf("the frame was scrolled to 77, and is at %v once the graph was drawn anew", got)
	}
	p.Press("+")
	p.WaitFor(`#graphbox[data-moved=yes]`)
	before := view()
	if err := run.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.WaitFor(`#graphbox .state-waiting[data-step="last"]`)
	if after := view(); after != before {
		t.Errorf("the part that is seen was %s, and is %s once the graph was drawn anew", before, after)
	}
}

func TestAStretchOfTheGanttIsDraggedOver(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	run, p := s.waiting(3, "&step=stage-1")
	p.WaitFor("#follow") // which the script makes
	born := browsertest.Eval[float64](p, `() => performance.timeOrigin`)
	p.Drag("#ganttbox svg", 0.7, 0.9, func() {
		p.WaitFor("#cursor text", "–")
		p.Press("Escape")
	})
	if got := p.Value("#stretch [name=from]", "value"); got != "" {
		t.Errorf("a drag that was left asks for what begins at %s", got)
	}
	p.Drag("#ganttbox svg", 0.7, 0.9, func() { p.WaitFor("#cursor text", "–") })
	p.WaitFor("#stretch a", "Whole run")
	p.Axe()
	p.WaitFor("#ganttbox .outside", "lie outside")
	p.WaitCount(`#ganttbox [data-step="gate"]`, 1)
	p.WaitCount(`#ganttbox [data-step="stage-0"]`, 0)
	from, err := time.ParseDuration(p.Value("#stretch [name=from]", "value"))
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(p.Address())
	if err != nil {
		t.Fatal(err)
	}
	asked := address.Query()
	if d, err := time.ParseDuration(asked.Get("from")); d != from || err != nil || asked.Get("step") != "stage-1" {
		t.Errorf("the stretch from %s is at %s", from, address)
	}
	labels := p.Texts("#ganttbox .axis")
	if err := run.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.WaitFor(`#graphbox .state-paused[data-step="last"]`)
	if after := p.Texts("#ganttbox .axis"); !slices.Equal(after, labels) {
		t.Errorf("what is written on the axis was %q, and is %q once the gantt was drawn anew", labels, after)
	}
	p.Click(`#ganttbox [data-step="gate"]`)
	p.WaitFor(`#graphbox .selected[data-step="gate"]`)
	p.WaitFor("#ganttbox .outside", "lie outside")
	p.Click("#stretch a")
	p.WaitCount(`#ganttbox [data-step="stage-0"]`, 1)
	if got := p.Value("#stretch [name=from]", "value"); got != "" || strings.Contains(p.Address(), "from=") {
		t.Errorf("the whole run begins at %s, at %s", got, p.Address())
	}
	if browsertest.Eval[float64](p, `() => performance.timeOrigin`) != born {
		t.Error("the page was loaded anew")
	}
	p.Expect("400")
	p.Type("#stretch [name=from]", "yesterday")
	p.Leave("a stretch that is none", func() { p.Press("Enter") })
	p.WaitFor("main", "after the beginning")
}

func TestStepsAreFoundAsTheirNameIsTyped(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	run, p := s.waiting(20, "&find=gate")
	p.WaitFor("#find output", "1 step")
	p.WaitFor(`#graphbox .sought[data-step="gate"]`)
	p.Type("#find [name=find]", "Stage-1")
	p.WaitFor("#find output", "11 steps")
	p.WaitCount("#graphbox .sought", 11)
	p.WaitCount("#ganttbox .sought", 11)
	p.Press("Enter")
	p.WaitFor("#find output", "1 of 11: stage-1")
	p.Wait("first step that matches in sight", isSeen, "stage-1")
	p.Press("Enter", "Enter")
	p.WaitFor("#find output", "3 of 11: stage-11")
	p.Wait("third step that matches in sight", isSeen, "stage-11")
	p.WaitCount(`#graphbox .reached[data-step="stage-11"]`, 1)
	p.Axe()
	if err := run.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.WaitFor(`#graphbox .state-paused[data-step="last"]`)
	p.WaitCount("#graphbox .sought", 11)
	if got := p.Address(); !strings.Contains(got, "find=Stage-1") {
		t.Errorf("what is sought is not in the address %s", got)
	}
	p.Click(`#ganttbox [data-step="stage-3"]`)
	p.WaitFor(`#graphbox .selected[data-step="stage-3"]`)
	p.WaitCount("#graphbox .sought", 11)
	p.Type("#find [name=find]", "nothing")
	p.WaitFor("#find output", "0 steps")
	p.WaitCount(".sought", 0)
}
