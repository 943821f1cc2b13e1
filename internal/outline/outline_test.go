package outline_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
)

var began = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

func at(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }

func done(name string, from, to int, after ...string) view.Step {
	return view.Step{
		Name: name, Kind: "step", Runs: name, State: "done", After: after,
		ReadyAt: at(from), StartedAt: at(from), EndedAt: at(to), Tries: 1,
	}
}

func waiting(name string, after ...string) view.Step {
	return view.Step{Name: name, Kind: "step", Runs: name, State: "waiting", After: after}
}

func running(name string, from int, after ...string) view.Step {
	return view.Step{Name: name, Kind: "step", Runs: name, State: "running", After: after, ReadyAt: at(from), StartedAt: at(from)}
}

func skipped(name string, after ...string) view.Step {
	return view.Step{Name: name, Kind: "step", Runs: name, State: "skipped", After: after}
}

func TestTheCriticalPathIsWhatTheRunWaitedFor(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []view.Step
		ended bool
		want  []string
	}{
		{"of several the one that ended last", []view.Step{done("a", 0, 1), done("b", 1, 9, "a"), done("c", 1, 3, "a"), done("d", 9, 10, "b", "c")}, true, []string{"a", "b", "d"}},
		{"not what was skipped", []view.Step{done("a", 0, 1), skipped("b", "a"), done("c", 1, 3, "a"), done("d", 3, 4, "b", "c")}, true, []string{"a", "c", "d"}},
		{"what nothing waits for, if it ended last", []view.Step{done("a", 0, 1), done("b", 1, 2, "a"), done("log", 0, 5)}, true, []string{"log"}},
		{"what goes on, and was ready first", []view.Step{done("a", 0, 1), running("b", 1, "a"), running("c", 2, "a"), waiting("d", "b", "c")}, false, []string{"a", "b"}},
		{"nothing has begun", []view.Step{waiting("a"), waiting("b", "a")}, false, nil},
		{"there is nothing", nil, false, nil},
	} {
		r := view.Run{ID: "r", State: "running", StartedAt: began, Steps: c.steps}
		if c.ended {
			r.State, r.EndedAt = "done", at(10)
		}
		if got := slices.Sorted(maps.Keys(outline.Critical(r, at(20)))); !slices.Equal(got, c.want) {
			t.Errorf("%s: the critical path is %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAlikeStepsAreFoldedIfThereAreMany(t *testing.T) {
	steps := []view.Step{waiting("load")}
	var names []string
	for i := range 50 {
		check := waiting(fmt.Sprintf("check-%d", i), "load")
		pay := waiting(fmt.Sprintf("pay-%d", i), check.Name)
		check.Runs, pay.Runs = "check", "pay"
		steps, names = append(steps, check, pay), append(names, pay.Name)
	}
	steps = append(steps, waiting("report", names...))
	var sizes []int
	groups := outline.Fold(steps, 40)
	for _, g := range groups {
		sizes = append(sizes, len(g.Steps))
	}
	if want := []int{1, 50, 50, 1}; !slices.Equal(sizes, want) {
		t.Errorf("the groups have %v steps, want %v", sizes, want)
	}
	if got, want := groups[3].After, []int{2}; !slices.Equal(got, want) {
		t.Errorf("the last waits for the groups %v, want %v", got, want)
	}
	if all := outline.Fold(steps, len(steps)); len(all) != len(steps) {
		t.Errorf("of no more than may be, %d groups are made of %d steps", len(all), len(steps))
	}
	changed := slices.Clone(steps)
	for i := range changed {
		changed[i].State, changed[i].EndedAt = "done", at(i)
	}
	if diff := cmp.Diff(groups, outline.Fold(changed, 40)); diff != "" {
		t.Errorf("how steps stand changes what is folded (-before +after):\n%s", diff)
	}
}

func BenchmarkFold(b *testing.B) {
	shapes := map[string][]view.Step{"chain": {waiting("0")}, "layers": nil}
	for i := range 999 {
		s := waiting(fmt.Sprint(i+1), fmt.Sprint(i))
		s.Runs = "next"
		shapes["chain"] = append(shapes["chain"], s)
	}
	for i := range 1000 {
		s := waiting(fmt.Sprint(i))
		for j := range 100 {
			if before := i/100*100 - 100 + j; before >= 0 {
				s.After = append(s.After, fmt.Sprint(before))
			}
		}
		shapes["layers"] = append(shapes["layers"], s)
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				outline.Fold(shapes[name], 40)
			}
		})
	}
}

func TestAMapIsDrawnFromItsFirstItemToItsLastIfTheyAreKnown(t *testing.T) {
	now := at(60)
	items := view.Step{Name: "items", Kind: "map", State: "done", Width: 3, Ended: 3, ReadyAt: at(10), StartedAt: at(20), EndedAt: at(40)}
	r := view.Run{State: "done", StartedAt: at(0), EndedAt: now, Steps: []view.Step{items, {Name: "next", Kind: "step", State: "done", After: []string{"items"}, StartedAt: at(50), EndedAt: now}}}
	if got, want := outline.RowOf(r, items, now), (outline.Span{at(20), at(40)}); got.Work != want || got.Wait != (outline.Span{at(10), at(20)}) {
		t.Errorf("the map is drawn as %+v, want its work to be %v", got, want)
	}
	items.StartedAt, items.EndedAt = time.Time{}, time.Time{}
	if got, want := outline.RowOf(r, items, now).Work, (outline.Span{at(10), at(50)}); got != want {
		t.Errorf("a map of which they are not known is drawn as %v, want %v", got, want)
	}
}
