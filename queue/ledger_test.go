package queue_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"
)

// A ledger is the file in which a worker process notes what it does, a line for
// each note. It outlives a kill: a line is written, whole, before the worker goes
// on.
type ledger struct{ file *os.File }

// A note is a line of a ledger.
type note struct {
	What    noteKind
	ID      string
	Word    string `json:",omitempty"` // what the handler returned, or the outcome
	Retried int    `json:",omitempty"`
	At      time.Time
}

type noteKind string

const (
	noteStarted  noteKind = "started"  // a handler was called
	noteReturned noteKind = "returned" // it has returned
	noteSettled  noteKind = "settled"  // the outcome was recorded
	noteLost     noteKind = "lost"     // the outcome was refused
)

func openLedger(name string) (*ledger, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &ledger{f}, err
}

// write appends n. A worker that cannot keep its ledger is of no use.
func (l *ledger) write(n note) {
	n.At = time.Now()
	line, err := json.Marshal(n)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// readLedger returns the notes in a ledger, none if there is no such file yet.
func readLedger(t *testing.T, name string) (notes []note) {
	t.Helper()
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	whole := b[:bytes.LastIndexByte(b, '\n')+1] // the rest is being written
	for line := range bytes.Lines(whole) {
		var n note
		if err := json.Unmarshal(line, &n); err != nil {
			t.Fatalf("ledger %s: line %q: %v", name, line, err)
		}
		notes = append(notes, n)
	}
	return notes
}
