package task_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

func TestAMuxFindsTheClosestPattern(t *testing.T) {
	mux := task.NewMux()
	for _, pattern := range []string{"image", "image:resize", "email:welcome", "e"} {
		mux.Handle(pattern, answer(errors.New(pattern)))
	}
	for _, c := range []struct{ typ, want string }{
		{"image", "image"},
		{"image:resize", "image:resize"},
		{"image:resize:large", "image:resize"},
		{"image:resiz", "image"},
		{"images", "image"},
		{"email:welcome", "email:welcome"},
		{"email:reminder", "e"},
		{"imag", ""},
		{"", ""},
		{"Image", ""},
	} {
		tk := task.New(c.typ, nil)
		h, pattern := mux.Handler(tk)
		if pattern != c.want {
			t.Errorf("pattern for %q is %q, want %q", c.typ, pattern, c.want)
		}
		want := c.want
		if want == "" {
			want = fmt.Sprintf("handler not found for task %q", c.typ)
		}
		if err := h.ProcessTask(t.Context(), tk); err.Error() != want {
			t.Errorf("the handler for %q answers %q, want %q", c.typ, err, want)
		}
		if err := mux.ProcessTask(t.Context(), tk); err.Error() != want {
			t.Errorf("the mux answers %q for %q, want %q", err, c.typ, want)
		}
	}
}

func TestTheZeroMuxFindsNothing(t *testing.T) {
	var mux task.Mux
	err := mux.ProcessTask(t.Context(), task.New("zz", nil))
	if !errors.Is(err, task.ErrHandlerNotFound) || err.Error() != `handler not found for task "zz"` {
		t.Errorf("got %v, want ErrHandlerNotFound naming zz", err)
	}
	mux.Handle("zz", answer(nil))
	if err := mux.ProcessTask(t.Context(), task.New("zz", nil)); err != nil {
		t.Errorf("once registered: %v", err)
	}
}

func TestAMuxRefusesWrongRegistrations(t *testing.T) {
	var none task.HandlerFunc
	ok := answer(nil)
	for _, c := range []struct {
		name string
		do   func(*task.Mux)
		want string
	}{
		{"an empty pattern", func(m *task.Mux) { m.Handle("", ok) }, `invalid pattern "": must not be empty`},
		{"a blank pattern", func(m *task.Mux) { m.Handle(" \t", ok) }, `invalid pattern " \t": has ' '`},
		{"a pattern that begins no name", func(m *task.Mux) { m.Handle("a{b}", ok) }, `invalid pattern "a{b}": has '{'`},
		{"a nil handler", func(m *task.Mux) { m.Handle("a", nil) }, "nil handler for a"},
		{"a nil function as a handler", func(m *task.Mux) { m.Handle("a", none) }, "nil handler for a"},
		{"a nil function", func(m *task.Mux) { m.HandleFunc("a", nil) }, "nil handler for a"},
		{"a second registration", func(m *task.Mux) { m.Handle("taken", ok) }, "multiple registrations for taken"},
		{"a nil middleware", func(m *task.Mux) { m.Use(nil) }, "nil middleware"},
		{"a middleware that returns nil", func(m *task.Mux) {
			m.Use(func(task.Handler) task.Handler { return nil })
		}, "middleware returned a nil handler"},
		{"a needed queue without a name", func(m *task.Mux) { m.Need("") }, `invalid queue "": must not be empty`},
		{"a reserved queue without a name", func(m *task.Mux) { m.Reserve("") }, `invalid queue "": must not be empty`},
		{"a background without a name", func(m *task.Mux) { m.Background("", idle) }, `invalid background "": must not be empty`},
		{"a background with a bad name", func(m *task.Mux) { m.Background("a{b}", idle) }, `invalid background "a{b}": has '{'`},
		{"a nil background", func(m *task.Mux) { m.Background("a", nil) }, "nil background a"},
		{"a second background of one name", func(m *task.Mux) { m.Background("taken", idle) }, "multiple backgrounds taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mux := task.NewMux()
			mux.Handle("taken", ok)
			mux.Background("taken", idle)
			if got := panicOf(func() { c.do(mux) }); !strings.HasPrefix(got, "task: ") || !strings.Contains(got, c.want) {
				t.Errorf("panic is %q, want it to say %q", got, c.want)
			}
			if err := mux.ProcessTask(t.Context(), task.New("taken", nil)); err != nil {
				t.Errorf("the mux does not work afterwards: %v", err)
			}
		})
	}
}

// idle is a background that has nothing to do.
func idle(context.Context) error { return nil }

func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

// A calls is a list of names to which tag's middleware adds.
type calls struct{ made, wrapped []string }

func (c *calls) tag(name string) task.Middleware {
	return func(next task.Handler) task.Handler {
		c.wrapped = append(c.wrapped, name)
		return task.HandlerFunc(func(ctx context.Context, t *task.Task) error {
			c.made = append(c.made, name)
			return next.ProcessTask(ctx, t)
		})
	}
}

func TestTheFirstMiddlewareIsOutermost(t *testing.T) {
	var c calls
	mux := task.NewMux()
	mux.Handle("early", answer(nil))
	mux.Use(c.tag("1"), c.tag("2"))
	mux.Handle("late", answer(nil))
	mux.Use(c.tag("3"))

	for _, typ := range []string{"early", "late", "missing"} {
		c.made = nil
		err := mux.ProcessTask(t.Context(), task.New(typ, nil))
		if found := typ != "missing"; errors.Is(err, task.ErrHandlerNotFound) == found {
			t.Errorf("%s: got error %v", typ, err)
		}
		if diff := cmp.Diff([]string{"1", "2", "3"}, c.made); diff != "" {
			t.Errorf("%s: middleware in order of calls (-want +got):\n%s", typ, diff)
		}
	}
}

func TestMiddlewareWrapsWhenRegisteredNotForEachTask(t *testing.T) {
	var c calls
	mux := task.NewMux()
	mux.Handle("a", answer(nil))
	mux.Use(c.tag("1"))
	mux.Handle("b", answer(nil))
	before := len(c.wrapped)
	for range 10 {
		_ = mux.ProcessTask(t.Context(), task.New("a", nil))
		_ = mux.ProcessTask(t.Context(), task.New("missing", nil))
	}
	if before != 3 { // around a, b and the answer to what has no handler
		t.Errorf("middleware wrapped %d handlers, want 3", before)
	}
	if got := len(c.wrapped) - before; got != 0 {
		t.Errorf("20 tasks wrapped handlers %d times, want none", got)
	}
}

func TestAMuxMayBeChangedWhileItRuns(t *testing.T) {
	mux := task.NewMux()
	mux.Handle("t", answer(nil))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 50 {
				mux.Handle(fmt.Sprintf("t%d.%d", i, j), answer(nil))
				mux.Reserve(fmt.Sprintf("q%d", j))
				mux.Background(fmt.Sprintf("b%d.%d", i, j), idle)
				_ = mux.Backgrounds()
			}
			mux.Use(func(next task.Handler) task.Handler { return next })
		})
		wg.Go(func() {
			for j := range 200 {
				if err := mux.ProcessTask(t.Context(), task.New(fmt.Sprintf("t%d.%d", i, j), nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(mux.Reserved()); got != 50 {
		t.Errorf("%d queues are reserved, want 50", got)
	}
	if got := len(mux.Backgrounds()); got != 200 {
		t.Errorf("%d backgrounds, want 200", got)
	}
}

func TestNeededQueuesAreSortedAndDistinct(t *testing.T) {
	mux := task.NewMux()
	for _, q := range []string{"mail", "a", "mail"} {
		mux.Need(q)
	}
	if diff := cmp.Diff([]string{"a", "mail"}, mux.Needed()); diff != "" {
		t.Errorf("Needed (-want +got):\n%s", diff)
	}
}

func TestReservedQueuesAreSortedAndDistinct(t *testing.T) {
	mux := task.NewMux()
	if got := mux.Reserved(); len(got) != 0 {
		t.Errorf("Reserved() of an empty mux = %v", got)
	}
	for _, q := range []string{"wf~order", "a", "wf~order"} {
		mux.Reserve(q)
	}
	if diff := cmp.Diff([]string{"a", "wf~order"}, mux.Reserved()); diff != "" {
		t.Errorf("Reserved (-want +got):\n%s", diff)
	}
}

func TestBackgroundsAreToldByName(t *testing.T) {
	mux := task.NewMux()
	if got := mux.Backgrounds(); len(got) != 0 {
		t.Errorf("Backgrounds() of an empty mux = %v", got)
	}
	why := errors.New("told by b")
	mux.Background("wf~a", idle)
	mux.Background("b", func(context.Context) error { return why })
	got := mux.Backgrounds()
	if diff := cmp.Diff([]string{"b", "wf~a"}, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Fatalf("names (-want +got):\n%s", diff)
	}
	if err := got["b"](t.Context()); !errors.Is(err, why) {
		t.Errorf("b returned %v, want %v", err, why)
	}
	clear(got)
	if n := len(mux.Backgrounds()); n != 2 {
		t.Errorf("%d backgrounds after the caller changed its map, want 2", n)
	}
}

// longestPrefix is what a Mux should find, without any thought for speed.
func longestPrefix(patterns []string, typ string) (longest string) {
	for _, p := range patterns {
		if strings.HasPrefix(typ, p) && len(p) > len(longest) {
			longest = p
		}
	}
	return longest
}

// checkMux registers patterns and compares the handlers of types with those
// that longestPrefix finds.
func checkMux(t *testing.T, patterns, types []string) {
	t.Helper()
	mux := task.NewMux()
	var registered []string
	for _, p := range patterns {
		if task.CheckMadeName("pattern", p) != nil || slices.Contains(registered, p) {
			continue
		}
		mux.Handle(p, answer(errors.New(p)))
		registered = append(registered, p)
	}
	for _, typ := range types {
		want := longestPrefix(registered, typ)
		h, got := mux.Handler(task.New(typ, nil))
		if got != want {
			t.Fatalf("patterns %q: %q goes to %q, want %q", registered, typ, got, want)
		}
		err := h.ProcessTask(t.Context(), task.New(typ, nil))
		if want == "" != errors.Is(err, task.ErrHandlerNotFound) || want != "" && err.Error() != want {
			t.Fatalf("patterns %q: %q is answered by %v, want the handler of %q", registered, typ, err, want)
		}
	}
}

func FuzzAMuxFindsTheLongestPrefix(f *testing.F) {
	f.Add("image image:resize", "image:resize:large image imag images")
	f.Add("a aa aaa ab b", "aaaa aab ab c b a")
	f.Add("{ \x00 é a~b", "a~b~c a é")
	f.Fuzz(func(t *testing.T, patterns, types string) {
		checkMux(t, strings.Split(patterns, " "), strings.Split(types, " "))
	})
}

func TestAMuxFindsTheLongestOfRandomPrefixes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	words := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			for range rng.IntN(6) { // two letters, so that many share a prefix
				list[i] += string("ab"[rng.IntN(2)])
			}
		}
		return list
	}
	for range 300 {
		checkMux(t, words(rng.IntN(20)), words(20))
	}
}

func BenchmarkMux(b *testing.B) {
	mux := task.NewMux()
	for i := range 100 {
		mux.Handle(fmt.Sprintf("kind%d:%s", i, strings.Repeat("x", i%7)), answer(nil))
	}
	tk := task.New("kind42:", nil)
	for b.Loop() {
		_ = mux.ProcessTask(b.Context(), tk)
	}
}
