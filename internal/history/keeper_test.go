package history_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
)

// A trips is a broker that counts the calls of it.
type trips struct {
	mu    sync.Mutex
	calls []string
}

func (n *trips) count(b broker.Broker) broker.Broker {
	return brokertest.Faulty(b, func(_ int, method string) brokertest.Fault {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.calls = append(n.calls, method)
		return brokertest.Fault{}
	})
}

// since returns the calls since the last time.
func (n *trips) since() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.calls
	n.calls = nil
	return calls
}

// work counts n tasks of a type in a queue, each of which waited and ran as long as said.
func work(k *history.Keeper, queue, name string, n int, waited, took time.Duration) {
	for range n {
		c := k.Of(queue, name)
		c.Began(waited)
		c.Settled(broker.Done, false, took)
	}
}

// write takes what was counted in the minute that ends now, and writes it a second later.
func write(t *testing.T, k *history.Keeper) {
	t.Helper()
	k.Take(time.Now().Add(-time.Millisecond))
	time.Sleep(time.Second)
	if err := k.Write(t.Context(), time.Now(), false); err != nil {
		t.Errorf("Write() = %v, want nil", err)
	}
}

func read(t *testing.T, b broker.Broker, r history.Request) history.Figures {
	t.Helper()
	f, err := history.Read(t.Context(), b, r)
	if err != nil {
		t.Fatalf("Read() = %v, want nil", err)
	}
	return f
}

// untilMinute lets the time pass until n minutes have begun.
func untilMinute(n int) {
	time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Duration(n) * time.Minute)))
}

func TestWhatWasCountedIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		k := history.NewKeeper(b, []string{"default", "low"})
		began := time.Now()
		work(k, "default", "mail", 6, 20*time.Millisecond, time.Second)
		k.Of("default", "scan").Settled(broker.Retry, true, time.Second)
		k.Of("default", "scan").Settled(broker.Retry, false, time.Second)
		k.Of("default", "scan").Settled(broker.Archived, true, 0)
		k.Of("default", "scan").Settled(broker.Released, false, time.Second)
		untilMinute(1)
		write(t, k)
		work(k, "low", "mail", 3, 0, time.Minute)
		untilMinute(1)
		write(t, k)

		f := read(t, b, history.Request{Queues: []string{"default", "low", "none"}, From: began, Types: true})
		if f.Step != time.Minute || f.Len() != 3 || !f.Time(1).Equal(began.Truncate(time.Minute).Add(time.Minute)) {
			t.Fatalf("%d steps of %v, the second at %v", f.Len(), f.Step, f.Time(1))
		}
		type row struct{ Processed, Failed, Retried, Archived, Waits, Runs int64 }
		rowOf := func(f history.Figure) row {
			return row{f.Processed, f.Failed, f.Retried, f.Archived, f.Waits.Count(), f.Runs.Count()}
		}
		got := map[string]row{"total": rowOf(f.Total.Sum()), "first": rowOf(f.Total.Steps[0]), "second": rowOf(f.Total.Steps[1])}
		for _, q := range append(f.Queues, f.Total) {
			for _, of := range q.Types {
				got[q.Queue+"/"+of.Type] = rowOf(of.Sum())
			}
		}
		want := map[string]row{
			"total":        {11, 2, 2, 1, 6, 11},
			"first":        {8, 2, 2, 1, 6, 8},
			"second":       {3, 0, 0, 0, 0, 3},
			"default/mail": {6, 0, 0, 0, 6, 6},
			"default/scan": {2, 2, 2, 1, 0, 2},
			"low/mail":     {3, 0, 0, 0, 0, 3},
			"/mail":        {9, 0, 0, 0, 6, 9},
			"/scan":        {2, 2, 2, 1, 0, 2},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
		if p := f.Queues[0].Sum().Waits.Quantile(0.5); p < 10*time.Millisecond || p > 32*time.Millisecond {
			t.Errorf("the p50 of waits of 20 ms is %v", p)
		}
		if rate := f.Rate(0, f.Total.Steps[0].Processed); rate != 8.0/60 {
			t.Errorf("8 in a minute are %v a second", rate)
		}
		if r := f.Queues[0].Sum().FailureRatio(); r != 0.25 {
			t.Errorf("2 failures of 8 are %v", r)
		}
	})
}

// TestAMinuteThatNobodyHasWrittenYetIsNotToldAsIdle reads the figures of one at work while
// the last minute is on its way.
func TestAMinuteThatNobodyHasWrittenYetIsNotToldAsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		k := history.NewKeeper(b, []string{"default"})
		began := time.Now()
		told := func() (all []bool) {
			f := read(t, b, history.Request{Queues: []string{"default"}, From: began})
			for i := range f.Len() {
				all = append(all, f.Told(i))
			}
			return all
		}
		want := func(what string, want ...bool) {
			t.Helper()
			if got := told(); !slices.Equal(got, want) {
				t.Errorf("%s: told %v, want %v", what, got, want)
			}
		}
		work(k, "default", "mail", 6, time.Second, time.Second)
		time.Sleep(30 * time.Second)
		want("in the first minute", false)
		untilMinute(1)
		time.Sleep(5 * time.Second)
		want("before it is written", false, false)
		k.Take(began)
		if err := k.Write(t.Context(), time.Now(), false); err != nil {
			t.Fatal(err)
		}
		want("when it is written", true, false)
		untilMinute(2)
		want("as a minute ends in which nothing was done, as in the one before", true, true, false)
		time.Sleep(history.Lag + history.Spread + history.Patience)
		want("when it is too late to write it", true, true, true, false)
	})
}

// TestServersAddToWhatOthersWrote has many of them write at once, so that they lose against
// each other.
func TestServersAddToWhatOthersWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		began := time.Now()
		const servers, minutes = 8, 5
		var all sync.WaitGroup
		for n := range servers {
			k := history.NewKeeper(b, []string{"default"})
			all.Go(func() {
				for range minutes {
					work(k, "default", fmt.Sprintf("type:%d", n%3), 100, time.Millisecond, time.Millisecond)
					untilMinute(1)
					write(t, k)
				}
				for range 3 { // what lost too often before
					write(t, k)
				}
			})
		}
		all.Wait()
		f := read(t, b, history.Request{Queues: []string{"default"}, From: began, Types: true})
		if got := f.Total.Sum(); got.Processed != servers*minutes*100 || got.Waits.Count() != got.Processed || len(f.Total.Types) != 3 {
			t.Errorf("%d were processed, of %d types, and %d have waited; want %d of 3", got.Processed, len(f.Total.Types), got.Waits.Count(), servers*minutes*100)
		}
	})
}

// TestALostConflictIsTriedAgain has somebody else write between reading and writing.
func TestALostConflictIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		other := history.NewKeeper(b, []string{"default"})
		between := 0
		k := history.NewKeeper(brokertest.Faulty(b, func(_ int, method string) brokertest.Fault {
			if method == "Apply" && between < 3 {
				between++
				work(other, "default", "mail", 1, 0, time.Second)
				other.Take(time.Now().Add(-2 * time.Second))
				if err := other.Write(t.Context(), time.Now(), false); err != nil {
					t.Errorf("Write() of the other = %v", err)
				}
			}
			return brokertest.Fault{}
		}), []string{"default"})
		began := time.Now()
		work(k, "default", "mail", 10, 0, time.Second)
		untilMinute(1)
		write(t, k)
		f := read(t, b, history.Request{Queues: []string{"default"}, From: began})
		if got := f.Total.Steps[0].Processed; between != 3 || got != 13 {
			t.Errorf("%d others came between, and %d were processed; want 3 and 13", between, got)
		}
	})
}

func TestGaugesAreLookedAtOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		enqueue(t, b, "default", 7)
		enqueue(t, b, "starved", 2)
		var first, second trips
		queues := []string{"default", "idle", "starved"}
		k, l := history.NewKeeper(first.count(b), queues), history.NewKeeper(second.count(b), queues)
		began := time.Now()
		for range 3 {
			work(k, "default", "mail", 1, 0, time.Second)
			work(l, "default", "mail", 1, 0, time.Second)
			untilMinute(1)
			write(t, k)
			time.Sleep(time.Second)
			l.Take(time.Now().Add(-time.Minute))
			if err := l.Write(t.Context(), time.Now(), false); err != nil {
				t.Fatal(err)
			}
		}
		f := read(t, b, history.Request{Queues: queues, From: began})
		want := history.Gauges{Known: true, Pending: 7, Oldest: 2*time.Minute + time.Second}
		if got := f.Queues[0].Gauges[1]; got.Pending != 7 || got.Oldest < time.Minute || !got.Known {
			t.Errorf("gauges of the queue that is served = %+v, want about %+v", got, want)
		}
		if got := f.Queues[1].Gauges[1]; got.Known {
			t.Errorf("gauges of the queue that is empty = %+v, want none", got)
		}
		if got := f.Queues[2].Gauges[1]; got.Pending != 2 {
			t.Errorf("gauges of the queue in which tasks only wait = %+v, want 2 pending", got)
		}
		if got := f.Total.Gauges[1]; got.Pending != 9 {
			t.Errorf("gauges of all queues = %+v, want 9 pending", got)
		}
		one := []string{"Counts", "Documents", "Documents", "Apply"}
		if got := first.since(); !slices.Equal(got, slices.Concat(one, []string{"Advance"}, one, one)) {
			t.Errorf("the first to write calls %q", got)
		}
		led := one[1:]
		if got := second.since(); !slices.Equal(got, slices.Concat(one, led, led)) {
			t.Errorf("the second to write calls %q, want that it counts the first time only", got)
		}
	})
}

func enqueue(t *testing.T, b broker.Broker, queue string, n int) {
	t.Helper()
	var changes []broker.Change
	for i := range n {
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: queue, ID: fmt.Sprint(i)}, Type: "mail"}
		changes = append(changes, broker.Change{Enqueue: []broker.Entry{e}})
	}
	applied, err := b.Apply(t.Context(), time.Now(), changes, broker.LeaseRequest{})
	if err := errors.Join(append(applied.Outcomes, err)...); err != nil {
		t.Fatal(err)
	}
}

func TestWhoDoesNothingWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n trips
		b := brokertest.NewModel()
		enqueue(t, b, "default", 1)
		k := history.NewKeeper(n.count(b), []string{"default"})
		for range 24*60 - 1 {
			untilMinute(1)
			write(t, k)
		}
		if got := n.since(); len(got) > 0 {
			t.Errorf("a day without tasks took the calls %q, want none", got)
		}
		k.Take(time.Now())
		if err := k.Write(t.Context(), time.Now(), true); err != nil {
			t.Fatal(err)
		}
		if got := n.since(); len(got) != 5 {
			t.Errorf("a minute with a task that goes on took the calls %q, want 5", got)
		}
	})
}

// TestAStorageThatIsAwayCostsMinutesAndNothingElse has the storage away for a while: what
// was certainly not written is written later, for an hour, and what may have been is never
// written twice.
func TestAStorageThatIsAwayCostsMinutesAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		name    string
		method  string
		fault   brokertest.Fault
		minutes int
		want    int64
	}{
		{"it tells no gauges", "Counts", brokertest.Fault{Before: broker.ErrRefused}, 70, 71},
		{"it is not reached", "Documents", brokertest.Fault{Before: broker.ErrRefused}, 20, 21},
		{"it is not reached for long", "Documents", brokertest.Fault{Before: broker.ErrRefused}, 70, 10 + 1},
		{"it takes no writes", "Apply", brokertest.Fault{Before: broker.ErrRefused}, 20, 21},
		{"its answers are lost", "Apply", brokertest.Fault{After: errors.New("cut off")}, 20, 21},
		{"calls are lost", "Apply", brokertest.Fault{Before: errors.New("cut off")}, 20, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, away := brokertest.NewModel(), true
				k := history.NewKeeper(brokertest.Faulty(b, func(_ int, method string) brokertest.Fault {
					if away && method == c.method {
						return c.fault
					}
					return brokertest.Fault{}
				}), []string{"default"})
				began := time.Now()
				for range c.minutes {
					work(k, "default", "mail", 1, 0, time.Second)
					untilMinute(1)
					k.Take(time.Now().Add(-time.Millisecond))
					if err := k.Write(t.Context(), time.Now(), false); err == nil {
						t.Error("Write() = nil, want an error")
					}
				}
				away = false
				work(k, "default", "mail", 1, 0, time.Second)
				untilMinute(1)
				write(t, k)
				f := read(t, b, history.Request{Queues: []string{"default"}, From: began})
				if got := f.Total.Sum().Processed; got != c.want {
					t.Errorf("%d of %d were written, want %d", got, c.minutes+1, c.want)
				}
			})
		})
	}
}

func TestTheHistoryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		k := history.NewKeeper(b, []string{"default"})
		began := time.Now()
		for range 200 * 4 {
			work(k, "default", "mail", 1, 0, time.Second)
			time.Sleep(6 * time.Hour)
			write(t, k)
		}
		old := broker.Home{Queue: "leat~history", ID: began.UTC().Format("hours-200601")}
		docs, err := b.Documents(t.Context(), old, "default~01", "default~02", "default~03")
		if err != nil || docs[0].Version+docs[1].Version+docs[2].Version > 0 {
			t.Errorf("the first days are still there: %v, %v", docs, err)
		}
		f := read(t, b, history.Request{Queues: []string{"default"}, From: began})
		if got := f.Total.Sum().Processed; f.Step != 24*time.Hour || got < 4*89 || got > 4*92 {
			t.Errorf("%d in %d steps of %v, want 4 a day for 90 days", got, f.Len(), f.Step)
		}
		f = read(t, b, history.Request{Queues: []string{"default"}, From: time.Now().Add(-47 * time.Hour)})
		if got := f.Total.Sum().Processed; f.Step != 15*time.Minute || got != 8 {
			t.Errorf("%d in %d steps of %v, want 8 in two days", got, f.Len(), f.Step)
		}
	})
}

func TestADocumentThatIsDamagedIsToldAndBegunAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		k := history.NewKeeper(b, []string{"default", "low"})
		began := time.Now()
		work(k, "default", "mail", 5, 0, time.Second)
		work(k, "low", "mail", 5, 0, time.Second)
		untilMinute(1)
		write(t, k)
		bend := func(body []byte) {
			home := broker.Home{Queue: "leat~history", ID: began.UTC().Format("minutes-20060102")}
			c := broker.Change{Home: home, Put: []broker.Put{{Key: began.UTC().Format("low~15"), If: broker.AnyVersion, Body: body}}}
			if applied, err := b.Apply(t.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{}); err != nil || applied.Outcomes[0] != nil {
				t.Fatal(applied, err)
			}
		}
		r := history.Request{Queues: []string{"low", "default"}, From: began}
		bend([]byte{1, 2, 3})
		f, err := history.Read(t.Context(), b, r)
		if e, ok := errors.AsType[*history.DocumentError](err); !ok || e.Newer || f.Total.Sum().Processed != 5 {
			t.Errorf("Read() = %d processed, %v; want 5 and a DocumentError", f.Total.Sum().Processed, err)
		}
		work(k, "low", "mail", 2, 0, time.Second)
		untilMinute(1)
		write(t, k)
		if f := read(t, b, r); f.Total.Sum().Processed != 7 {
			t.Errorf("%d processed after the document was begun anew, want 7", f.Total.Sum().Processed)
		}
		bend([]byte{2, 1, 2, 3})
		work(k, "low", "mail", 2, 0, time.Second)
		untilMinute(1)
		write(t, k)
		_, err = history.Read(t.Context(), b, r)
		if e, ok := errors.AsType[*history.DocumentError](err); !ok || !e.Newer {
			t.Errorf("Read() = %v, want that a newer program has written a document, which nobody has overwritten", err)
		}
	})
}

func TestARequestIsRefused(t *testing.T) {
	b := brokertest.NewModel()
	now := time.Now()
	for _, r := range []history.Request{
		{From: now, To: now.Add(-time.Hour)},
		{From: now.Add(time.Hour)},
		{Queues: []string{"no queue"}},
	} {
		if _, err := history.Read(context.Background(), b, r); err == nil {
			t.Errorf("Read(%+v) = nil, want an error", r)
		}
	}
}

func TestStepsSuitTheRange(t *testing.T) {
	b := brokertest.NewModel()
	now := time.Now()
	for _, c := range []struct {
		from, to time.Duration
		queues   int
		want     time.Duration
	}{
		{time.Hour, 0, 1, time.Minute},
		{12 * time.Hour, 0, 1, 5 * time.Minute},
		{24 * time.Hour, 0, 1, 15 * time.Minute},
		{24 * time.Hour, 0, 1000, time.Hour},
		{7 * 24 * time.Hour, 0, 1, time.Hour},
		{7 * 24 * time.Hour, 7*24*time.Hour - 10*time.Minute, 1, time.Hour},
		{30 * 24 * time.Hour, 0, 1, 6 * time.Hour},
		{400 * 24 * time.Hour, 0, 1, 24 * time.Hour},
	} {
		f := read(t, b, history.Request{Queues: slices.Repeat([]string{"q"}, c.queues), From: now.Add(-c.from), To: now.Add(-c.to)})
		if f.Step != c.want || f.Len() > 200 || f.From.Truncate(f.Step) != f.From {
			t.Errorf("%d steps of %v from %v for %v, want steps of %v", f.Len(), f.Step, f.From, c.from, c.want)
		}
	}
}
