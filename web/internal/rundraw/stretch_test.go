package rundraw_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/outlinetest"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/rundraw"
)

// zoomed returns a gantt of a stretch of the run of outlinetest of that name.
func zoomed(name string, from, to time.Duration) string {
	return gantt(outlinetest.Runs()[name], rundraw.Options{From: from, To: to})
}

// names returns the names of the steps that have a row.
func names(t *testing.T, drawing string) (all []string) {
	for _, s := range read(t, drawing) {
		all = append(all, s.step)
	}
	return all
}

func TestAStretchHasTheRowsOfWhatWasThen(t *testing.T) {
	for _, c := range []struct {
		from, to time.Duration
		want     []string
		outside  string
	}{
		{0, time.Second, []string{"reserve", "price"}, "9 steps lie outside"},
		{5 * time.Second, 10 * time.Second, []string{"check"}, "10 steps lie outside"},
		{4 * time.Second, 5 * time.Second, []string{"dear", "check"}, "9 steps lie outside"},
		{50 * time.Second, 0, []string{"resize", "await:approve", "email:receipt"}, "8 steps lie outside"},
		{2 * time.Minute, 0, nil, "11 steps lie outside"},
		{2 * time.Minute, 3 * time.Minute, nil, "11 steps lie outside"},
		{0, time.Minute, []string{"reserve", "price", "dear", "check", "trust", "charge", "resize", "await:approve", "email:receipt", "pack", "ship"}, ""},
	} {
		drawing := zoomed("order", c.from, c.to)
		if got := names(t, drawing); !slices.Equal(got, c.want) {
			t.Errorf("from %v to %v there are rows of %v, want %v", c.from, c.to, got, c.want)
		}
		if says := strings.Contains(drawing, "outside"); says != (c.outside != "") || !strings.Contains(drawing, c.outside) {
			t.Errorf("from %v to %v it is not said that %q:\n%s", c.from, c.to, c.outside, drawing)
		}
	}
	if drawing := zoomed("diamond", 0, time.Second); !strings.Contains(drawing, "3 steps lie outside") {
		t.Errorf("a stretch of one step of four is drawn so:\n%s", drawing)
	}
}

func TestABarThatIsCutHasASignAtTheEdge(t *testing.T) {
	for _, c := range []struct {
		from, to time.Duration
		want     int
	}{
		{9 * time.Second, 10 * time.Second, 2}, // in the midst of check
		{7 * time.Second, 10 * time.Second, 2}, // and a part of its wait
		{8 * time.Second, 10 * time.Second, 1}, // its wait ends where it begins
		{8 * time.Second, 15 * time.Second, 0},
		{0, 0, 0},
	} {
		if got := strings.Count(zoomed("order", c.from, c.to), `class="cut"`); got != c.want {
			t.Errorf("from %v to %v there are %d signs, want %d", c.from, c.to, got, c.want)
		}
	}
}

func TestTheAxisOfAStretchIsExact(t *testing.T) {
	drawing := zoomed("order", 9*time.Second, 9*time.Second+100*time.Millisecond)
	for _, text := range []string{">9s<", ">9.02s<", ">9.1s<", `data-time="2026-11-30T13:00:09.100Z"`, "2026-11-30 13:00:09.000 UTC", `data-scale="220:9000 912:9100"`} {
		if !strings.Contains(drawing, text) {
			t.Errorf("the axis lacks %s:\n%s", text, drawing)
		}
	}
	if night := zoomed("night", 0, 6*time.Hour+time.Minute); strings.Count(night, `class="folded"`) != 1 || !strings.Contains(night, `data-scale="220:0 `) {
		t.Errorf("the idle time of a stretch is not folded:\n%s", night)
	}
	if sleep := zoomed("night", time.Hour, 2*time.Hour); strings.Contains(sleep, `class="folded"`) || !strings.Contains(sleep, ">1h10m<") || !strings.Contains(sleep, "2 steps lie outside") {
		t.Errorf("a stretch in which nothing but a sleep is is drawn so:\n%s", sleep)
	}
}

func TestStepsThatAreOneRowAreCountedEach(t *testing.T) {
	r := view.Run{ID: "r", State: "running", StartedAt: now.Add(-time.Minute)}
	for i := range 50 {
		r.Steps = append(r.Steps, view.Step{Name: fmt.Sprint("load-", i), Kind: "step", Runs: "load", State: "done", ReadyAt: r.StartedAt, StartedAt: r.StartedAt, EndedAt: r.StartedAt.Add(time.Second)})
	}
	r.Steps = append(r.Steps, view.Step{Name: "late", Kind: "step", Runs: "late", State: "running", ReadyAt: r.StartedAt, StartedAt: r.StartedAt})
	if drawing := gantt(r, rundraw.Options{From: 10 * time.Second}); !strings.Contains(drawing, "50 steps lie outside") || !slices.Equal(names(t, drawing), []string{"late"}) {
		t.Errorf("a stretch without the steps that are one row is drawn so:\n%s", drawing)
	}
}

func TestAStretchMayBeAsLongAndAsLateAsATimeCanBe(t *testing.T) {
	for _, c := range [][2]time.Duration{{0, math.MaxInt64}, {math.MaxInt64 / 2, math.MaxInt64}, {math.MaxInt64 - 1, math.MaxInt64}, {math.MaxInt64, 0}} {
		drawn := make(chan string, 1)
		go func() { drawn <- zoomed("order", c[0], c[1]) }()
		select {
		case drawing := <-drawn:
			read(t, drawing)
		case <-time.After(time.Minute):
			t.Fatalf("from %v to %v it is drawn without end", c[0], c[1])
		}
	}
}
