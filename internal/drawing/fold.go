package drawing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/view"
)

// A figure is a step, or several that are drawn as one.
type figure struct {
	steps []view.Step
	after []int // figures, by index
	label string
	class Class
}

const (
	manySteps = 40 // from so many on, equal ones are drawn as one, and boxes are flat
	manyEqual = 4  // if there are so many of them
)

// figures returns what is drawn of a run, and what waits for what: an edge is left out
// where others say the same.
func figures(r view.Run, o Options) []figure {
	after := reduced(r.Steps)
	groups := make([]int, len(r.Steps)) // the first step that one is drawn with
	for i := range groups {
		groups[i] = i
	}
	if len(r.Steps) > manySteps {
		groups = equals(r.Steps, after)
	}
	var all []figure
	index := make(map[int]int) // figures by first step
	for i, s := range r.Steps {
		k, known := index[groups[i]]
		if !known {
			k = len(all)
			index[groups[i]] = k
			all = append(all, figure{})
			for _, before := range after[i] {
				if b := index[groups[before]]; !slices.Contains(all[k].after, b) {
					all[k].after = append(all[k].after, b)
				}
			}
		}
		all[k].steps = append(all[k].steps, s)
	}
	for k := range all {
		all[k].describe(r, o)
	}
	return all
}

// reduced returns for each step the steps that it waits for, without those that others of
// them wait for.
func reduced(steps []view.Step) [][]int {
	named := make(map[string]int, len(steps))
	before := make([][]bool, len(steps)) // all that come before a step
	after := make([][]int, len(steps))
	for i, s := range steps {
		before[i] = make([]bool, len(steps))
		var near []int
		for _, name := range s.After {
			if j, known := named[name]; known {
				near = append(near, j)
				before[i][j] = true
				for k, is := range before[j] {
					before[i][k] = before[i][k] || is
				}
			}
		}
		for _, j := range near {
			if !slices.ContainsFunc(near, func(k int) bool { return before[k][j] }) {
				after[i] = append(after[i], j)
			}
		}
		named[s.Name] = i
	}
	return after
}

// equals returns for each step the first one that is drawn with it: itself, unless several
// run the same, and wait for and are waited for by what is drawn as the same.
func equals(steps []view.Step, after [][]int) []int {
	behind := make([][]int, len(steps))
	for i, list := range after {
		for _, j := range list {
			behind[j] = append(behind[j], i)
		}
	}
	kinds, count := split(len(steps), func(i int) string {
		return fmt.Sprint(steps[i].Kind, " ", steps[i].Runs, " ", steps[i].Workflow)
	})
	for {
		finer, more := split(len(steps), func(i int) string {
			return fmt.Sprint(kinds[i], kindsOf(after[i], kinds), kindsOf(behind[i], kinds))
		})
		if more == count {
			break
		}
		kinds, count = finer, more
	}
	members := make(map[int][]int)
	for i, kind := range kinds {
		members[kind] = append(members[kind], i)
	}
	first := make([]int, len(steps))
	for i, kind := range kinds {
		if first[i] = i; len(members[kind]) >= manyEqual && steps[i].Kind != "choice" {
			first[i] = members[kind][0]
		}
	}
	return first
}

// split numbers what has one key alike, and returns how many keys there are.
func split(n int, key func(i int) string) (numbers []int, count int) {
	known := make(map[string]int)
	for i := range n {
		k := key(i)
		if _, ok := known[k]; !ok {
			known[k] = len(known)
		}
		numbers = append(numbers, known[k])
	}
	return numbers, len(known)
}

// kindsOf returns the kinds of some steps, each once.
func kindsOf(steps, kinds []int) (of []int) {
	for _, i := range steps {
		of = append(of, kinds[i])
	}
	slices.Sort(of)
	return slices.Compact(of)
}

// describe finds out what is written in a figure.
func (f *figure) describe(r view.Run, o Options) {
	if len(f.steps) == 1 {
		f.label, f.class = o.label(r, f.steps[0]), classOf(r, f.steps[0])
		return
	}
	count, ended := make(map[Class]int), 0
	for _, s := range f.steps {
		c := classOf(r, s)
		count[c]++
		if c >= Done {
			ended++
		}
	}
	for _, c := range []Class{Failed, Retrying, Running, Paused, Waiting, Cancelled, Done, Skipped} {
		if count[c] > 0 {
			f.class = c
			break
		}
	}
	f.label = fmt.Sprintf("%s %s%d", f.name(o), o.glyph("⧉", "*"), len(f.steps))
	if ended < len(f.steps) {
		f.label += fmt.Sprintf(" (%d/%d)", ended, len(f.steps))
	}
	if n := count[Failed]; n > 0 {
		f.label += fmt.Sprintf(" %s%d", o.glyph("✗", "!"), n)
	}
}

// name returns what the names of several steps begin with.
func (f *figure) name(o Options) string {
	name := f.steps[0].Name
	for _, s := range f.steps {
		for !strings.HasPrefix(s.Name, name) {
			name = name[:len(name)-1]
		}
	}
	if name = strings.TrimRight(name, "-_.:/0123456789"); name == "" {
		name = f.steps[0].Runs
	}
	return name + o.glyph("…", "..")
}

// members returns the names of several steps, or nil of one.
func (f *figure) members() (names []string) {
	if len(f.steps) == 1 {
		return nil
	}
	for _, s := range f.steps {
		names = append(names, s.Name)
	}
	return names
}
