package rundraw_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/outlinetest"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/rundraw"
)

var update = flag.Bool("update", false, "write the drawings to testdata")

var now = outlinetest.Now

// link is as that of the pages.
func link(r view.Run, step string) string {
	return "?" + url.Values{"queue": {r.Queue}, "id": {r.ID}, "step": {step}}.Encode()
}

func toggle(step string) string { return "?open=" + url.QueryEscape(step) }

func options(opened ...string) rundraw.Options {
	return rundraw.Options{Link: link, Toggle: toggle, Opened: opened}
}

func graph(t testing.TB, r view.Run, o rundraw.Options) string {
	t.Helper()
	drawn, err := new(rundraw.Drawer).Graph(r, now, o)
	if err != nil {
		t.Fatal(err)
	}
	return string(drawn)
}

func gantt(r view.Run, o rundraw.Options) string {
	return string(new(rundraw.Drawer).Gantt(r, now, o))
}

// golden compares a drawing with testdata/NAME.svg.
func golden(t *testing.T, name, drawn string) {
	t.Helper()
	drawn = strings.ReplaceAll(drawn, "><", ">\n<") + "\n"
	file := filepath.Join("testdata", name+".svg")
	if *update {
		if err := os.WriteFile(file, []byte(drawn), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), drawn); diff != "" {
		t.Errorf("%s is drawn otherwise, which -update writes (-want +got):\n%s", name, diff)
	}
}

func TestRunsLookLikeThis(t *testing.T) {
	for name, r := range outlinetest.Runs() {
		o := options("ship", "parcels")
		o.Selected = "charge"
		golden(t, name+".graph", graph(t, r, o))
		golden(t, name+".gantt", gantt(r, o))
	}
	nested := outlinetest.Runs()["nested"]
	golden(t, "nested.closed.graph", graph(t, nested, options()))
	golden(t, "nested.closed.gantt", gantt(nested, options()))
	other := outlinetest.Runs()["diamond"]
	other.StartedAt = other.StartedAt.Add(-time.Minute)
	for i, step := range other.Steps {
		other.Steps[i].StartedAt, other.Steps[i].EndedAt = step.StartedAt.Add(-time.Minute), step.EndedAt.Add(-20*time.Second)
	}
	beside := options()
	beside.Other = &other
	golden(t, "diamond.other.gantt", gantt(outlinetest.Runs()["diamond"], beside))
	for name, within := range map[string][2]time.Duration{"order": {3 * time.Second, 18 * time.Second}, "nested": {15 * time.Second, 25 * time.Second}, "night": {20 * time.Second, 6*time.Hour + 10*time.Second}, "large": {21500 * time.Millisecond, 24 * time.Second}} {
		zoomed := options("ship", "parcels")
		zoomed.From, zoomed.To = within[0], within[1]
		golden(t, name+".zoomed.gantt", gantt(outlinetest.Runs()[name], zoomed))
	}
	beside.From, beside.To = 50*time.Second, 90*time.Second
	golden(t, "diamond.other.zoomed.gantt", gantt(outlinetest.Runs()["diamond"], beside))
	o := options()
	o.Down, o.Standalone = true, true
	golden(t, "order.down.graph", graph(t, outlinetest.Runs()["order"], o))
}

// A drawn is what is drawn of a step.
type drawn struct{ class, step, title string }

// read parses a drawing, and returns what is drawn of steps. It fails the test if the
// drawing may not stand in a page.
func read(t *testing.T, drawing string) (steps []drawn) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(drawing))
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return steps
		}
		if err != nil {
			t.Fatalf("the drawing is not well-formed: %v\n%s", err, drawing)
		}
		switch e := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("the drawing has an attribute %s", a.Name.Local)
				}
			}
			switch step, is := attributes["data-step"]; {
			case e.Name.Local == "script" || e.Name.Local == "style":
				t.Errorf("the drawing has an element %s", e.Name.Local)
			case is:
				steps = append(steps, drawn{class: attributes["class"], step: step})
			case e.Name.Local == "title" && len(steps) > 0 && steps[len(steps)-1].title == "":
				var text string
				if err := d.DecodeElement(&text, &e); err != nil {
					t.Fatal(err)
				}
				depth--
				steps[len(steps)-1].title = text
			}
		}
	}
}

func TestEachStepIsDrawnWithItsState(t *testing.T) {
	r := outlinetest.Runs()["order"]
	for kind, drawing := range map[string]string{"graph": graph(t, r, options()), "gantt": gantt(r, options())} {
		steps := read(t, drawing)
		if len(steps) != len(r.Steps) {
			t.Errorf("the %s has %d steps, want %d", kind, len(steps), len(r.Steps))
		}
		for i, s := range r.Steps {
			state := s.State
			if s.TaskState == "retry" {
				state = "retry"
			}
			if got := steps[i]; got.step != s.Name || !slices.Contains(strings.Fields(got.class), "state-"+state) || !strings.HasPrefix(got.title, s.Name+": "+state) {
				t.Errorf("in the %s, step %s that is %s is %+v", kind, s.Name, state, got)
			}
		}
	}
}

var places = regexp.MustCompile(` (x|y|width|height|viewBox|transform|d)="[^"]*"`)

// boxes returns where the boxes of a graph are, and the ways of its edges.
func boxes(t *testing.T, r view.Run) (all []string) {
	t.Helper()
	for _, element := range strings.Split(graph(t, r, options()), "<") {
		if strings.HasPrefix(element, "rect") || strings.HasPrefix(element, "svg") {
			all = append(all, strings.Join(places.FindAllString(element, -1), ""))
		}
	}
	return all
}

func TestNothingMovesWhileARunGoesOn(t *testing.T) {
	all := outlinetest.Runs()
	delete(all, "adding") // what steps add is not known before
	for name, r := range all {
		before := r
		before.Steps, before.Children = slices.Clone(r.Steps), nil
		for i, s := range before.Steps {
			before.Steps[i] = view.Step{Name: s.Name, Kind: s.Kind, After: s.After, Choice: s.Choice, Case: s.Case, Runs: s.Runs, Workflow: s.Workflow, Signal: s.Signal, State: "waiting"}
		}
		if diff := cmp.Diff(boxes(t, before), boxes(t, r)); diff != "" {
			t.Errorf("boxes of %s have moved (-before +after):\n%s", name, diff)
		}
	}
}

// markup is what a name must not become.
const markup = `<script>alert("1")</script>&' onload=x` + "\x00\x1b\u202e"

func TestNamesAreText(t *testing.T) {
	r := view.Run{ID: markup, Queue: markup, Workflow: markup, State: "running", StartedAt: now}
	for _, kind := range []string{"step", "map", "await", "choice", markup} {
		r.Steps = append(r.Steps, view.Step{
			Name: markup + kind, Kind: kind, State: "running", Runs: markup, Signal: markup, Case: markup, Choice: markup, Arm: markup,
			Error: markup, ReadyAt: now.Add(-time.Minute), StartedAt: now.Add(-time.Second), Workflow: kind == "map",
		})
	}
	r.Children = []view.Run{{ID: markup, Workflow: markup, State: markup, Step: markup + "map", Steps: slices.Clone(r.Steps)}}
	for kind, drawing := range map[string]string{"graph": graph(t, r, options(markup+"map")), "gantt": gantt(r, options(markup+"map"))} {
		if read(t, drawing); !strings.Contains(drawing, "&lt;script&gt;") || strings.ContainsRune(drawing, '\u202e') && !strings.Contains(drawing, "data-step") {
			t.Errorf("the %s does not show what it was given: %s", kind, drawing)
		}
	}
}

// random returns a run of random shape and states.
func random(rng *rand.Rand) view.Run {
	r := view.Run{ID: fmt.Sprint("r", rng.Uint32()), State: "running", StartedAt: now.Add(-time.Hour)}
	if rng.IntN(2) == 0 {
		r.State, r.EndedAt = "failed", now
	}
	kinds := []string{"step", "step", "step", "map", "loop", "choice", "first", "gate", "await", "sleep"}
	states := []string{"waiting", "running", "done", "failed", "skipped", "cancelled"}
	for i := range rng.IntN(120) {
		s := view.Step{
			Name: fmt.Sprint("step-", i), Kind: kinds[rng.IntN(len(kinds))], State: states[rng.IntN(len(states))], Runs: fmt.Sprint("run", rng.IntN(4)),
			Width: rng.IntN(3), Ended: rng.IntN(3), Rounds: rng.IntN(3), Workflow: rng.IntN(4) == 0,
		}
		for range rng.IntN(3) {
			if i > 0 {
				s.After = append(s.After, fmt.Sprint("step-", rng.IntN(i)))
			}
		}
		for _, at := range []*time.Time{&s.ReadyAt, &s.StartedAt, &s.EndedAt} {
			if rng.IntN(3) > 0 {
				*at = now.Add(-time.Duration(rng.Int64N(int64(2 * time.Hour))))
			}
		}
		for range rng.IntN(3) {
			s.Attempts = append(s.Attempts, view.Attempt{StartedAt: s.ReadyAt, EndedAt: s.StartedAt})
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

func TestRunsOfAnyShapeAreDrawn(t *testing.T) {
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // for a test
	for range 40 {
		r := random(rng)
		for _, s := range r.Steps {
			if s.Workflow {
				child := random(rng)
				child.Step = s.Name
				r.Children = append(r.Children, child)
			}
		}
		o := options("step-1", "step-2", "step-5", "step-8")
		o.Down, o.Selected = rng.IntN(2) == 0, "step-3"
		first, again := graph(t, r, o)+gantt(r, o), graph(t, r, o)+gantt(r, o)
		if first != again {
			t.Error("a run is drawn in several ways")
		}
		inGraph, inGantt := read(t, graph(t, r, o)), read(t, gantt(r, o))
		for _, s := range inGraph {
			if !slices.ContainsFunc(inGantt, func(other drawn) bool { return other.step == s.step }) {
				t.Errorf("step %s is in the graph alone", s.step)
			}
		}
		o.From = time.Duration(rng.Int64N(int64(3 * time.Hour)))
		o.To = o.From + time.Duration(rng.Int64N(int64(time.Hour)))
		for _, s := range read(t, gantt(r, o)) {
			if !slices.Contains(inGantt, s) {
				t.Errorf("from %v to %v there is a row %+v, which the whole gantt lacks", o.From, o.To, s)
			}
		}
	}
}

// sizes are runs of many steps.
func sizes() map[string]view.Run {
	all := map[string]view.Run{}
	at := func(i int) time.Time { return now.Add(time.Duration(i-2000) * time.Second) }
	step := func(i int, runs string, after ...string) view.Step {
		s := view.Step{Name: fmt.Sprintf("%s-%d", runs, i), Kind: "step", Runs: runs, State: "done", After: after, ReadyAt: at(i), StartedAt: at(i), EndedAt: at(i + 1), TookSeconds: 1}
		if i > 700 {
			s.State, s.EndedAt = "running", time.Time{}
		}
		return s
	}
	make := func(name string, steps ...view.Step) {
		wide := view.Step{Name: "items", Kind: "map", Runs: "item", State: "running", Width: 10_000, Ended: 4000, Failed: 3, ReadyAt: at(1)}
		all[name] = view.Run{ID: "r", Queue: "flows", State: "running", StartedAt: at(0), Steps: append(steps, wide)}
	}
	var alike, chain, mixed, apart, dense []view.Step
	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // for a test
	for i := range 999 {
		alike = append(alike, step(i, "load"))
		chain = append(chain, step(i, "next"))
		mixed = append(mixed, step(i, fmt.Sprint("kind", i%7)))
		apart = append(apart, step(i, fmt.Sprint("part", i)))
		dense = append(dense, step(i, fmt.Sprint("dense", i)))
		if i > 0 {
			chain[i].After = []string{chain[i-1].Name}
			for range 2 {
				before := max(0, i-1-rng.IntN(40))
				mixed[i].After = append(mixed[i].After, mixed[before].Name)
				apart[i].After = append(apart[i].After, apart[before].Name)
			}
			for before := max(i/100*100-100, 0); before < i/100*100; before++ {
				dense[i].After = append(dense[i].After, dense[before].Name)
			}
		}
	}
	make("alike", alike...)
	make("chain", chain...)
	make("mixed", mixed...)
	make("apart", apart...)
	make("dense", dense...)
	return all
}

func TestAThousandStepsAreSmall(t *testing.T) {
	for name, r := range sizes() {
		for kind, drawing := range map[string]string{"graph": graph(t, r, options()), "gantt": gantt(r, options())} {
			if t.Logf("%s %s: %d kB", name, kind, len(drawing)/1000); len(drawing) > 400_000 {
				t.Errorf("the %s of %s has %d kB", kind, name, len(drawing)/1000)
			}
			read(t, drawing)
		}
	}
}

func BenchmarkGraph(b *testing.B) {
	all := sizes()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				graph(b, all[name], options())
			}
		})
		b.Run(name+"/again", func(b *testing.B) {
			var d rundraw.Drawer
			for b.Loop() {
				if _, err := d.Graph(all[name], now, options()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGantt(b *testing.B) {
	all := sizes()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			var d rundraw.Drawer
			for b.Loop() {
				d.Gantt(all[name], now, options())
			}
		})
	}
}
