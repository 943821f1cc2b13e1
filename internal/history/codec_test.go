package history

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
)

var exact = cmp.AllowUnexported(sheet{}, slot{}, Histogram{})

var home = broker.Home{Queue: homes, ID: "minutes-20261130"}

func stored(body []byte) broker.Document {
	return broker.Document{Key: "default~13", Version: 1, Body: body}
}

// sheets draws a sheet that is added to, as keepers do.
func sheets(t *rapid.T) *sheet {
	s := newSheet()
	for range rapid.IntRange(0, 40).Draw(t, "adds") {
		s.add(rapid.IntRange(0, 59).Draw(t, "slot"), slots(t))
	}
	return s
}

func slots(t *rapid.T) *slot {
	s := &slot{types: map[string]*Figure{}}
	if rapid.Bool().Draw(t, "known") {
		s.gauges.Known = true
		for _, n := range s.gauges.numbers() {
			*n = rapid.Int64Range(0, 1<<40).Draw(t, "gauge")
		}
		s.gauges.Oldest = time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "oldest")) * time.Millisecond
	}
	for range rapid.IntRange(0, 5).Draw(t, "types") {
		f := &Figure{Processed: rapid.Int64Range(0, 1<<40).Draw(t, "processed"), Retried: rapid.Int64Range(0, 9).Draw(t, "retried")}
		f.Waits, f.Runs = histograms(t), histograms(t)
		s.types[rapid.StringMatching("[a-z]{1,2}|~other").Draw(t, "type")] = f
	}
	return s
}

func histograms(t *rapid.T) (h Histogram) {
	for range rapid.IntRange(0, 4).Draw(t, "durations") {
		var one timing
		one.add(time.Duration(rapid.Int64Range(1, int64(3*time.Hour/time.Microsecond)).Draw(t, "took")) * time.Microsecond)
		h.Add(one.take(new(Histogram)))
	}
	return h
}

func TestASheetIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := sheets(t)
		got, err := decode(home, stored(want.encode()), 60)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, exact); diff != "" {
			t.Errorf("written and read (-want +got):\n%s", diff)
		}
	})
}

// TestSheetsAreAddedInAnyOrder is about servers that write at once: nobody knows who is
// first.
func TestSheetsAreAddedInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := []*slot{slots(t), slots(t), slots(t)}
		sum := func(order ...int) *sheet {
			s := newSheet()
			for _, i := range order {
				s.add(7, parts[i])
			}
			return s
		}
		if diff := cmp.Diff(sum(0, 1, 2), sum(2, 0, 1), exact); diff != "" {
			t.Errorf("in two orders:\n%s", diff)
		}
	})
}

func TestWhatIsDamagedIsAnError(t *testing.T) {
	s := newSheet()
	for i := range 3 {
		f := &Figure{Processed: 300, Failed: 2}
		f.Runs.Add(Histogram{counts: slices.Repeat([]int64{200}, Buckets), sum: time.Hour})
		s.add(20*i, &slot{gauges: Gauges{Known: true, Pending: 1000}, types: map[string]*Figure{"mail": f, "a:longer:type": f}})
	}
	whole := s.encode()
	for n := range whole {
		if _, err := decode(home, stored(whole[:n]), 60); !damaged(err) {
			t.Errorf("cut off after %d of %d bytes: %v, want a DocumentError", n, len(whole), err)
		}
	}
	if _, err := decode(home, stored(append(slices.Clone(whole), 0)), 60); !damaged(err) {
		t.Errorf("with a byte too many: %v, want a DocumentError", err)
	}
	if _, err := decode(home, stored(whole), 24); !damaged(err) {
		t.Errorf("with more slots than there are hours: %v, want a DocumentError", err)
	}
	newer := append([]byte{format + 1}, whole[1:]...)
	_, err := decode(home, stored(newer), 60)
	if e, ok := errors.AsType[*DocumentError](err); !ok || !e.Newer {
		t.Errorf("in a newer format: %v, want a DocumentError that says so", err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		bent := slices.Clone(whole)
		for range 1 + r.IntN(3) {
			bent[r.IntN(len(bent))] = byte(r.Uint32())
		}
		if s, err := decode(home, stored(bent), 60); err == nil {
			s.encode() // it is a sheet like any other
		}
	}
}

func damaged(err error) bool {
	e, ok := errors.AsType[*DocumentError](err)
	return ok && !e.Newer
}

func FuzzDecode(f *testing.F) {
	f.Add(newSheet().encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decode(home, stored(b), 60)
		if err != nil {
			return
		}
		if again, err := decode(home, stored(s.encode()), 60); err != nil || len(again.slots) != len(s.slots) {
			t.Errorf("what was read and written again: %v", err)
		}
	})
}

func TestASheetTellsThirtyTypesApart(t *testing.T) {
	s := newSheet()
	for i := range 2 * MaxTypes {
		name := string(rune('A' + i))
		for minute := range 2 {
			s.add(minute, &slot{types: map[string]*Figure{name: {Processed: 1}}})
		}
	}
	want := append([]string{}, slices.Sorted(maps.Keys(s.types))...)
	if len(want) != MaxTypes || s.slots[1].types[Other].Processed != MaxTypes {
		t.Errorf("%d types, and %+v of others; want %d, and as many", len(want), s.slots[1].types[Other], MaxTypes)
	}
	read, err := decode(home, stored(s.encode()), 60)
	if err != nil {
		t.Fatal(err)
	}
	read.add(2, &slot{types: map[string]*Figure{"late": {Processed: 1}, "A": {Processed: 1}}})
	if got := slices.Sorted(maps.Keys(read.slots[2].types)); !slices.Equal(got, []string{"A", Other}) {
		t.Errorf("a sheet that was read counts as %q, want A and %s", got, Other)
	}
}
