package pages

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/view"
)

func TestStepsThatHaveNotRunInBothAreNotCompared(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	ran := func(name string, took time.Duration) view.Step {
		return view.Step{Name: name, State: "done", StartedAt: now.Add(-took), EndedAt: now}
	}
	here := view.Run{ID: "here", State: "running", Steps: []view.Step{ran("a", time.Second), ran("b", 5*time.Second), ran("same", time.Second), {Name: "not-yet", State: "pending"}, {Name: "skipped", State: "skipped"}}}
	there := view.Run{ID: "there", State: "done", EndedAt: now, Steps: []view.Step{ran("a", 2*time.Second), ran("b", time.Second), ran("same", time.Second), ran("not-yet", time.Hour), ran("skipped", time.Hour)}}
	want := []comparedStep{{"b", 5 * time.Second, time.Second}, {"a", time.Second, 2 * time.Second}}
	if diff := cmp.Diff(want, differences(here, there, now)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}
