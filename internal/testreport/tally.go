package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A tally adds events up, and prints what should be seen as it comes.
type tally struct {
	w       io.Writer
	running map[string]*tests // packages that have begun and not ended

	passed  int
	failed  []string // tests, and packages that failed outside their tests
	skipped []string
	ran     map[storage]int
}

func newTally(w io.Writer) *tally {
	return &tally{w: w, running: map[string]*tests{}, ran: map[storage]int{}}
}

// fail records a failure that belongs to no test.
func (t *tally) fail(what string) { t.failed = append(t.failed, what) }

// add takes the next event.
func (t *tally) add(e event) {
	if e.Package == "" {
		if e.Action == "build-output" {
			fmt.Fprint(t.w, e.Output)
		}
		return
	}
	p := t.running[e.Package]
	if p == nil {
		p = &tests{}
		t.running[e.Package] = p
	}
	p.add(e)
	switch e.Action {
	case "pass", "fail", "skip":
		if e.Test == "" {
			delete(t.running, e.Package)
			t.end(e, p)
		} else if e.Action == "fail" {
			t.print(p.said(e.Test))
		}
	}
}

// end counts the tests of a package that has ended with e.
func (t *tally) end(e event, p *tests) {
	passed, failed, skipped := p.count()
	t.passed += len(passed)
	t.failed = append(t.failed, withPrefix(e.Package, failed)...)
	t.skipped = append(t.skipped, withPrefix(e.Package, skipped)...)
	for _, name := range slices.Concat(passed, failed) {
		for _, s := range storages(e.Package, name) {
			t.ran[s]++
		}
	}
	if e.Action == "fail" {
		t.print(p.said(""))
		if e.FailedBuild != "" {
			t.fail(e.Package + " does not build")
		} else if len(failed) == 0 {
			t.fail(e.Package + " failed outside its tests")
		}
	}
	t.line(e, len(passed), len(failed), len(skipped))
}

// line prints the one line that every package gets.
func (t *tally) line(e event, passed, failed, skipped int) {
	word := map[string]string{"pass": "ok", "fail": "FAIL", "skip": "-"}[e.Action]
	if passed+failed+skipped == 0 && e.Action != "fail" {
		fmt.Fprintf(t.w, "%-4s  %s: no tests\n", word, e.Package)
		return
	}
	fmt.Fprintf(t.w, "%-4s  %s: %d passed", word, e.Package, passed)
	if failed > 0 {
		fmt.Fprintf(t.w, ", %d failed", failed)
	}
	if skipped > 0 {
		fmt.Fprintf(t.w, ", %d skipped", skipped)
	}
	fmt.Fprintf(t.w, " (%.1f s)\n", e.Elapsed)
}

func (t *tally) print(lines []string) {
	for _, l := range lines {
		fmt.Fprint(t.w, l)
	}
}

// finish ends the report once there are no more events, and reports whether
// all is well.
func (t *tally) finish() bool {
	for _, name := range slices.Sorted(maps.Keys(t.running)) {
		t.end(event{Action: "fail", Package: name}, t.running[name])
		t.fail(name + " did not end: the input is cut short")
	}
	t.summary()
	return t.passed > 0 && len(t.failed) == 0 && len(t.skipped) == 0
}

func withPrefix(pkg string, names []string) []string {
	var full []string
	for _, n := range names {
		full = append(full, pkg+" "+n)
	}
	return full
}

// tests are the tests of one package. The one with the empty name stands for
// the package itself.
type tests struct {
	byName map[string]*test
}

type test struct {
	action string   // the last of pass, fail and skip; "" if it has not ended
	output []string // kept until it passes
}

func (p *tests) add(e event) {
	if p.byName == nil {
		p.byName = map[string]*test{}
	}
	t := p.byName[e.Test]
	if t == nil {
		t = &test{}
		p.byName[e.Test] = t
	}
	switch e.Action {
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			t.output = append(t.output, e.Output)
		}
	case "pass", "fail", "skip":
		t.action = e.Action
		if e.Action == "pass" {
			t.output = nil
		}
	}
}

// said returns what a test printed, unless that is only that it failed and a
// subtest has said so already.
func (p *tests) said(name string) []string {
	t := p.byName[name]
	if t == nil || name != "" && len(t.output) == 1 && p.failsBelow(name) {
		return nil
	}
	return t.output
}

// count sorts the tests by how they ended. A test with subtests is not one of
// its own, unless it was skipped, or failed although its subtests passed. One
// that has not ended has failed.
func (p *tests) count() (passed, failed, skipped []string) {
	for _, name := range slices.Sorted(maps.Keys(p.byName)) {
		switch t := p.byName[name]; {
		case name == "":
		case t.action == "skip":
			skipped = append(skipped, name)
		case t.action == "pass":
			if !p.hasSubtests(name) {
				passed = append(passed, name)
			}
		case p.failsBelow(name):
		case t.action == "":
			failed = append(failed, name+" (did not end)")
		default:
			failed = append(failed, name)
		}
	}
	return passed, failed, skipped
}

func (p *tests) hasSubtests(name string) bool {
	return p.below(name, func(*test) bool { return true })
}

// failsBelow reports whether a subtest of the named one failed or did not end.
func (p *tests) failsBelow(name string) bool {
	return p.below(name, func(t *test) bool { return t.action != "pass" && t.action != "skip" })
}

func (p *tests) below(name string, is func(*test) bool) bool {
	for sub, t := range p.byName {
		if strings.HasPrefix(sub, name+"/") && is(t) {
			return true
		}
	}
	return false
}
