package shard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue/broker"
)

// A sparing world gives two homes at most at a time.
type sparing struct{ shard.World }

func (s sparing) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	r.Limit = min(r.Limit, 2)
	return s.World.Homes(ctx, r)
}

// TestHomesAreInOrderOverAllWorlds pages through homes of which many are listed for
// the same time, whatever the worlds give at a time.
func TestHomesAreInOrderOverAllWorlds(t *testing.T) {
	plain := newSpread(t)
	thrifty := &spread{T: t}
	for i, w := range models(16, 0) {
		if i%2 == 0 {
			w = sparing{w}
		}
		thrifty.worlds = append(thrifty.worlds, w)
	}
	thrifty.b = shard.New(shard.NewHashed(thrifty.worlds...))
	for name, x := range map[string]*spread{"plain": plain, "sparing": thrifty} {
		var want []string
		for i := range 200 {
			at := now.Add(time.Duration(i/30) * time.Second)
			home := broker.Home{Queue: "q", ID: fmt.Sprintf("run-%03d~child", i)}
			want = append(want, home.ID)
			x.must(broker.Change{Home: home, List: &broker.Listing{At: at, Terms: []string{"t"}}})
		}
		for _, limit := range []int{1, 7, 100, 1000} {
			for _, newest := range []bool{false, true} {
				got := x.homes(broker.HomesRequest{Queue: "q", Terms: []string{"t"}, Limit: limit, Newest: newest})
				if newest {
					slices.Reverse(got)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %d at a time, newest first: %v (-want +got):\n%s", name, limit, newest, diff)
				}
			}
		}
	}
	_, err := plain.b.Homes(t.Context(), broker.HomesRequest{Queue: "q", Limit: 1, After: "nowhere"})
	if !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Homes() after no place = %v, want %v", err, broker.ErrRefused)
	}
}

// homes returns the ids of all homes that are found, page by page.
func (x *spread) homes(r broker.HomesRequest) []string {
	x.Helper()
	var ids []string
	for pages := 0; pages == 0 || r.After != ""; pages++ {
		page, err := x.b.Homes(x.Context(), r)
		if err != nil || len(page.Homes) > r.Limit || pages > 1000 {
			x.Fatalf("Homes(%+v) = %+v, %v, the %dth", r, page, err, pages)
		}
		for _, h := range page.Homes {
			ids = append(ids, h.Home.ID)
		}
		r.After = page.Next
	}
	return ids
}

// TestWhatIsOpenAndItsDrainLieWithTheHome has homes in all worlds wait for entries
// that begin elsewhere by their names.
func TestWhatIsOpenAndItsDrainLieWithTheHome(t *testing.T) {
	x := newSpread(t)
	for i := range 32 {
		home := broker.Home{Queue: "homes", ID: fmt.Sprintf("run%d", i)}
		step, last := entry(home.ID+"~step"), entry(fmt.Sprintf("last%d", i))
		step.Home, last.Home = home, home
		x.must(broker.Change{Home: home, Enqueue: []broker.Entry{step}, Drain: []broker.Entry{last}})
		for _, want := range []broker.Entry{step, last} {
			page, err := x.b.OpenEntries(t.Context(), broker.OpenRequest{Home: home, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]broker.EntryRef{want.EntryRef}, page.Entries); diff != "" {
				t.Fatalf("open of %s (-want +got):\n%s", home, diff)
			}
			x.must(broker.Change{Move: []broker.Move{{EntryRef: want.EntryRef, Do: broker.Delete}}})
		}
	}
	stranger := broker.Home{Queue: "homes", ID: "run1"}
	far := entry("run2~last")
	far.Home = stranger
	if err := x.refused(broker.Change{Home: stranger, Drain: []broker.Entry{far}}); err != nil {
		t.Errorf("drain of a home's own = %v, want nil: it stays with the home", err)
	}
	exit := entry("far")
	far.Exit = &exit
	apart := 0
	for i := range 16 {
		exit.ID = fmt.Sprint("far", i)
		if errors.Is(x.refused(broker.Change{Home: stranger, Drain: []broker.Entry{far}}), broker.ErrApart) {
			apart++
		}
	}
	if apart == 0 {
		t.Error("a drain is never refused whose exit lies apart")
	}
}
