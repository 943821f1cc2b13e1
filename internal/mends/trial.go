package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A trial is a test that is to fail without a mend.
type trial struct {
	mend
	test string
	dir  string // of the package
	run  string // chooses the test, as -run does
	leaf string // ends the name that go test gives it
}

// sources says where tests are.
type sources struct {
	functions  map[string][]string // the folders of a function, by its name
	behaviours map[string]string   // what a case of the suite is listed under, by its sentence
}

// suiteFolder holds the cases that documents quote.
const suiteFolder = "queue/brokertest"

var (
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	oneBehaviour = regexp.MustCompile(`(?m)^\t\{"([^"]+)", (\w+Promises)\},`)
	promiseList  = regexp.MustCompile(`(?ms)^var (\w+Promises) = \[\]promise\{$(.*?)^\}`)
	oneCase      = regexp.MustCompile(`(?m)^\t\{"([^"]+)", `)
)

// readSources finds the tests below root.
func readSources(root string) (sources, error) {
	found := sources{functions: make(map[string][]string), behaviours: make(map[string]string)}
	listed, named := make(map[string]string), make(map[string]string) // list of a sentence, behaviour of a list
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		folder := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
				found.functions[m[1]] = append(found.functions[m[1]], folder)
			}
		}
		if folder == suiteFolder {
			for _, m := range oneBehaviour.FindAllStringSubmatch(string(text), -1) {
				named[m[2]] = m[1]
			}
			for _, list := range promiseList.FindAllStringSubmatch(string(text), -1) {
				for _, m := range oneCase.FindAllStringSubmatch(list[2], -1) {
					listed[m[1]] = list[1]
				}
			}
		}
		return err
	})
	for sentence, list := range listed {
		found.behaviours[sentence] = named[list]
	}
	return found, err
}

// plan returns a trial for each test of the faults. It reports tests that no mend
// is known for, and mends for tests that no fault names.
func plan(r *report, faults []fault, found sources) (trials []trial) {
	for _, f := range faults {
		for _, test := range f.tests {
			m, ok := forTest(f.number, test)
			if !ok {
				r.problem("%2d  %s: no mend is known", f.number, test)
				continue
			}
			t, err := newTrial(m, test, found)
			if err != nil {
				r.problem("%2d  %s: %v", f.number, test, err)
				continue
			}
			trials = append(trials, t)
		}
		for _, m := range mends {
			for _, test := range m.tests {
				if m.fault == f.number && !slices.Contains(f.tests, test) {
					r.problem("%2d  %s: has a mend, and is not in docs/asynq.md", f.number, test)
				}
			}
		}
	}
	return trials
}

func newTrial(m mend, test string, found sources) (trial, error) {
	t := trial{mend: m, test: test}
	if !strings.HasPrefix(test, "Test") {
		behaviour := found.behaviours[test]
		if behaviour == "" {
			return t, errors.New("is no case of the suite")
		}
		t.dir, t.run = suiteBeside(m.file)
		t.leaf = "/" + underscored(behaviour) + "/" + underscored(test)
		t.run += "/^" + regexp.QuoteMeta(underscored(behaviour)) + "$/^" + regexp.QuoteMeta(underscored(test)) + "$"
		return t, nil
	}
	if dirs := found.functions[test]; len(dirs) != 1 {
		return t, fmt.Errorf("is in %d packages", len(dirs))
	}
	t.dir, t.run, t.leaf = found.functions[test][0], "^"+test+"$"+m.only, test
	return t, nil
}

// underscored returns what go test calls a part of a test that has this name.
func underscored(name string) string { return strings.ReplaceAll(name, " ", "_") }

// suiteBeside returns the package that runs the suite on the broker whose source a
// file is, and the part of -run that comes before a behaviour.
func suiteBeside(file string) (dir, run string) {
	switch {
	case strings.HasPrefix(file, "queue/sqlitebroker/"):
		return "queue/sqlitebroker", "^TestBroker$/^memory$"
	case strings.HasPrefix(file, suiteFolder+"/"):
		return suiteFolder, "^TestTheModelPassesTheSuite$"
	}
	return "queue/redisbroker", "^TestBroker$"
}

// byPackage returns the trials of each package.
func byPackage(trials []trial) [][]trial {
	groups := make(map[string][]trial)
	for _, t := range trials {
		groups[t.dir] = append(groups[t.dir], t)
	}
	return slices.SortedFunc(maps.Values(groups), func(a, b []trial) int { return cmp.Compare(a[0].dir, b[0].dir) })
}

// passesAsItIs returns an error unless all tests of trials, which are of one
// package, are run and pass.
func passesAsItIs(ctx context.Context, trials []trial) error {
	var choices []string
	for _, t := range trials {
		if !slices.Contains(choices, t.run) {
			choices = append(choices, t.run)
		}
	}
	o, err := goTest(ctx, trials[0].dir, strings.Join(choices, "|"), "10m")
	switch {
	case err != nil:
		return err
	case !o.passed:
		return errors.New(o.why())
	}
	for _, t := range trials {
		if !o.ran(t.leaf) {
			return fmt.Errorf("no test was run by -run %q", t.run)
		}
	}
	return nil
}

// fails returns an error unless the test fails without the mend. What is written
// for it lies in temp.
func (t trial) fails(ctx context.Context, temp string) error {
	overlay, err := t.overlay(temp)
	if err != nil {
		return err
	}
	o, err := goTest(ctx, t.dir, t.run, "60s", "-overlay", overlay)
	switch {
	case err != nil:
		return err
	case !o.built:
		return fmt.Errorf("cannot be built without its mend: %s", o.why())
	case !o.ran(t.leaf):
		return fmt.Errorf("is not run by -run %q: %s", t.run, o.why())
	case o.passed:
		return errors.New("passes without its mend")
	case o.late:
		return errors.New("has not ended after a minute without its mend, which may be for want of time")
	}
	return nil
}

// overlay writes the file without its mend, and what has go take that in place of
// the other.
func (t trial) overlay(temp string) (string, error) {
	text, err := t.without()
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(t.file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(temp, "changed"+filepath.Ext(t.file)), filepath.Join(temp, "overlay.json")
	words, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	return overlay, errors.Join(os.WriteFile(changed, []byte(text), 0o600), os.WriteFile(overlay, words, 0o600))
}
