package redisbroker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func ofHome(id string, home broker.Home) broker.Entry {
	e := plain(id)
	e.Home = home
	return e
}

// TestStorageThroughTheLifeOfAHome walks a home through its life, and compares all
// of Redis that is not of entries.
func TestStorageThroughTheLifeOfAHome(t *testing.T) {
	x := newBench(t)
	home := broker.Home{Queue: "q", ID: "run"}
	x.apply(broker.Change{
		Home:    home,
		Put:     []broker.Put{{Key: "a", Body: []byte("four"), If: broker.AnyVersion}, {Key: "b"}},
		Enqueue: []broker.Entry{ofHome("run~a", home)},
		List:    &broker.Listing{At: x.now, Terms: []string{"x", "a term: {of} words"}},
	})
	hash := map[string]string{"version": "2", "size": "4", "v:a": "1", "d:a": "four", "v:b": "2", "d:b": "", "list": "\x92\xa1x\xb2a term: {of} words"}
	at := map[string]string{"run": "1900000000500"}
	want := map[string]any{
		"asynq:{q}:leat:run:run":                   hash,
		"asynq:{q}:leat:open:run":                  map[string]string{"q|~a": ""},
		"asynq:{q}:leat:listed":                    at,
		"asynq:{q}:leat:listed:x":                  at,
		"asynq:{q}:leat:listed:a term: {of} words": at,
	}
	x.ofHomes("the first change", want)

	drain := ofHome("last", home)
	x.apply(broker.Change{
		Home:  home,
		Put:   []broker.Put{{Key: "a", Body: []byte("sixsix"), If: 1}},
		Quota: 6,
		Drain: []broker.Entry{drain},
		List:  &broker.Listing{At: x.now.Add(time.Second), Terms: []string{"x", "y"}},
	})
	hash["version"], hash["size"], hash["v:a"], hash["d:a"], hash["list"] = "3", "6", "3", "sixsix", "\x92\xa1x\xa1y"
	packed := x.c.HGet(t.Context(), "asynq:{q}:leat:run:run", "drain").Val()
	if packed == "" {
		t.Error("the drain is not kept")
	}
	hash["drain"] = packed
	at = map[string]string{"run": "1900000001500"}
	delete(want, "asynq:{q}:leat:listed:a term: {of} words")
	want["asynq:{q}:leat:listed"], want["asynq:{q}:leat:listed:x"], want["asynq:{q}:leat:listed:y"] = at, at, at
	x.ofHomes("the second", want)

	l := x.next("run~a")
	x.apply(broker.Change{
		Settle:  []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}},
		Enqueue: []broker.Entry{ofHome("b", home)},
	})
	want["asynq:{q}:leat:open:run"] = map[string]string{"q b": ""}
	x.ofHomes("a step", want)

	x.settle(x.next("b"), broker.Archived, time.Time{}, false)
	delete(hash, "drain")
	want["asynq:{q}:leat:open:run"] = map[string]string{"q last": ""}
	x.ofHomes("the drain", want)

	x.apply(broker.Change{Move: []broker.Move{{EntryRef: plain("b").EntryRef, Do: broker.Run}}})
	want["asynq:{q}:leat:open:run"] = map[string]string{"q b": "", "q last": ""}
	x.ofHomes("another beginning", want)

	x.apply(broker.Change{Home: home, Drain: []broker.Entry{drain}, Close: x.now})
	x.advance()
	want = map[string]any{"asynq:{q}:leat:open:run": want["asynq:{q}:leat:open:run"]}
	x.ofHomes("the end of the home", want)

	x.settle(x.next("last"), broker.Done, time.Time{}, false)
	if _, err := x.b.Sweep(t.Context(), x.now, broker.SweepRequest{Queue: "q", State: task.Pending, Do: broker.Delete, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	x.ofHomes("the end of the entries", map[string]any{})
	if faults, err := x.b.Verify(t.Context(), x.now); err != nil || len(faults) > 0 {
		t.Errorf("Verify() = %q, %v, want nothing", faults, err)
	}
}

// ofHomes fails unless what is stored beside entries and queues is want.
func (x *bench) ofHomes(step string, want map[string]any) {
	x.Helper()
	got := make(map[string]any)
	for key, value := range x.stored() {
		for _, kind := range []string{"run:", "open:", "listed", "latch", "closing"} {
			if strings.HasPrefix(key, "asynq:{q}:leat:"+kind) {
				got[key] = value
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		x.Fatalf("after %s (-want +got):\n%s", step, diff)
	}
}

// TestPagesOfWhatIsOpenHoldAll pages through more than a small hash holds, while
// some of it ends.
func TestPagesOfWhatIsOpenHoldAll(t *testing.T) {
	x := newBench(t)
	home := broker.Home{Queue: "q", ID: "run"}
	want := make(map[string]bool)
	for i := range 4 {
		var c broker.Change
		for j := range 500 {
			id := fmt.Sprintf("run~%d", 500*i+j)
			want[id] = true
			c.Enqueue = append(c.Enqueue, ofHome(id, home))
		}
		x.apply(c)
	}
	r := broker.OpenRequest{Home: home, Limit: 100}
	for pages := 0; ; pages++ {
		page, err := x.b.OpenEntries(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) > 300 {
			t.Errorf("a page has %d entries, want about 100", len(page.Entries))
		}
		for _, ref := range page.Entries {
			delete(want, ref.ID)
		}
		l := x.lease(50)
		for _, l := range l.Leases {
			x.settle(l, broker.Done, time.Time{}, false)
			delete(want, l.Entry.ID)
		}
		if r.After = page.Next; page.Next == "" {
			break
		}
	}
	if len(want) > 0 {
		t.Errorf("%d open entries are on no page", len(want))
	}
}

// TestAPageOfHomesIsShortIfFewAreFound looks for the ten of ten thousand homes that
// have two terms which half of all have, in either order, all listed for two times.
func TestAPageOfHomesIsShortIfFewAreFound(t *testing.T) {
	x := newBench(t)
	var want []string
	for i := range 10 {
		var changes []broker.Change
		for j := range 1000 {
			l := &broker.Listing{At: x.now.Add(time.Duration(i/5) * time.Second), Terms: []string{[]string{"even", "odd"}[j%2]}}
			id := fmt.Sprintf("%d-%03d", i, j)
			if j == 500 {
				l.Terms = []string{"even", "odd"}
				want = append(want, id)
			}
			changes = append(changes, broker.Change{Home: broker.Home{Queue: "q", ID: id}, List: l})
		}
		x.apply(changes...)
	}
	for _, newest := range []bool{false, true} {
		var got []string
		r := broker.HomesRequest{Queue: "q", Terms: []string{"odd", "even"}, Newest: newest, Limit: 3}
		for pages := 0; pages == 0 || r.After != ""; pages++ {
			page, err := x.b.Homes(t.Context(), r)
			if err != nil || len(page.Homes) > 3 || pages > 20 {
				t.Fatalf("Homes(%+v) = %+v, %v", r, page, err)
			}
			for _, h := range page.Homes {
				got = append(got, h.Home.ID)
			}
			r.After = page.Next
		}
		if newest {
			slices.Reverse(got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("newest first: %v (-want +got):\n%s", newest, diff)
		}
	}
}
