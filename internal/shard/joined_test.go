package shard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// joined returns the names of all groups of q that are told after, in order, by pages
// of limit, and where to go on.
func (x *spread) joined(after string, limit int) (names []string, next string) {
	x.Helper()
	for pages := 1; ; pages++ {
		page, err := x.b.Joined(x.Context(), broker.JoinedRequest{Queue: "q", After: after, Limit: limit})
		if err != nil || len(page.Groups) > limit || pages > 1 && len(page.Groups) == 0 || page.More && len(page.Groups) != limit {
			x.Fatalf("Joined(%q, %d) = %+v, %v, want a page", after, limit, page, err)
		}
		for _, g := range page.Groups {
			names = append(names, g.Name)
		}
		if after = page.Next; !page.More {
			slices.Sort(names)
			return names, after
		}
	}
}

func inGroup(id, group string) broker.Entry {
	e := entry(id)
	e.Group = group
	return e
}

func TestWhatHasJoinedIsToldOfAllWorlds(t *testing.T) {
	for _, limit := range []int{1, 3, 20, 50, 100, 1000} {
		x := newSpread(t)
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprintf("g%03d", i))
			x.must(adding(inGroup(fmt.Sprint("e", i), want[i])))
		}
		names, after := x.joined("", limit)
		if !slices.Equal(names, want) {
			t.Errorf("by pages of %d, %d groups are told, want 100, each once: %v", limit, len(names), names)
		}
		x.must(adding(inGroup("f", "g042")), adding(inGroup("h", "g077")))
		if names, _ = x.joined(after, limit); !slices.Equal(names, []string{"g042", "g077"}) {
			t.Errorf("told after them are %v, want those that were joined again", names)
		}
	}
}

func TestAGroupIsToldForEachWorldInWhichSomethingWaits(t *testing.T) {
	x := newSpread(t)
	for i := range 8 { // what has a root lies with that
		x.must(adding(inGroup(fmt.Sprintf("root%d~e", i), "g")))
	}
	worlds := 0
	for _, w := range x.worlds {
		groups, err := w.Groups(t.Context(), "q")
		if err != nil {
			t.Fatal(err)
		}
		worlds += len(groups)
	}
	if names, _ := x.joined("", 100); worlds < 2 || len(names) != worlds {
		t.Errorf("g is told %d times, want once for each of %d worlds", len(names), worlds)
	}
}

func TestAGroupIsRipeNextWhenItIsInOneOfTheWorlds(t *testing.T) {
	x := newSpread(t)
	for i := range 8 {
		added := now.Add(time.Duration(8-i) * time.Minute)
		if _, err := x.b.Apply(t.Context(), added, []broker.Change{adding(inGroup(fmt.Sprintf("root%d~e", i), "g"))}, broker.LeaseRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	newest := now.Add(time.Hour) // when the world of the last one, or others, were joined last
	for _, w := range x.worlds {
		groups, err := w.Groups(t.Context(), "q")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			if g.Newest.Before(newest) {
				newest = g.Newest
			}
		}
	}
	r := broker.GatherRequest{Queue: "q", Group: "g", Token: "t", Grace: 2 * time.Hour, MaxSize: 100, Until: now.Add(time.Hour)}
	batch, err := x.b.Gather(t.Context(), now.Add(30*time.Minute), r)
	if want := newest.Add(2 * time.Hour); err != nil || batch.Token != "" || !batch.Next.Equal(want) {
		t.Errorf("Gather() = %+v, %v, want a group that is ripe at %v", batch, err, want)
	}
}
