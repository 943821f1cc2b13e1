package rundraw

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/layout"
	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
)

// A Drawer draws runs. It keeps the places of the steps of the workflows that it has drawn
// last: they are the same for all runs of one, and as long as a run goes on. Its zero value
// is ready for use, by several goroutines.
type Drawer struct {
	groups  memo[[]outline.Group]
	layouts memo[layout.Drawing]
}

// Options say how a run is drawn.
type Options struct {
	// Link returns the address of a step of a run: of the one that is drawn, or of one within.
	Link func(r view.Run, step string) string
	// Toggle returns the address under which the runs that a step is are drawn in place, or
	// are not any more. Nil: there are no links for it.
	Toggle func(step string) string

	Selected   string         // name of the step of the run that is
	Find       string         // what the names of the steps have in them that are marked; "": none are
	Opened     []string       // names of steps in whose places the runs that they are are drawn, at any depth
	Down       bool           // the graph goes from top to bottom
	Width      int            // of a gantt, in pixels; 0: 960
	Pauses     []outline.Span // in which the run was paused
	Other      *view.Run      // one whose times a gantt has below those of the run, both from their beginnings; nil: none
	From, To   time.Duration  // the stretch of time that a gantt is of, since where that of the whole run begins; To 0: up to its end
	Standalone bool           // the drawing is a file, and brings its colours with it

	total int // figures that are drawn, those of runs within the run with them
}

// A digest stands for a shape.
type digest [sha256.Size]byte

// A shape is the hash of what does not change while a run goes on.
type shape struct{ hash.Hash }

func newShape() shape { return shape{sha256.New()} }

func (s shape) number(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // as bits
	_, _ = s.Write(b[:])                           // a hash takes all
}

func (s shape) text(t string) {
	s.number(len(t))
	_, _ = s.Write([]byte(t)) // a hash takes all
}

func (s shape) sum() (d digest) {
	s.Sum(d[:0])
	return d
}

// shapeOf returns what stands for the steps of a run, and what waits for what.
func shapeOf(steps []view.Step) digest {
	h := newShape()
	for _, s := range steps {
		h.text(s.Name)
		h.text(s.Kind)
		h.text(s.Runs)
		h.number(len(s.After))
		for _, name := range s.After {
			h.text(name)
		}
		if s.Workflow {
			h.number(1)
		}
	}
	return h.sum()
}

// many is from how many steps on alike ones are drawn as one.
const many = 40

// fold returns the groups of a run's steps.
func (d *Drawer) fold(r view.Run) ([]outline.Group, digest) {
	shape := shapeOf(r.Steps)
	groups, _ := d.groups.of(shape, func() ([]outline.Group, error) { return outline.Fold(r.Steps, many), nil })
	return groups, shape
}

// A memo keeps what was made last.
type memo[V any] struct {
	mu   sync.Mutex
	kept map[digest]V
	ages []digest // the oldest first
}

// keeps is how much a memo keeps.
const keeps = 256

// of returns what is kept under a digest, or makes it.
func (m *memo[V]) of(key digest, made func() (V, error)) (V, error) {
	m.mu.Lock()
	v, known := m.kept[key]
	m.mu.Unlock()
	if known {
		return v, nil
	}
	v, err := made()
	if err != nil {
		return v, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.kept[key]; !known {
		m.ages = append(m.ages, key)
	}
	if m.kept == nil {
		m.kept = make(map[digest]V)
	}
	if m.kept[key] = v; len(m.ages) > keeps {
		delete(m.kept, m.ages[0])
		m.ages = m.ages[1:]
	}
	return v, nil
}
