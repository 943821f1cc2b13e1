package pages

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/leatwork/leat/internal/view"
)

func TestOfARunThatIsListedNoStepsAreKept(t *testing.T) {
	var k advances
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for n := range mostAdvances {
		steps := make([]view.Step, 1000)
		for i := range steps {
			steps[i] = view.Step{Name: fmt.Sprint("step-", i), State: "done"}
		}
		steps[7] = view.Step{Name: "waits", State: "running", Signal: "approval"}
		k.keep(advanceKey{id: fmt.Sprint(n)}, advanceOf(view.Run{Steps: steps}))
	}
	if got := k.known[advanceKey{id: "7"}]; got.At != "waits" || len(got.Signals) != 1 || got.Progress != (runProgress{All: 1000, Ended: 999, Running: 1}) {
		t.Errorf("a run has come to %+v", got)
	}
	if grown := int64(held()) - int64(before); grown > 20<<20 {
		t.Errorf("%d runs take %d bytes", len(k.known), grown)
	}
}
