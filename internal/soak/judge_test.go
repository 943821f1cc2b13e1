package soak

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/leatwork/leat/workflow"
)

// A history is the calls of the batched step in one process, the oldest first.
type history struct {
	calls  [][]int // with which texts
	cut    bool    // the last has not returned
	killed bool    // the process did not end by itself
}

// A tally is what the processes have done together.
type tally struct {
	tried  map[int]int // how often each text was
	doubts map[int]int // in how many last calls of processes that were killed it was
	sizes  []int       // of all calls but those that are made of one text for its own sake
	alone  int         // how many of these there are
	cut    int         // how many calls did not return
}

// tallyOf counts what the histories tell. A text whose processes have died twice is tried
// alone, by design.
func tallyOf(all []history) tally {
	c := tally{tried: make(map[int]int), doubts: make(map[int]int)}
	for _, h := range all {
		if n := len(h.calls); h.killed && n > 0 {
			for _, text := range h.calls[n-1] {
				c.doubts[text]++
			}
		}
		if h.cut {
			c.cut++
		}
	}
	for _, h := range all {
		for _, texts := range h.calls {
			for _, text := range texts {
				c.tried[text]++
			}
			if len(texts) == 1 && c.doubts[texts[0]] > 1 {
				c.alone++
			} else {
				c.sizes = append(c.sizes, len(texts))
			}
		}
	}
	return c
}

func (c tally) calls() int { return len(c.sizes) + c.alone }

// full is how many calls had as many texts as they may.
func (c tally) full() (n int) {
	for _, size := range c.sizes {
		if size == batchSize {
			n++
		}
	}
	return n
}

func (c tally) partly() int { return len(c.sizes) - c.full() }

// repeated is how many tries were more than the texts need.
func (c tally) repeated() (n int) {
	for text, tried := range c.tried {
		n += tried - needs(text)
	}
	return n
}

// wantExplained demands that each text was tried as often as it needs, and again at most
// once for each process that was killed with it in its hands.
func (c tally) wantExplained(t *testing.T, runs int) {
	t.Helper()
	if got, want := len(c.tried), runs*inputsOfRun; got != want {
		t.Errorf("%d texts were tried, want %d", got, want)
	}
	wrong := 0
	for text, tried := range c.tried {
		if most := needs(text) + c.doubts[text]; tried < needs(text) || tried > most {
			if wrong++; wrong <= 10 {
				t.Errorf("text %d was tried %d times, want %d to %d", text, tried, needs(text), most)
			}
		}
	}
	if i := slices.IndexFunc(c.sizes, func(size int) bool { return size > batchSize }); i >= 0 {
		t.Errorf("a call has %d texts, want at most %d", c.sizes[i], batchSize)
	}
}

// wantFew demands that no more calls were partly filled than there are reasons for: with
// each try that the texts have, the last call of a shard has what is left, and so has
// what comes back of a process that was killed; a text that is tried alone is missing in
// the call that it would be in; and when the processes are slow, texts wait no longer for
// others than they may.
func (c tally) wantFew(t *testing.T, shards, kills, waits int) {
	t.Helper()
	if most := (shards+kills)*embedTries + c.alone + waits; c.partly() > most {
		t.Errorf("there were %v, want at most %d partly filled", c, most)
	}
}

// String says what there was.
func (c tally) String() string {
	return fmt.Sprintf("%d calls, %d of them full, %d partly filled and %d for one text alone; %d cut off, and %d tries repeated",
		c.calls(), c.full(), c.partly(), c.alone, c.cut, c.repeated())
}

// wantVectors demands of each run its own outputs, and of each text that cannot be
// embedded a failure of its own.
func wantVectors(ctx context.Context, t *testing.T, runs []workflow.Run[[]string]) {
	t.Helper()
	wrong := 0
	for n, run := range runs {
		got, err := run.Result(ctx)
		if err != nil || len(got) != inputsOfRun {
			t.Fatalf("run %d has %d outputs, and %v, want %d", n, len(got), err, inputsOfRun)
		}
		for i, text := range textsOf(n) {
			if fits(text, got[i]) {
				continue
			}
			if wrong++; wrong <= 10 {
				t.Errorf("output %d of run %d is %q, want that of %d", i, n, got[i], text)
			}
		}
	}
}

func fits(text int, got string) bool {
	if hopeless(text) {
		return strings.HasSuffix(got, fmt.Sprintf("no vector of %d", text))
	}
	return got == vector(text)
}
