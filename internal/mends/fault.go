package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// A fault is a row of the table in docs/asynq.md.
type fault struct {
	number int
	tests  []string // names of functions, and sentences of brokertest
}

var (
	row      = regexp.MustCompile(`^\| (\d+) \|.*\|([^|]*)\|$`)
	testName = regexp.MustCompile("`(Test\\w+)`|\"([^\"]+)\"")
)

// readFaults reads the table in the document at path.
func readFaults(path string) ([]fault, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	faults := faultsIn(string(text))
	if len(faults) == 0 {
		return nil, fmt.Errorf("%s has no table of faults", path)
	}
	return faults, nil
}

// faultsIn returns the faults whose rows are in text.
func faultsIn(text string) (faults []fault) {
	for line := range strings.Lines(text) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		f := fault{}
		f.number, _ = strconv.Atoi(m[1])
		for _, name := range testName.FindAllStringSubmatch(m[2], -1) {
			f.tests = append(f.tests, name[1]+name[2])
		}
		faults = append(faults, f)
	}
	return faults
}
