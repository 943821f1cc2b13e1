package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A mend is what keeps a fault of asynq from being here: a text in a file of the
// source, and what stands there instead once the mend is taken out. Where it is
// spread over many places, it is the main one.
type mend struct {
	fault int
	tests []string // that fail without it
	file  string
	old   string // occurs once in the file
	new   string
	only  string // which of the test's parts are run, as -run has them; "": all
}

// mends are all there are, in the order of their faults.
var mends = slices.Concat(mendsOfStorage, mendsOfServer, mendsOfClient, mendsOfSchedulers)

// forTest returns the mend that a test of a fault is to miss.
func forTest(number int, test string) (mend, bool) {
	i := slices.IndexFunc(mends, func(m mend) bool { return m.fault == number && slices.Contains(m.tests, test) })
	if i < 0 {
		return mend{}, false
	}
	return mends[i], true
}

// without returns the text of m's file without m.
func (m mend) without() (string, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("%s has the mend %d times, want once: %q", m.file, n, m.old)
	}
	return strings.Replace(string(text), m.old, m.new, 1), nil
}
