package sqlitebroker_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

var run = broker.Home{Queue: "q", ID: "run"}

// fill puts one of everything into b.
func fill(t testing.TB, b *sqlitebroker.Broker) {
	t.Helper()
	claimed := enqueue("q", "claimed")
	claimed.Enqueue[0].Claim = broker.Claim{Key: "once", TTL: time.Hour}
	later := enqueue("q", "later")
	later.Enqueue[0].DueAt = time.Now().Add(time.Hour)
	part := broker.Part{Enqueue: entries("q", "then")}
	var feed []broker.Entry
	for i := range 3 {
		e := entries("q", fmt.Sprint("item", i))[0]
		e.Home = run
		feed = append(feed, e)
	}
	must(t, b, enqueue("q", "first", "second"), claimed, later, broker.Change{
		Home:   run,
		Put:    []broker.Put{{Key: "control", Body: []byte("running")}, {Key: "input", Body: []byte("in")}},
		Open:   []broker.Latch{{ID: "map", Total: 3, Window: 1, Then: part}, {ID: "join", Total: 2, Then: part}},
		Feed:   []broker.Feed{{Latch: "map", Entries: feed}},
		Arrive: []broker.Arrival{{Latch: "join", Member: 1}},
		Drain:  []broker.Entry{feed[0]},
		List:   &broker.Listing{At: time.Now(), Terms: []string{"kind=map"}},
	})
	l := lease(t, b, "q", 2).Leases
	must(t, b, broker.Change{Settle: []broker.Settlement{{Token: l[0].Token, Entry: l[0].Entry, To: broker.Archived}}})
	if err := b.Beat(t.Context(), time.Now(), broker.Server{ID: "server"}); err != nil {
		t.Fatal(err)
	}
}

func TestAFileKeepsEverythingWhenItIsClosed(t *testing.T) {
	for name, mode := range map[string]sqlitebroker.Synchronous{"normal": sqlitebroker.Normal, "full": sqlitebroker.Full} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "leat.db")
			reopen := func() *sqlitebroker.Broker {
				b, err := sqlitebroker.Open(path, &sqlitebroker.Options{Synchronous: mode})
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			b := reopen()
			fill(t, b)
			before := b.Leftovers(t)
			if err := b.Close(); err != nil {
				t.Fatalf("Close() = %v, want nil", err)
			}
			b = reopen()
			defer b.Close()
			if diff := cmp.Diff(before, b.Leftovers(t)); diff != "" {
				t.Errorf("stored (-before +after):\n%s", diff)
			}
			sound(t, b)
		})
	}
}

// What grows with use is found by an index, so that no call's cost grows with
// what is stored.
func TestEveryQueryReadsARangeOfAnIndex(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	for sql, plan := range b.Plans(t) {
		whole := strings.Contains(sql, "SELECT name FROM leat_queue") || strings.Contains(sql, "FROM leat_schema") ||
			strings.Contains(sql, "SELECT record FROM leat_server") || strings.Contains(sql, "SELECT record FROM leat_scheduler")
		if strings.Contains(sql, "AND group_name = ") && !strings.Contains(strings.Join(plan, "\n"), "leat_entry_group") {
			t.Errorf("%s\n\tis run as %q, want it to read the index of groups", sql, plan)
		}
		for _, line := range plan {
			if scans := strings.Contains(line, "SCAN") || strings.Contains(line, "TEMP B-TREE"); scans && !whole {
				t.Errorf("%s\n\tis run as %q", sql, line)
			}
		}
	}
}

func TestVerifyFindsWhatContradictsTheRules(t *testing.T) {
	for _, c := range []struct{ sabotage, sentence string }{
		{`UPDATE leat_entry SET queue = 9 WHERE id = 'second'`, "entry second lies in queue number 9, which does not exist"},
		{`UPDATE leat_entry SET state = 8 WHERE id = 'second'`, "entry q/second is in state 8, which does not exist"},
		{`UPDATE leat_entry SET token = NULL WHERE id = 'second'`, "entry q/second is active and has no token"},
		{`UPDATE leat_entry SET token = 'x' WHERE id = 'later'`, "entry q/later has a token and is not active"},
		{`UPDATE leat_entry SET token = 'x', state = 1 WHERE id IN ('later', 'second')`, "entry q/second has the token of another"},
		{`UPDATE leat_entry SET at = 99 WHERE id = 'claimed'`, "entry q/claimed waits at place 99, which is not one of 0 to 3"},
		{`UPDATE leat_entry SET at = 3 WHERE state = 2`, "2 entries of q wait at place 3"},
		{`DELETE FROM leat_entry WHERE id = 'claimed'`, "claim once is held by q/claimed, which does not exist"},
		{`DELETE FROM leat_entry WHERE id = 'claimed'`, "queue q counts 2 pending entries, there are 1"},
		{`UPDATE leat_claim SET entry = 'second'`, "claim once is held by q/second, which is completed or did not claim it"},
		{`UPDATE leat_queue SET failed = 5`, "queue q counts 5 failures of 1 outcomes"},
		{`UPDATE leat_day SET processed = 5`, "the days of queue q count more than its total"},
		{`UPDATE leat_document SET home = 9 WHERE key = 'input'`, "document input belongs to home number 9, which does not exist"},
		{`UPDATE leat_document SET version = 9 WHERE key = 'input'`, "document input of q/run is at version 9, its home at 2"},
		{`UPDATE leat_document SET version = 1`, "2 documents of q/run are at version 1"},
		{`UPDATE leat_latch SET home = 9 WHERE id = 'join'`, "latch join belongs to home number 9, which does not exist"},
		{`UPDATE leat_arrival SET latch = 9`, "rows belong to latch number 9, which does not exist"},
		{`UPDATE leat_latch SET marked = 2 WHERE id = 'join'`, "latch join of q/run has marked 2 of 1 arrived"},
		{`UPDATE leat_latch SET released = 4 WHERE id = 'map'`, "latch map of q/run has released 4 of 3 entries"},
		{`UPDATE leat_latch SET complete = 1 WHERE id = 'join'`, "latch join of q/run is complete with 1 of 2 arrived"},
		{`UPDATE leat_latch SET total = 1 WHERE id = 'join'`, "latch join of q/run is not complete with 1 of 1 arrived"},
		{`UPDATE leat_latch SET window = 2 WHERE id = 'map'`, "latch map of q/run holds entries back though its window has room"},
		{`DELETE FROM leat_feed WHERE place = 2`, "latch map of q/run lacks some of the entries that it was fed"},
		{`UPDATE leat_arrival SET bits = 3`, "latch join of q/run counts 1 arrived and notes 2"},
	} {
		b := open(t, ":memory:")
		fill(t, b)
		sound(t, b)
		finds(t, b, c.sabotage, c.sentence)
		b.Close()
	}
}

func TestWhatCannotBeReadIsParkedAndInNobodysWay(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	must(t, b, enqueue("q", "a", "b", "c", "d"))
	b.Exec(t, `UPDATE leat_entry SET headers = '{"cut' WHERE id IN ('a', 'c')`)
	applied := lease(t, b, "q", 2)
	var leased, parked []string
	for _, l := range applied.Leases {
		leased = append(leased, l.Entry.ID)
	}
	for _, p := range applied.Parked {
		parked = append(parked, p.ID)
		if p.Err == nil || !strings.Contains(p.Err.Error(), "headers") {
			t.Errorf("parked %s because of %v, want its headers", p.EntryRef, p.Err)
		}
	}
	if diff := cmp.Diff([][]string{{"b", "d"}, {"a", "c"}}, [][]string{leased, parked}); diff != "" {
		t.Errorf("leased and parked (-want +got):\n%s", diff)
	}
	s, err := b.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: "c"})
	if err != nil || s.State != task.Archived || string(s.Payload) != "payload of c" || !strings.Contains(s.LastErr, "headers") {
		t.Errorf("Entry() = %+v, %v, want it archived, with its payload and the reason", s, err)
	}
	sound(t, b)
}

func TestACallThatFailsDoesNotFailThoseThatShareItsCommit(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	fill(t, b)
	b.Exec(t, `UPDATE leat_part SET body = '{"cut'`)
	completing := broker.Change{Home: run, Arrive: []broker.Arrival{{Latch: "join", Member: 0}}}

	var wg sync.WaitGroup
	errs := make([]error, 5)
	b.Hold(t, func() {
		for i := range errs {
			c := enqueue("q", fmt.Sprint("neighbour", i))
			if i == 2 {
				c.Home, c.Arrive = completing.Home, completing.Arrive
			}
			wg.Go(func() { errs[i] = applyAll(t.Context(), b, c) })
		}
		for b.Waiting() < len(errs) {
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	for i, err := range errs {
		_, found := b.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: fmt.Sprint("neighbour", i)})
		if failed := i == 2; failed != errors.Is(err, broker.ErrRefused) || failed != errors.Is(found, broker.ErrNotFound) {
			t.Errorf("Apply() %d = %v and its entry: %v", i, err, found)
		}
	}
	sound(t, b)
}

func TestALargeHomeIsGoneAtOnceAndDeletedInSteps(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	for i := range 5 {
		c := broker.Change{Home: run}
		for j := range 900 {
			c.Put = append(c.Put, broker.Put{Key: fmt.Sprintf("%d-%d", i, j)})
		}
		c.Open = []broker.Latch{{ID: fmt.Sprint(i), Total: 100_000}}
		for j := range 50 {
			c.Arrive = append(c.Arrive, broker.Arrival{Latch: fmt.Sprint(i), Member: 2000 * j})
		}
		must(t, b, c)
	}
	now := time.Now().Add(time.Second)
	must(t, b, broker.Change{Home: run, Close: now.Add(-time.Minute)})
	advance := func() broker.Advanced {
		a, err := b.Advance(t.Context(), now, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := advance(); a.Closed != 1 || !a.Next.Equal(now) {
		t.Errorf("Advance() = %+v, want one closed home and more to do now", a)
	}
	if docs, err := b.Documents(t.Context(), run, "4-899"); err != nil || docs[0].Version != 0 {
		t.Errorf("Documents() = %+v, %v, want none", docs, err)
	}
	must(t, b, broker.Change{Home: run, Put: []broker.Put{{Key: "new"}}})
	calls := 1
	for ; !advance().Next.IsZero(); calls++ {
		sound(t, b)
		if calls == 100 {
			t.Fatalf("there is still something to do after %d calls", calls)
		}
	}
	if calls < 4 {
		t.Errorf("4,750 rows were deleted in %d calls, want about a thousand in each", calls)
	}
	if names := b.Leftovers(t); len(names) != 2 {
		t.Errorf("stored is %q, want the new home and its document", names)
	}
}

func TestFiguresOfDaysLongPastAreForgotten(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	fill(t, b)
	b.Exec(t, `WITH RECURSIVE past(days) AS (SELECT 1 UNION ALL SELECT days + 1 FROM past WHERE days < 150)
		INSERT INTO leat_day SELECT 1, unixepoch() / 86400 - days, 0, 0 FROM past`)
	now := time.Now()
	for range 2 {
		l := lease(t, b, "q", 1).Leases[0]
		must(t, b, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Retry, At: now.Add(-time.Minute)}}})
		if _, err := b.Advance(t.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if days := b.Days(t); days != 91 {
		t.Errorf("figures of %d days are kept, want today's and 90", days)
	}
}

func TestAFullDatabaseRefusesEntriesAndCanBeDrained(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		large := enqueue("q", "large")
		large.Enqueue[0].Payload = make([]byte, 1<<20)
		must(t, b, enqueue("q", "a"), large)
		b.Exec(t, `PRAGMA max_page_count = 1`) // no more than there are
		another := enqueue("q", "another")
		another.Enqueue[0].Payload = make([]byte, 1<<20)
		if err := applyAll(t.Context(), b, another); !errors.Is(err, broker.ErrRefused) {
			t.Errorf("Apply() = %v, want %v", err, broker.ErrRefused)
		}
		for _, l := range lease(t, b, "q", 1).Leases {
			must(t, b, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
		}
		sound(t, b)
		b.Exec(t, `PRAGMA max_page_count = 100000`)
		must(t, b, another)
		sound(t, b)
	})
}
