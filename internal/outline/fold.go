package outline

import (
	"fmt"
	"slices"

	"github.com/leatwork/leat/internal/view"
)

// A Group is a step, or several that are drawn as one.
type Group struct {
	Steps []int // by their places in the run, in order
	After []int // the groups that it waits for, without those that others of them wait for
}

// manyEqual is of how many alike steps a group is made.
const manyEqual = 4

// Fold returns the groups of a run's steps, in the order of their first ones. Alone if
// there are more than many, steps that are alike make a group: they run the same, and wait for
// and are waited for by what is drawn as the same. It depends on nothing that changes
// while the run goes on.
func Fold(steps []view.Step, many int) []Group {
	after := reduced(steps)
	firsts := make([]int, len(steps)) // the first step that one is drawn with
	for i := range firsts {
		firsts[i] = i
	}
	if len(steps) > many {
		firsts = equals(steps, after)
	}
	var all []Group
	index := make(map[int]int) // groups by first step
	for i := range steps {
		k, known := index[firsts[i]]
		if !known {
			k = len(all)
			index[firsts[i]] = k
			all = append(all, Group{})
			for _, before := range after[i] {
				if b := index[firsts[before]]; !slices.Contains(all[k].After, b) {
					all[k].After = append(all[k].After, b)
				}
			}
		}
		all[k].Steps = append(all[k].Steps, i)
	}
	return all
}

// A set is a set of steps, by their places.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s set) addAll(other set) {
	for i, w := range other {
		s[i] |= w
	}
}

// reduced returns for each step the steps that it waits for, without those that others of
// them wait for.
func reduced(steps []view.Step) [][]int {
	named := make(map[string]int, len(steps))
	before := make([]set, len(steps)) // all that come before a step
	after := make([][]int, len(steps))
	for i, s := range steps {
		before[i] = newSet(len(steps))
		var near []int
		for _, name := range s.After {
			if j, known := named[name]; known {
				near = append(near, j)
				before[i].addAll(before[j])
			}
		}
		for _, j := range near {
			if !before[i].has(j) {
				after[i] = append(after[i], j)
			}
		}
		for _, j := range near {
			before[i].add(j)
		}
		named[s.Name] = i
	}
	return after
}

// equals returns for each step the first one that is drawn with it: itself, unless several
// run the same, and wait for and are waited for by what is drawn as the same. Such lie
// equally far from the beginning and from the end.
func equals(steps []view.Step, after [][]int) []int {
	behind := make([][]int, len(steps))
	for i, list := range after {
		for _, j := range list {
			behind[j] = append(behind[j], i)
		}
	}
	depths, heights := distances(after, behind)
	kinds, count := split(len(steps), func(i int) string {
		return fmt.Sprint(steps[i].Kind, " ", steps[i].Runs, " ", steps[i].Workflow, depths[i], heights[i])
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

// distances returns how many steps lie before and behind each, on the longest way.
func distances(after, behind [][]int) (depths, heights []int) {
	depths, heights = make([]int, len(after)), make([]int, len(after))
	for i := range after {
		for _, j := range after[i] {
			depths[i] = max(depths[i], depths[j]+1)
		}
	}
	for i := len(behind) - 1; i >= 0; i-- {
		for _, j := range behind[i] {
			heights[i] = max(heights[i], heights[j]+1)
		}
	}
	return depths, heights
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
