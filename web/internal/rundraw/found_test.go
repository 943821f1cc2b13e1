package rundraw_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/outlinetest"
	"github.com/leatwork/leat/web/internal/rundraw"
)

func TestStepsAreFoundByNameBeTheyDrawnAsOne(t *testing.T) {
	for _, c := range []struct {
		run, find string
		steps     int
		marked    []string
	}{
		{"order", "", 0, nil},
		{"order", "Re", 3, []string{"reserve", "resize", "email:receipt"}},
		{"order", "nothing", 0, nil},
		{"large", "load1-07", 1, []string{"load1-00"}},
		{"large", "load1", 24, []string{"load1-00"}},
		{"nested", "label", 3, []string{"label", "label", "label"}},
	} {
		r, o := outlinetest.Runs()[c.run], options("parcels")
		o.Find = c.find
		if got := new(rundraw.Drawer).Found(r, o); got != c.steps {
			t.Errorf("in %s, %d steps have %q in their names, want %d", c.run, got, c.find, c.steps)
		}
		for kind, drawing := range map[string]string{"graph": graph(t, r, o), "gantt": gantt(r, o)} {
			var marked []string
			for _, s := range read(t, drawing) {
				if slices.Contains(strings.Fields(s.class), "sought") {
					marked = append(marked, s.step)
				}
			}
			if !slices.Equal(marked, c.marked) {
				t.Errorf("in the %s of %s, %v are marked for %q, want %v", kind, c.run, marked, c.find, c.marked)
			}
		}
	}
}
