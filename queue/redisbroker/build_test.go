package redisbroker

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

var buildNow = time.UnixMilli(1900000000500)

// A need is a change that needs something of a build.
type need struct {
	name   string
	change func(id string, held broker.Lease) broker.Change
}

func buildEntry(id string) broker.Entry {
	return broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
}

func enqueueing(alter func(*broker.Entry)) func(string, broker.Lease) broker.Change {
	return func(id string, _ broker.Lease) broker.Change {
		e := buildEntry(id)
		alter(&e)
		return broker.Change{Enqueue: []broker.Entry{e}}
	}
}

var buildHome = broker.Home{Queue: "q", ID: "run"}

var everyNeed = []need{
	{"plain", enqueueing(func(e *broker.Entry) {})},
	{"of a home", enqueueing(func(e *broker.Entry) {
		exit := buildEntry(e.ID + "-exit")
		e.Exit, e.Home, e.Reads = &exit, buildHome, []string{"d"}
	})},
	{"later", enqueueing(func(e *broker.Entry) { e.DueAt = buildNow.Add(time.Hour) })},
	{"grouped", enqueueing(func(e *broker.Entry) { e.Group = "g" })},
	{"claiming", enqueueing(func(e *broker.Entry) { e.Claim.Key = e.ID })},
	{"settling", func(_ string, l broker.Lease) broker.Change {
		return broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}}
	}},
	{"at home", func(id string, _ broker.Lease) broker.Change {
		later := buildEntry(id + "-then")
		later.DueAt, later.Group = buildNow.Add(time.Hour), "g"
		drained := buildEntry(id + "-drained")
		drained.Home = buildHome
		return broker.Change{
			Home:   buildHome,
			Put:    []broker.Put{{Key: "d", Body: []byte("1"), If: broker.AnyVersion}},
			Open:   []broker.Latch{{ID: id, Total: 1, Then: broker.Part{Enqueue: []broker.Entry{later}}}},
			Arrive: []broker.Arrival{{Latch: id}},
			Drain:  []broker.Entry{drained},
			List:   &broker.Listing{At: buildNow, Terms: []string{"term"}},
			Quota:  100,
			Close:  buildNow.Add(time.Hour),
		}
	}},
	{"watching", func(string, broker.Lease) broker.Change {
		return broker.Change{Watch: []broker.EntryRef{buildEntry("kept").EntryRef}}
	}},
}

// TestABuildHasWhatItsChangesNeed applies every set of changes in one call, with
// and without leases and events: what a build lacks, scripts call an error.
func TestABuildHasWhatItsChangesNeed(t *testing.T) {
	used := make(map[*redis.Script]bool)
	for _, events := range []int{0, 10} {
		b := opened(t, Options{LocalClock: true, Events: events})
		apply := func(want int, changes ...broker.Change) broker.Applied {
			t.Helper()
			applied, err := b.Apply(t.Context(), buildNow, changes,
				broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: want, Until: buildNow.Add(time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			return applied
		}
		kept := buildEntry("kept")
		kept.DueAt = buildNow.Add(time.Hour)
		apply(0, broker.Change{Enqueue: []broker.Entry{kept}})
		for set := range 1 << len(everyNeed) {
			for want := range 2 {
				id := fmt.Sprintf("%d-%d-%d", events, set, want)
				held := apply(1, broker.Change{Enqueue: []broker.Entry{buildEntry(id)}}).Leases[0]
				var changes []broker.Change
				var named []string
				n := needs{leases: want > 0, apart: events > 0}
				for rest := set; rest != 0; rest &= rest - 1 {
					one := everyNeed[bits.TrailingZeros(uint(rest))]
					c := one.change(id+"-"+strings.ReplaceAll(one.name, " ", "-"), held)
					changes, named = append(changes, c), append(named, one.name)
					n.of(c)
				}
				used[n.script().declared()] = true
				for i, outcome := range apply(want, changes...).Outcomes {
					if outcome != nil {
						t.Errorf("%s, among %q, %d leases, %d events: %v", named[i], named, want, events, outcome)
					}
				}
			}
		}
	}
	for n, s := range applyScripts {
		if !used[s.declared()] {
			t.Errorf("no change is for the build for %+v", n)
		}
	}
}
