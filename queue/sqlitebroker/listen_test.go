package sqlitebroker_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// hears listens to b, and returns what gives the next signal, and when it came.
func hears(t *testing.T, b *sqlitebroker.Broker) (next func() broker.Signal, listened <-chan error) {
	heard, over := make(chan broker.Signal, 2000), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { over <- b.Listen(ctx, func(s broker.Signal) { heard <- s }) }()
	t.Cleanup(func() { cancel(); synctest.Wait() })
	next = func() broker.Signal {
		t.Helper()
		select {
		case s := <-heard:
			return s
		case <-time.After(time.Minute):
			t.Error("nothing is heard for a minute")
			return broker.Signal{}
		}
	}
	if got := next(); got != (broker.Signal{Kind: broker.Listening}) {
		t.Errorf("the first signal is %+v, want that it listens", got)
	}
	return next, over
}

// twoBrokers gives f a broker that listens and one that does something, which are
// two on one file, and then one in memory.
func twoBrokers(t *testing.T, f func(t *testing.T, listens, does *sqlitebroker.Broker, within time.Duration)) {
	t.Run("of another process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "leat.db")
			listens, does := open(t, path), open(t, path)
			defer listens.Close()
			defer does.Close()
			f(t, listens, does, 200*time.Millisecond)
		})
	})
	t.Run("of its own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := open(t, ":memory:")
			defer b.Close()
			f(t, b, b, 0)
		})
	})
}

func TestWhoListensIsToldOfWhatIsCommittedByABroker(t *testing.T) {
	twoBrokers(t, func(t *testing.T, listens, does *sqlitebroker.Broker, within time.Duration) {
		next, _ := hears(t, listens)
		must(t, does, enqueue("q", "a", "unwatched"))
		l := lease(t, does, "q", 2).Leases
		ref := l[0].Entry.EntryRef
		done := func(l broker.Lease) broker.Change {
			return broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}}
		}
		for _, c := range []struct {
			kind broker.SignalKind
			do   func()
		}{
			{broker.CancelSent, func() { must(t, does, broker.Change{Move: []broker.Move{{EntryRef: ref, Do: broker.Cancel}}}) }},
			{broker.ProgressSeen, func() {
				must(t, does, broker.Change{Watch: []broker.EntryRef{ref}})
				for _, l := range l {
					if _, err := does.Report(t.Context(), time.Now(), broker.Progress{LeaseRef: l.Ref(), Data: []byte("half")}); err != nil {
						t.Error(err)
					}
				}
			}},
			{broker.EndSeen, func() { must(t, does, done(l[1]), done(l[0])) }},
		} {
			began := time.Now()
			c.do()
			if got, want := next(), (broker.Signal{Kind: c.kind, Entry: ref}); got != want {
				t.Errorf("heard %+v, want %+v", got, want)
			}
			if took := time.Since(began); took > within {
				t.Errorf("heard %+v after %v, want %v at most", c.kind, took, within)
			}
		}
	})
}

func TestListeningEndsWithItsContextAndWithTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, filepath.Join(t.TempDir(), "leat.db"))
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := make(chan error, 1)
		go func() { cancelled <- b.Listen(ctx, func(broker.Signal) {}) }()
		_, closed := hears(t, b)
		cancel()
		if err := <-cancelled; !errors.Is(err, context.Canceled) {
			t.Errorf("Listen() when its context ends = %v, want %v", err, context.Canceled)
		}
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		if err := <-closed; !errors.Is(err, broker.ErrClosed) {
			t.Errorf("Listen() when the broker is closed = %v, want %v", err, broker.ErrClosed)
		}
	})
}

func TestSignalsAreForgottenWhenThereAreMany(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	must(t, b, enqueue("q", "a"))
	l := lease(t, b, "q", 1).Leases[0]
	for range 3 {
		var changes []broker.Change
		for range 500 {
			changes = append(changes, broker.Change{Move: []broker.Move{{EntryRef: l.Entry.EntryRef, Do: broker.Cancel}}})
		}
		must(t, b, changes...)
	}
	if n := b.Rows(t, "leat_signal"); n != 1000 {
		t.Errorf("%d signals are kept, want the last thousand", n)
	}
}

// happenings returns the events of b after a cursor as "id state" and the cursor
// of the last one.
func happenings(t testing.TB, b *sqlitebroker.Broker, after string, limit int) (all []string, cursor string) {
	t.Helper()
	events, err := b.Events(t.Context(), after, limit)
	if err != nil {
		t.Fatalf("Events(%q) = %v, want nil", after, err)
	}
	for _, e := range events {
		all, cursor = append(all, fmt.Sprint(e.Entry.ID, " ", int(e.State))), e.Cursor
	}
	return all, cursor
}

func TestEventsAreKeptAsLongAsThereIsRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	b := keeping(t, path, 5)
	must(t, b, enqueue("q", "a", "b", "c"))
	l := lease(t, b, "q", 1).Leases[0]
	all, cursor := happenings(t, b, "", 9)
	if diff := cmp.Diff([]string{"a 2", "b 2", "c 2", "a 1"}, all); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	must(t, b, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}, Enqueue: entries("q", "d")})
	if all, _ := happenings(t, b, cursor, 9); !cmp.Equal(all, []string{"a 0", "d 2"}) {
		t.Errorf("events after the cursor are %q, want that a was deleted and d added", all)
	}
	if all, _ := happenings(t, b, "1", 9); !cmp.Equal(all, []string{"b 2", "c 2", "a 1", "a 0", "d 2"}) {
		t.Errorf("events after one that is forgotten are %q, want all that are kept", all)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = keeping(t, path, 2)
	must(t, b, enqueue("q", "e", "f", "g"))
	if all, _ := happenings(t, b, "", 9); !cmp.Equal(all, []string{"f 2", "g 2"}) {
		t.Errorf("events where two are kept are %q", all)
	}
	b.Close()
	b = open(t, path)
	defer b.Close()
	must(t, b, enqueue("q", "h"))
	if all, _ := happenings(t, b, "", 9); !cmp.Equal(all, []string{"f 2", "g 2"}) {
		t.Errorf("events of a broker that keeps none are %q, want those that were kept", all)
	}
}
