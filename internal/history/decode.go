package history

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// maxNumber is the largest number that a document may hold: so many can be added up
// without harm.
const maxNumber = 1 << 50

// A DocumentError says that a document of the history cannot be read.
type DocumentError struct {
	Home  broker.Home
	Key   string
	Newer bool // a newer program has written it; otherwise it is damaged
}

// Error names the document.
func (e *DocumentError) Error() string {
	if e.Newer {
		return fmt.Sprintf("document %s of %s is in a format that a newer program knows", e.Key, e.Home)
	}
	return fmt.Sprintf("document %s of %s is damaged", e.Key, e.Home)
}

// decode reads the document d of home, which has up to most slots. One that does not exist
// is an empty sheet. The only error is a [DocumentError].
func decode(home broker.Home, d broker.Document, most int) (*sheet, error) {
	s := newSheet()
	if d.Version == 0 {
		return s, nil
	}
	if len(d.Body) > 0 && d.Body[0] > format {
		return nil, &DocumentError{Home: home, Key: d.Key, Newer: true}
	}
	r := reader{rest: d.Body}
	r.sheet(s, most)
	if r.damaged || len(r.rest) > 0 {
		return nil, &DocumentError{Home: home, Key: d.Key}
	}
	return s, nil
}

// A reader reads what is encoded. Once anything is damaged all that it reads is zero.
type reader struct {
	rest    []byte
	damaged bool
}

func (r *reader) sheet(s *sheet, most int) {
	if r.number(format) != format {
		r.damaged = true
	}
	names := make([]string, r.number(MaxTypes+1))
	for i := range names {
		names[i] = r.text()
		if i > 0 && names[i] <= names[i-1] || s.known(names[i]) != names[i] {
			r.damaged = true
		}
	}
	n := r.number(int64(most))
	for next := int64(0); n > 0 && !r.damaged; n-- {
		i := r.index(&next, most)
		s.slots[i] = r.slot(names)
	}
}

func (r *reader) slot(names []string) *slot {
	s := &slot{types: map[string]*Figure{}}
	if r.number(1) == 1 {
		s.gauges.Known = true
		for _, n := range s.gauges.numbers() {
			*n = r.number(maxNumber)
		}
		s.gauges.Oldest = r.duration(time.Millisecond)
	}
	n := r.number(int64(len(names)))
	for next := int64(0); n > 0 && !r.damaged; n-- {
		if i := r.index(&next, len(names)); !r.damaged {
			s.types[names[i]] = r.figure()
		}
	}
	return s
}

func (r *reader) figure() *Figure {
	f := new(Figure)
	for _, n := range f.numbers() {
		*n = r.number(maxNumber)
	}
	f.Waits, f.Runs = r.histogram(), r.histogram()
	return f
}

func (r *reader) histogram() (h Histogram) {
	n := r.number(Buckets)
	if n == 0 {
		return h
	}
	h.counts = make([]int64, Buckets)
	for next := int64(0); n > 0 && !r.damaged; n-- {
		h.counts[r.index(&next, Buckets)] = r.number(maxNumber)
	}
	h.sum = r.duration(time.Microsecond)
	return h
}

// index reads a number below most that is at least next.
func (r *reader) index(next *int64, most int) int {
	i := *next + r.number(int64(most))
	if i >= int64(most) {
		r.damaged = true
		return 0
	}
	*next = i + 1
	return int(i)
}

// number reads a number that is at most most.
func (r *reader) number(most int64) int64 {
	n, length := binary.Uvarint(r.rest)
	if r.damaged || length <= 0 || n > uint64(most) {
		r.damaged = true
		return 0
	}
	r.rest = r.rest[length:]
	return int64(n)
}

func (r *reader) duration(unit time.Duration) time.Duration {
	return time.Duration(min(r.number(maxNumber), int64(maxDuration/unit))) * unit
}

// maxDuration is the longest that one is taken for.
const maxDuration = time.Duration(1 << 62)

func (r *reader) text() string {
	n := r.number(int64(len(r.rest)))
	if n > int64(len(r.rest)) {
		r.damaged = true
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}
