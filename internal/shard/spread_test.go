package shard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

var now = time.UnixMilli(1900000000000)

// A spread is a broker of sixteen worlds.
type spread struct {
	*testing.T
	b      *shard.Broker
	worlds []shard.World
}

func newSpread(t *testing.T) *spread {
	worlds := models(16, 0)
	return &spread{t, shard.New(shard.NewHashed(worlds...)), worlds}
}

func (x *spread) apply(want broker.LeaseRequest, changes ...broker.Change) broker.Applied {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), now, changes, want)
	if err != nil {
		x.Fatalf("Apply() = %v, want nil", err)
	}
	return applied
}

func (x *spread) must(changes ...broker.Change) {
	x.Helper()
	for _, outcome := range x.apply(broker.LeaseRequest{}, changes...).Outcomes {
		if outcome != nil {
			x.Fatalf("outcome = %v, want nil", outcome)
		}
	}
}

func (x *spread) refused(c broker.Change) error {
	x.Helper()
	return x.apply(broker.LeaseRequest{}, c).Outcomes[0]
}

// enqueue adds n entries, each in a change of its own.
func (x *spread) enqueue(n int) {
	x.Helper()
	var changes []broker.Change
	for i := range n {
		changes = append(changes, adding(entry(fmt.Sprintf("e%d", i))))
	}
	x.must(changes...)
}

func entry(id string) broker.Entry {
	return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
}

func adding(entries ...broker.Entry) broker.Change { return broker.Change{Enqueue: entries} }

func wanting(n int) broker.LeaseRequest {
	return broker.LeaseRequest{Queues: []broker.Share{{Queue: "q", First: n}}, Max: n, Until: now.Add(time.Minute)}
}

func (x *spread) count(of func(broker.Counts) int) int {
	x.Helper()
	counts, err := x.b.Counts(x.Context(), now)
	if err != nil || len(counts) > 1 {
		x.Fatalf("Counts() = %v, %v, want one queue", counts, err)
	}
	return of(counts[0])
}

func TestEntriesLieInAllWorlds(t *testing.T) {
	x := newSpread(t)
	x.enqueue(800)
	for i, w := range x.worlds {
		counts, err := w.Counts(t.Context(), now, "q")
		if err != nil || counts[0].Pending < 20 || counts[0].Pending > 90 {
			t.Errorf("world %d: Counts() = %v, %v, want about 50 pending", i, counts, err)
		}
	}
	if got := x.count(func(c broker.Counts) int { return c.Pending }); got != 800 {
		t.Errorf("%d are pending, want 800", got)
	}
}

func TestAllAreLeasedAndNeverMoreThanAreWanted(t *testing.T) {
	for _, most := range []int{1, 7, 40, 500} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			x := newSpread(t)
			x.enqueue(100)
			seen := make(map[string]bool)
			for len(seen) < 100 {
				leases := x.apply(wanting(most)).Leases
				if want := min(most, 100-len(seen)); len(leases) != want {
					t.Fatalf("leased %d, want %d", len(leases), want)
				}
				var refs []broker.LeaseRef
				for _, l := range leases {
					seen[l.Entry.ID] = true
					refs = append(refs, l.Ref())
				}
				held, err := x.b.Extend(t.Context(), now, now.Add(time.Minute), refs...)
				if err != nil || slices.ContainsFunc(held, func(h broker.Held) bool { return h != broker.Kept }) {
					t.Fatalf("Extend() = %v, %v, want all kept", held, err)
				}
			}
		})
	}
}

func TestNoWorldWaitsForOthersThatHaveMore(t *testing.T) {
	x := newSpread(t)
	x.enqueue(1600)
	from := make(map[string]bool)
	for range 48 {
		for _, l := range x.apply(wanting(1)).Leases {
			world, _, _ := strings.Cut(l.Token, "|")
			from[world] = true
		}
	}
	if len(from) != 16 {
		t.Errorf("48 leases are from %d worlds, want all 16", len(from))
	}
}

func TestWhatLiesElsewhereThanItsIDSaysIsFound(t *testing.T) {
	x := newSpread(t)
	claiming := entry("a")
	claiming.Claim.Key = "key"
	grouped := entry("b")
	grouped.Group = "group"
	x.must(adding(claiming), adding(grouped))
	for _, id := range []string{"a", "b"} {
		if _, err := x.b.Entry(t.Context(), entry(id).EntryRef); err != nil {
			t.Errorf("Entry(%s) = %v, want nil", id, err)
		}
	}
	if _, err := x.b.Entry(t.Context(), entry("c").EntryRef); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("Entry(c) = %v, want %v", err, broker.ErrNotFound)
	}
	x.must(broker.Change{Watch: []broker.EntryRef{claiming.EntryRef}})
	x.must(broker.Change{Move: []broker.Move{{EntryRef: claiming.EntryRef, Do: broker.Archive}}},
		broker.Change{Move: []broker.Move{{EntryRef: grouped.EntryRef, Do: broker.Run}}})
	if got := x.count(func(c broker.Counts) int { return 10*c.Archived + c.Pending }); got != 11 {
		t.Errorf("10 * archived + pending = %d, want 11", got)
	}
}

func TestAClaimIsOneOverAllWorlds(t *testing.T) {
	x := newSpread(t)
	for i := range 20 {
		e := entry(fmt.Sprintf("e%d", i))
		e.Claim.Key = "key"
		err := x.refused(adding(e))
		if claimed, ok := errors.AsType[*broker.ClaimedError](err); i > 0 && (!ok || claimed.Holder != "e0") {
			t.Errorf("outcome = %v, want it claimed by e0", err)
		}
	}
}

func TestAGroupIsOneOverAllWorlds(t *testing.T) {
	x := newSpread(t)
	for i := range 20 {
		e := entry(fmt.Sprintf("e%d", i))
		e.Group = "group"
		x.must(adding(e))
	}
	r := broker.GatherRequest{Queue: "q", Group: "group", Token: "token", MaxSize: 50, Until: now.Add(time.Minute)}
	batch, err := x.b.Gather(t.Context(), now, r)
	if err != nil || len(batch.Members) != 20 || batch.Token != "token" {
		t.Fatalf("Gather() = %+v, %v, want all 20 under the token", batch, err)
	}
	held, err := x.b.Extend(t.Context(), now, now.Add(2*time.Minute), batch.Members[7].Ref())
	if err != nil || held[0] != broker.Kept {
		t.Errorf("Extend() = %v, %v, want it kept", held, err)
	}
	c := adding(entry("e0~folded"))
	for _, l := range batch.Members {
		c.Settle = append(c.Settle, broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Done})
	}
	x.must(c)
	if got := x.count(broker.Counts.Size); got != 1 {
		t.Errorf("%d entries are left, want that into which they were folded", got)
	}
}

// TestWhatLiesApartCannotChangeTogether uses ids whose worlds differ.
func TestWhatLiesApartCannotChangeTogether(t *testing.T) {
	x := newSpread(t)
	home := broker.Home{Queue: "q", ID: "run"}
	exiting := entry("a")
	exiting.Exit = &broker.Entry{EntryRef: entry("b").EntryRef, Type: "t"}
	x.must(adding(entry("c")), adding(entry("d")))
	for name, c := range map[string]broker.Change{
		"two entries":               adding(entry("a"), entry("b")),
		"an entry and its exit":     adding(exiting),
		"an entry and a home":       {Home: home, Put: []broker.Put{{Key: "k"}}, Enqueue: []broker.Entry{entry("a")}},
		"two entries that exist":    {Watch: []broker.EntryRef{entry("c").EntryRef, entry("d").EntryRef}},
		"a home, one that exists":   {Home: home, Put: []broker.Put{{Key: "k"}}, Watch: []broker.EntryRef{entry("c").EntryRef}},
		"an entry that a latch has": {Home: home, Open: []broker.Latch{{ID: "l", Total: 1, Then: broker.Part{Enqueue: []broker.Entry{entry("a")}}}}},
	} {
		err := x.refused(c)
		if apart, ok := errors.AsType[*broker.ApartError](err); !ok || !errors.Is(err, broker.ErrApart) || !strings.Contains(err.Error(), "within one shard") {
			t.Errorf("%s: outcome = %v, %v, want an ApartError that tells the rule", name, err, apart)
		}
	}
	if got := x.count(broker.Counts.Size); got != 2 {
		t.Errorf("%d entries exist, want the 2 of before", got)
	}
}

func TestWhatACommitMakesStaysInItsWorld(t *testing.T) {
	x := newSpread(t)
	x.enqueue(20)
	for _, l := range x.apply(wanting(20)).Leases {
		then := entry(l.Entry.ID + "~then")
		then.Claim.Key = "of-" + l.Entry.ID
		x.must(broker.Change{
			Settle:  []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}},
			Enqueue: []broker.Entry{then},
		})
	}
	if got := x.count(func(c broker.Counts) int { return c.Pending }); got != 20 {
		t.Errorf("%d are pending, want 20", got)
	}
}

func TestAListIsInOrderOverAllWorlds(t *testing.T) {
	x := newSpread(t)
	for i := range 50 {
		e := entry(fmt.Sprintf("e%02d", i))
		e.DueAt = now.Add(time.Duration(1+i*37%50) * time.Minute)
		x.must(adding(e))
	}
	for _, newest := range []bool{false, true} {
		var all []broker.Stored
		r := broker.ListRequest{Queue: "q", State: task.Scheduled, Newest: newest, Limit: 7}
		for {
			page, err := x.b.List(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			all = append(all, page...)
			r.After = page[len(page)-1].Place
		}
		sorted := slices.IsSortedFunc(all, func(a, b broker.Stored) int {
			if newest {
				a, b = b, a
			}
			return a.DueAt.Compare(b.DueAt)
		})
		if len(all) != 50 || !sorted {
			t.Errorf("newest first %v: listed %d, sorted: %v, want 50 in order", newest, len(all), sorted)
		}
	}
}

func TestAListOfPendingOnesHasEachOnce(t *testing.T) {
	x := newSpread(t)
	x.enqueue(60)
	for _, newest := range []bool{false, true} {
		seen := make(map[string]int)
		r := broker.ListRequest{Queue: "q", State: task.Pending, Newest: newest, Limit: 7}
		for {
			page, err := x.b.List(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page {
				seen[s.ID]++
				r.After = s.Place
			}
			if len(page) < r.Limit {
				break
			}
		}
		if len(seen) != 60 {
			t.Errorf("newest first %v: listed %d, want 60", newest, len(seen))
		}
		offset, err := x.b.List(t.Context(), broker.ListRequest{Queue: "q", State: task.Pending, Newest: newest, Offset: 55, Limit: 10})
		if err != nil || len(offset) != 5 {
			t.Errorf("newest first %v: behind an offset of 55 there are %d, %v, want 5", newest, len(offset), err)
		}
	}
}

func TestAWholeQueueIsSweptAdvancedAndRemoved(t *testing.T) {
	x := newSpread(t)
	var changes []broker.Change
	for i := range 100 {
		e := entry(fmt.Sprintf("e%d", i))
		e.DueAt = now.Add(time.Minute)
		changes = append(changes, adding(e))
	}
	x.must(changes...)
	advanced, err := x.b.Advance(t.Context(), now.Add(time.Minute), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 70})
	if err != nil || advanced.Due != 70 || advanced.Next.After(now.Add(time.Minute)) {
		t.Errorf("Advance() = %+v, %v, want 70 due and more at once", advanced, err)
	}
	sweep := broker.SweepRequest{Queue: "q", State: task.Pending, Do: broker.Delete, Limit: 50}
	for _, want := range []int{50, 20, 0} {
		if n, err := x.b.Sweep(t.Context(), now, sweep); err != nil || n != want {
			t.Errorf("Sweep() = %d, %v, want %d", n, err, want)
		}
	}
	if err := x.b.Remove(t.Context(), now, "q", true); !errors.Is(err, broker.ErrNotEmpty) {
		t.Errorf("Remove() of a queue that holds entries = %v, want %v", err, broker.ErrNotEmpty)
	}
	sweep.State = task.Scheduled
	if n, err := x.b.Sweep(t.Context(), now, sweep); err != nil || n != 30 {
		t.Errorf("Sweep() = %d, %v, want 30", n, err)
	}
	if err := x.b.Remove(t.Context(), now, "q", false); err != nil {
		t.Errorf("Remove() = %v, want nil", err)
	}
	if queues, err := x.b.Queues(t.Context()); err != nil || len(queues) != 0 {
		t.Errorf("Queues() = %v, %v, want none", queues, err)
	}
}

var errAway = errors.New("away")

// faulty is a world whose broker fails as it is told.
type faulty struct {
	shard.World
	broker broker.Broker
}

func (f faulty) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	return f.broker.Apply(ctx, now, changes, want)
}

func (f faulty) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	return f.broker.RecordTicks(ctx, ticks...)
}

// withOneAway returns a broker of two worlds, the second of which is away.
func withOneAway() (*shard.Broker, []shard.World) {
	worlds := models(2, 0)
	away := brokertest.Faulty(worlds[1], func(int, string) brokertest.Fault {
		return brokertest.Fault{Before: fmt.Errorf("%w: %w", broker.ErrRefused, errAway)}
	})
	return shard.New(shard.NewHashed(worlds[0], faulty{worlds[1], away})), worlds
}

// ids returns an id of each of two worlds.
func ids() (first, second string) {
	for i := 0; first == "" || second == ""; i++ {
		id := fmt.Sprintf("e%d", i)
		if shard.Hash(id, 2) == 0 {
			first = id
		} else {
			second = id
		}
	}
	return first, second
}

func TestAWorldThatIsAwayDoesNotKeepOthersFromGivingLeases(t *testing.T) {
	b, _ := withOneAway()
	first, _ := ids()
	for range 4 {
		if _, err := b.Apply(t.Context(), now, []broker.Change{adding(entry(first))}, broker.LeaseRequest{}); err != nil {
			t.Fatal(err)
		}
		applied, err := b.Apply(t.Context(), now, nil, wanting(1))
		if err != nil || len(applied.Leases) != 1 {
			t.Fatalf("Apply() = %+v, %v, want a lease", applied, err)
		}
		done := broker.Settlement{Token: applied.Leases[0].Token, Entry: applied.Leases[0].Entry, To: broker.Done}
		if _, err := b.Apply(t.Context(), now, []broker.Change{{Settle: []broker.Settlement{done}}}, broker.LeaseRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Apply(t.Context(), now, nil, wanting(1)); !errors.Is(err, errAway) {
		t.Errorf("Apply() that finds nothing = %v, want %v", err, errAway)
	}
}

func TestACallThatTookEffectInPartIsNotRefused(t *testing.T) {
	b, worlds := withOneAway()
	first, second := ids()
	_, err := b.Apply(t.Context(), now, []broker.Change{adding(entry(second))}, broker.LeaseRequest{})
	if !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Apply() to the world that is away = %v, want %v", err, broker.ErrRefused)
	}
	for range 2 { // the other world is the first to be asked for leases
		_, err = b.Apply(t.Context(), now, []broker.Change{adding(entry(first)), adding(entry(second))}, wanting(5))
		if err == nil || errors.Is(err, broker.ErrRefused) {
			t.Errorf("Apply() to both = %v, want an error that is no refusal", err)
		}
	}
	counts, err := worlds[0].Counts(t.Context(), now, "q")
	if err != nil || counts[0].Pending != 1 || counts[0].Active != 0 {
		t.Errorf("Counts() = %+v, %v, want the entry there, and not leased to nobody", counts, err)
	}
}

func TestTicksThatWereRecordedInPartAreNotRefused(t *testing.T) {
	b, worlds := withOneAway()
	first, second := ids()
	tick := func(entry string) broker.Tick { return broker.Tick{Entry: entry, TaskID: "a", At: now} }
	if err := b.RecordTicks(t.Context(), tick(second)); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("RecordTicks() in the world that is away = %v, want %v", err, broker.ErrRefused)
	}
	if err := b.RecordTicks(t.Context(), tick(first), tick(second)); err == nil || errors.Is(err, broker.ErrRefused) {
		t.Errorf("RecordTicks() in both = %v, want an error that is no refusal", err)
	}
	if ticks, err := worlds[0].Ticks(t.Context(), first, 1); err != nil || len(ticks) != 1 {
		t.Errorf("Ticks() = %v, %v, want the one that was recorded", ticks, err)
	}
}
