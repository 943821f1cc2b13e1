package drawing_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/drawing"
	"github.com/leatwork/leat/internal/outlinetest"
	"github.com/leatwork/leat/internal/view"
)

var update = flag.Bool("update", false, "write the drawings to testdata")

var (
	runs = outlinetest.Runs()
	now  = outlinetest.Now
)

// golden compares a drawing with testdata/NAME.txt.
func golden(t *testing.T, name string, p drawing.Picture) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(p.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), p.String()); diff != "" {
		t.Errorf("%s is drawn otherwise (-want +got):\n%s", name, diff)
	}
}

func TestGraphsLookLikeThis(t *testing.T) {
	for name, r := range runs {
		for suffix, o := range map[string]drawing.Options{"": {Width: 80}, ".ascii": {Width: 80, ASCII: true}} {
			p, err := drawing.Graph(r, o)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".graph"+suffix, p)
			checkSpots(t, p, r)
		}
	}
}

func TestGanttsLookLikeThis(t *testing.T) {
	for name, r := range runs {
		for suffix, o := range map[string]drawing.Options{"": {Width: 80}, ".ascii": {Width: 80, ASCII: true}} {
			p := drawing.Gantt(r, now, o)
			golden(t, name+".gantt"+suffix, p)
			checkSpots(t, p, r)
			if p.Width > 80 {
				t.Errorf("%s is %d wide, want 80 at most", name, p.Width)
			}
			if o.ASCII && strings.ContainsFunc(p.String(), func(r rune) bool { return r >= utf8.RuneSelf }) {
				t.Errorf("%s is not ASCII:\n%s", name, p)
			}
		}
	}
}

// checkSpots demands that each step is found, and found again where it is.
func checkSpots(t *testing.T, p drawing.Picture, r view.Run) {
	t.Helper()
	all := slices.Clone(r.Steps)
	for _, s := range r.Steps {
		all = append(all, s.Added...)
	}
	for _, s := range all {
		spot, ok := p.Find(r.ID, s.Name)
		if !ok {
			t.Errorf("step %s is not in the drawing", s.Name)
			continue
		}
		if there, ok := p.At(spot.X, spot.Y); !ok || there.Step != spot.Step || there.Run != spot.Run {
			t.Errorf("At(%d, %d) = %+v, want %+v", spot.X, spot.Y, there, spot)
		}
	}
}

func TestWhatIsSelectedIsMarked(t *testing.T) {
	p, err := drawing.Graph(runs["large"], drawing.Options{Selected: "load7-13"})
	if err != nil {
		t.Fatal(err)
	}
	spot, _ := p.Find("r", "load7-13")
	selected := 0
	for _, line := range p.Lines(func(text string, like drawing.Cell) string {
		if like.Selected {
			selected += utf8.RuneCountInString(text)
		}
		return text
	}) {
		_ = line
	}
	if len(spot.Members) != 24 || selected != spot.Width*spot.Height {
		t.Errorf("%d cells are selected, want those of %+v", selected, spot)
	}
}

func TestADrawingOfNothingIsEmpty(t *testing.T) {
	p, err := drawing.Graph(view.Run{ID: "r", State: "running"}, drawing.Options{Width: 80})
	if len(p.Spots) > 0 || err != nil {
		t.Errorf("Graph() = %+v, %v, want no spots", p, err)
	}
	if p := drawing.Gantt(view.Run{}, time.Time{}, drawing.Options{Width: 20}); len(p.Spots) > 0 {
		t.Errorf("Gantt() = %+v, want no spots", p)
	}
}
