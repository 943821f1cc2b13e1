package sqlitebroker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// eachStorage runs f on a file and in memory.
func eachStorage(t *testing.T, f func(*testing.T, *sqlitebroker.Broker)) {
	for _, path := range []string{filepath.Join(t.TempDir(), "leat.db"), ":memory:"} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			b := open(t, path)
			defer b.Close()
			f(t, b)
		})
	}
}

func TestACallWhoseContextHasEndedChangesNothing(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		must(t, b, enqueue("q", "a"))
		l := lease(t, b, "q", 1).Leases[0]
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for what, call := range map[string]func() error{
			"Apply": func() error { return applyAll(ctx, b, enqueue("q", "b")) },
			"Extend": func() error {
				_, err := b.Extend(ctx, time.Now(), time.Now().Add(time.Hour), l.Ref())
				return err
			},
			"Advance": func() error {
				_, err := b.Advance(ctx, time.Now().Add(time.Hour), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1})
				return err
			},
			"Beat":  func() error { return b.Beat(ctx, time.Now(), broker.Server{ID: "s"}) },
			"Entry": func() error { _, err := b.Entry(ctx, l.Entry.EntryRef); return err },
			"Ping":  func() error { return b.Ping(ctx) },
		} {
			if err := call(); !errors.Is(err, broker.ErrRefused) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s() = %v, want it to match %v and %v", what, err, broker.ErrRefused, context.Canceled)
			}
		}
		if names := b.Leftovers(t); len(names) != 1 {
			t.Errorf("stored is %q, want the one entry", names)
		}
		if s, err := b.Entry(t.Context(), l.Entry.EntryRef); err != nil || !s.Until.Equal(l.Until) {
			t.Errorf("Entry() = %+v, %v, want it leased until %v", s, err, l.Until)
		}
	})
}

// Contexts end at random moments: before a call's turn, while it waits for it,
// in it. Whatever its error says must be so, and the next call must work.
func TestACallWhoseContextEndsInItIsWholeOrNotAtAll(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		const callers, calls = 8, 100
		t.Log("seeds are the numbers of the callers")
		var wg sync.WaitGroup
		for caller := range callers {
			random := rand.New(rand.NewPCG(0, uint64(caller)))
			wg.Go(func() {
				for i := range calls {
					pair := enqueue("q", fmt.Sprintf("%d-%d-first", caller, i), fmt.Sprintf("%d-%d-second", caller, i))
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(500))*time.Microsecond)
					err := applyAll(ctx, b, pair)
					cancel()
					if err != nil && !errors.Is(err, broker.ErrRefused) {
						t.Errorf("Apply() = %v, want nil or %v", err, broker.ErrRefused)
					}
					for _, e := range pair.Enqueue {
						_, found := b.Entry(t.Context(), e.EntryRef)
						if (err == nil) != (found == nil) {
							t.Errorf("Apply() = %v and Entry(%s) = %v", err, e.EntryRef, found)
						}
					}
				}
			})
		}
		wg.Wait()
		must(t, b, enqueue("q", "last"))
		sound(t, b)
	})
}

func TestAReadThatIsInterruptedLeavesNothingOpen(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		for i := range 20 {
			var ids []string
			for j := range 500 {
				ids = append(ids, fmt.Sprintf("%d-%d", i, j))
			}
			must(t, b, enqueue("q", ids...))
		}
		interrupted := 0
		for i := range 40 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond/4)
			if _, err := b.Verify(ctx, time.Now()); errors.Is(err, context.DeadlineExceeded) {
				interrupted++
			} else if err != nil {
				t.Errorf("Verify() = %v", err)
			}
			cancel()
			must(t, b, enqueue("q", fmt.Sprint("between", i)))
		}
		if interrupted == 0 {
			t.Error("no read was interrupted")
		}
		sound(t, b)
	})
}

// Another process that keeps the right to write makes a call wait, and fail in
// the end; no longer than its context or the busy timeout allows.
func TestACallWaitsForAnotherWriterAsLongAsItMay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	other := open(t, path)
	defer other.Close()
	b, err := sqlitebroker.Open(path, &sqlitebroker.Options{BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	other.Exec(t, `BEGIN IMMEDIATE`)

	began := time.Now()
	if err := applyAll(t.Context(), b, enqueue("q", "a")); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Apply() = %v, want %v", err, broker.ErrRefused)
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("Apply() gave up after %v, want to wait 50ms", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := applyAll(ctx, b, enqueue("q", "a")); !errors.Is(err, broker.ErrRefused) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Apply() = %v, want it to match %v and %v", err, broker.ErrRefused, context.DeadlineExceeded)
	}
	if err := b.Ping(t.Context()); err != nil {
		t.Errorf("Ping() while another writes = %v, want nil", err)
	}

	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := applyAll(t.Context(), b, enqueue("q", fmt.Sprint(i))); !errors.Is(err, broker.ErrRefused) {
				t.Errorf("Apply() = %v, want %v", err, broker.ErrRefused)
			}
		})
	}
	wg.Wait()

	other.Exec(t, `ROLLBACK`)
	must(t, b, enqueue("q", "a"))
}
