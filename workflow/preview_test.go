package workflow_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// previewedFrom are the steps from which some retrials run again; "": what failed.
var previewedFrom = map[string]string{
	"from before what failed": "b", "from the first, of a run that was done": "a", "a map from the start": "item", "from what was tried": "a",
}

func TestAPreviewOfARetryIsWhatItRuns(t *testing.T) {
	for _, r := range retrials {
		if strings.Contains(r.name, "skipped") {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) { r.preview(t, b, previewedFrom[r.name]) })
		})
	}
}

func (r retrial) preview(t *testing.T, b broker.Broker, from string) {
	c := newRetally(r.broken...)
	w := dag.New("again", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return r.build(c, g, in) })
	serve(t, b, w)
	run, err := w.Start(t.Context(), queue.NewClient(b), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(t.Context()); (err == nil) != (r.first != 0) {
		t.Fatalf("Result() = %v", err)
	}
	if _, err := run.PreviewRetry(t.Context(), ""); r.first != 0 && !errors.Is(err, workflow.ErrRunState) {
		t.Errorf("PreviewRetry() of a run that was done = %v, want ErrRunState", err)
	}
	time.Sleep(3 * time.Second)
	p, err := run.PreviewRetry(t.Context(), from)
	if strings.HasPrefix(r.name, "all of") {
		p, err = run.PreviewRetryAll(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	c.mend()
	if err := r.again(run, t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := run.Result(ctx); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Minute) // for what goes on beside the end of the run
	status, err := run.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	ran := map[string]bool{}
	for name := range maps.Keys(c.counts()) {
		ran[strings.Fields(name)[0]] = true
	}
	for _, s := range status.Steps {
		if slices.Contains(p.Again, s.Name) == slices.Contains(p.Kept, s.Name) {
			t.Errorf("step %s is in one of %v and %v, or should be", s.Name, p.Again, p.Kept)
		}
		if again := ran[s.Name] || s.Runs == "inner" && ran["b"]; again && s.Runs != "" {
			want = append(want, s.Name)
		}
	}
	got := slices.DeleteFunc(slices.Clone(p.Again), func(name string) bool {
		i := slices.IndexFunc(status.Steps, func(s workflow.StepStatus) bool { return s.Name == name })
		return status.Steps[i].Runs == "" || status.Steps[i].Runs == "sum"
	})
	if !slices.Equal(got, want) {
		t.Errorf("the preview says that %v run again, and %v have", got, want)
	}
	if _, err := run.PreviewRetry(t.Context(), "nothing"); !errors.Is(err, workflow.ErrStepNotFound) {
		t.Errorf("PreviewRetry() from a step that there is not = %v, want ErrStepNotFound", err)
	}
}
