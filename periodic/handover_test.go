package periodic_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

const (
	handOvers = 200
	storages  = 10 // that they are spread over: a scheduler looks at all entries of its own

	around = 3 * time.Second // the tick, before and after it
)

// Two hundred entries have a tick at the same time, around which each is handed over from
// one scheduler to another: one ends and one begins, in either order or at once.
func TestEachHandOverAroundATickEnqueuesItOnce(t *testing.T) {
	for _, at := range places {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			by := byChance(t)
			began := time.Now()
			var brokers []broker.Broker
			var ledgers []*ledger
			for n := range storages {
				b := at.part(t, n)
				brokers, ledgers = append(brokers, b), append(ledgers, keep(t, b, "default"))
			}
			lead := 12*time.Second + 3*time.Since(began) // until all schedulers run, on a machine as slow as it is
			tick := time.Now().UTC().Add(lead).Truncate(time.Second)
			var over sync.WaitGroup
			for _, b := range brokers {
				for m := range handOvers / storages {
					h := handOver{b, periodic.Entry{Name: fmt.Sprint("e", m), Schedule: tick.Format("5 4 15 * * *"), Type: "t"}, tick}
					ends, begins := drawAround(by), drawAround(by)
					over.Go(func() { h.make(t, ends, begins) })
				}
			}
			over.Wait()
			for n, l := range ledgers {
				l.drained()
				for m := range handOvers / storages {
					if got := l.of(fmt.Sprint("e", m)); len(got) != 1 || !got[0].Equal(tick) {
						t.Errorf("storage %d, entry %d: ticks %v were run, want %v once", n, m, got, tick)
					}
				}
				l.wantNoneEarly()
			}
		})
	}
}

func drawAround(by *rand.Rand) time.Duration {
	return time.Duration(by.Int64N(int64(2*around))) - around
}

// A handOver is from one scheduler of an entry to another.
type handOver struct {
	b     broker.Broker
	entry periodic.Entry
	tick  time.Time
}

// make has the first scheduler end and the second begin at these distances from the
// tick, and returns once that is decided.
func (h handOver) make(t *testing.T, ends, begins time.Duration) {
	first := h.schedule(t)
	look := periodic.NewInspector(h.b)
	await(t, "the entry is known", func() bool {
		_, err := look.Get(t.Context(), h.entry.Name)
		return err == nil
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		time.Sleep(time.Until(h.tick.Add(ends)))
		first()
	}()
	time.Sleep(time.Until(h.tick.Add(begins)))
	second := h.schedule(t)
	<-ended
	await(t, "the tick is decided", func() bool {
		info, err := look.Get(t.Context(), h.entry.Name)
		return err == nil && info.Next.After(h.tick)
	})
	second()
}

func (h handOver) schedule(t *testing.T) (stop func()) {
	s := periodic.New(queue.NewClient(h.b), periodic.Config{Logger: silent})
	if err := s.Register(h.entry); err != nil {
		t.Error(err)
	}
	return runUntilEnd(t, s)
}

// Redis is away across ticks: it does not answer, or has ended and begins again with what
// is in its file. The ticks are enqueued once it is back, each once.
func TestTicksOfAnOutageOfRedisAreEnqueuedAfterIt(t *testing.T) {
	const lasting = 5 * time.Second
	for name, outage := range map[string]func(*testing.T, *redistest.Server){
		"it is silent": func(t *testing.T, s *redistest.Server) {
			s.Do(t, "CLIENT", "PAUSE", fmt.Sprint(lasting.Milliseconds()), "ALL")
			time.Sleep(lasting)
		},
		"it is restarted": func(t *testing.T, s *redistest.Server) {
			s.Kill()
			time.Sleep(lasting)
			s.Restart(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{AOF: true})
			l := keep(t, openURL(t, s.URL()), soakQueues...)
			var stops []func()
			for range 2 {
				scheduler := periodic.New(queue.NewClient(openURL(t, s.URL())), periodic.Config{Logger: silent})
				if err := scheduler.Register(soakEntries()...); err != nil {
					t.Fatal(err)
				}
				stops = append(stops, runUntilEnd(t, scheduler))
			}
			ranSince := func(at time.Time) {
				for _, e := range soakEntries() {
					await(t, "ticks are run", func() bool { return l.last(e.Name).After(at) })
				}
			}
			since := time.Now().Add(time.Second)
			ranSince(since)
			l.drained() // what has run and is not settled when Redis ends would be run again
			outage(t, s)
			ranSince(time.Now())
			for _, stop := range stops {
				stop()
			}
			l.drained()
			for _, e := range soakEntries() {
				l.wantEachOnce(e.Name, since)
			}
			l.wantNoneEarly()
			l.sound()
			t.Logf("%d ticks; late p50 | p99 | most: %s", l.count(), l.lateness())
		})
	}
}
