package redisbroker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var stockedHome = broker.Home{Queue: "q", ID: "run"}

// stocked fills an empty queue q with entries of all kinds, and returns those that
// are leased, by their ids.
func (x *bench) stocked() map[string]broker.Lease {
	x.Helper()
	x.must(x.c.FlushAll(x.Context()))
	leases := make(map[string]broker.Lease)
	for _, id := range []string{"cancelled", "watched", "holder", "step", "archived", "completed"} {
		e := plain(id)
		if id == "step" {
			e.Home = stockedHome
		}
		if id == "holder" {
			e.Claim.Key = "key"
		}
		x.apply(broker.Change{Enqueue: []broker.Entry{e}})
		leases[id] = x.next(id)
	}
	x.apply(broker.Change{Watch: []broker.EntryRef{leases["watched"].Entry.EntryRef}})
	x.apply(broker.Change{Move: []broker.Move{{EntryRef: leases["cancelled"].Entry.EntryRef, Do: broker.Cancel}}})
	x.settle(leases["archived"], broker.Archived, time.Time{}, true)
	x.settle(leases["completed"], broker.Completed, x.now.Add(time.Hour), false)
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped("frozen")}})
	leases["frozen"] = x.gather("token", "frozen").Members[0]

	lateStep := ofHome("late-step", stockedHome)
	lateStep.DueAt = x.now.Add(time.Minute)
	x.apply(broker.Change{Home: stockedHome, Enqueue: []broker.Entry{lateStep}, List: &broker.Listing{At: x.now, Terms: []string{"a"}}})
	late, member, behind := plain("late"), grouped("late-member"), plain("behind")
	late.DueAt, member.DueAt = x.now.Add(time.Minute), x.now.Add(time.Minute)
	behind.Claim = broker.Claim{Key: "key", Behind: true}
	x.apply(broker.Change{Enqueue: []broker.Entry{late, member, behind, grouped("member"), plain("pending"), plain("asynqs")}})
	x.must(x.c.HSet(x.Context(), x.queue("t:asynqs"), "leat_cancel", "1")) // and made ready by asynq
	x.attended()
	return leases
}

// TestWhatIsDamagedIsNotMadeWorse has each call find a key of another type where it
// writes: it does nothing, or all that can be done.
func TestWhatIsDamagedIsNotMadeWorse(t *testing.T) {
	x := newBench(t)
	var leases map[string]broker.Lease
	change := func(c broker.Change) error {
		applied, err := x.b.Apply(t.Context(), x.now, []broker.Change{c}, broker.LeaseRequest{})
		if err == nil {
			err = applied.Outcomes[0]
		}
		return err
	}
	settle := func(id string, to broker.Outcome) func() error {
		return func() error {
			s := broker.Settlement{Token: leases[id].Token, Entry: leases[id].Entry, To: to, At: x.now.Add(time.Hour)}
			return change(broker.Change{Settle: []broker.Settlement{s}})
		}
	}
	move := func(id string, do broker.Act) func() error {
		return func() error {
			return change(broker.Change{Move: []broker.Move{{EntryRef: plain(id).EntryRef, Do: do, At: x.now}}})
		}
	}
	due := func(id string) func() error {
		return func() error {
			s := x.entry(id)
			s.DueAt = x.now
			return change(broker.Change{Replace: []broker.Replacement{{Entry: s.Entry, If: s.Version}}})
		}
	}
	sweep := func(state task.State, group string, do broker.Act) func() error {
		return func() error {
			r := broker.SweepRequest{Queue: "q", State: state, Group: group, Do: do, Limit: 10}
			_, err := x.b.Sweep(t.Context(), x.now, r)
			return err
		}
	}
	gather := func() error {
		r := broker.GatherRequest{Queue: "q", Group: "g", Token: "another", MaxSize: 10, Until: x.now.Add(time.Minute)}
		_, err := x.b.Gather(t.Context(), x.now, r)
		return err
	}
	lease := func() error {
		r := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q", First: 10}}, Max: 10, Until: x.now.Add(time.Minute)}
		_, err := x.b.Apply(t.Context(), x.now, nil, r)
		return err
	}
	advance := func() error {
		_, err := x.b.Advance(t.Context(), x.now.Add(time.Hour), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 100})
		return err
	}
	ofRun := func(c broker.Change) func() error {
		c.Home = stockedHome
		return func() error { return change(c) }
	}
	added := ofHome("added", stockedHome)
	for _, c := range []struct {
		name, key string
		do        func() error
	}{
		{"settlement of a run's", "leat:open:run", settle("step", broker.Done)},
		{"addition to a run", "leat:open:run", ofRun(broker.Change{Enqueue: []broker.Entry{plain("another"), added}})},
		{"cancelling a run's", "leat:open:run", move("late-step", broker.Cancel)},
		{"drain", "leat:open:run", ofRun(broker.Change{Enqueue: []broker.Entry{plain("another")}, Drain: []broker.Entry{added}})},
		{"drain", "leat:run:run", ofRun(broker.Change{Enqueue: []broker.Entry{plain("another")}, Drain: []broker.Entry{added}})},
		{"listing", "leat:run:run", ofRun(broker.Change{Enqueue: []broker.Entry{plain("another")}, List: &broker.Listing{At: x.now}})},
		{"listing", "leat:listed", ofRun(broker.Change{Enqueue: []broker.Entry{plain("another")}, List: &broker.Listing{At: x.now}})},
		{"listing", "leat:listed:a", ofRun(broker.Change{Put: []broker.Put{{Key: "doc"}}, List: &broker.Listing{At: x.now, Terms: []string{"a"}}})},
		{"retry of what is to be cancelled", "archived", settle("cancelled", broker.Retry)},
		{"release of what is to be cancelled", "archived", settle("cancelled", broker.Released)},
		{"settlement of what is watched", "completed", settle("watched", broker.Done)},
		{"settlement with one behind", "pending", settle("holder", broker.Done)},
		{"settlement with one behind", "scheduled", settle("holder", broker.Archived)},
		{"settlement in a batch", "aggregation_sets", settle("frozen", broker.Done)},
		{"release in a batch", "g:g", settle("frozen", broker.Released)},
		{"reschedule", "pending", move("late", broker.Reschedule)},
		{"reschedule out of a group", "groups", move("member", broker.Reschedule)},
		{"archiving", "archived", move("pending", broker.Archive)},
		{"replacement into a group", "groups", due("late-member")},
		{"replacement into a group", "g:g", due("late-member")},
		{"sweep", "archived", sweep(task.Pending, "", broker.Archive)},
		{"sweep", "t:asynqs", sweep(task.Pending, "", broker.Delete)},
		{"sweep", "t:late", sweep(task.Scheduled, "", broker.Run)},
		{"sweep", "pending", sweep(task.Completed, "", broker.Run)},
		{"sweep", "t:archived", sweep(task.Archived, "", broker.Delete)},
		{"sweep of a group", "groups", sweep(task.Aggregating, "g", broker.Delete)},
		{"sweep of a group", "t:member", sweep(task.Aggregating, "g", broker.Delete)},
		{"gathering", "groups", gather},
		{"gathering", "aggregation_sets", gather},
		{"gathering", "t:member", gather},
		{"lease of what is to be cancelled", "archived", lease},
		{"lease", "lease", lease},
		{"advance", "archived", advance},
		{"advance", "g:g", advance},
		{"advance", "aggregation_sets", advance},
		{"advance", "unique:key", advance},
	} {
		leases = x.stocked()
		x.damage(c.key)
		before := x.stored()
		err := c.do()
		if diff := cmp.Diff(before, x.stored()); err != nil && diff != "" {
			t.Errorf("%s with %s damaged: %v (-before +after):\n%s", c.name, c.key, err, diff)
		}
		x.mend(c.key)
		x.sound(c.name + " with " + c.key + " damaged")
	}
}

// damage puts a key of queue q aside, and one of another type in its place.
func (x *bench) damage(key string) {
	x.Helper()
	x.c.Rename(x.Context(), x.queue(key), "aside") // it may be missing
	x.must(x.c.XAdd(x.Context(), &redis.XAddArgs{Stream: x.queue(key), Values: []string{"not", "this"}}))
}

// mend puts a key back that was damaged. An entry that was, and that nothing leads
// to any more, goes.
func (x *bench) mend(key string) {
	x.Helper()
	x.must(x.c.Del(x.Context(), x.queue(key)))
	id, isEntry := key[2:], key[:2] == "t:"
	if isEntry && !x.lies(id) {
		x.must(x.c.Del(x.Context(), "aside"))
		return
	}
	x.c.Rename(x.Context(), "aside", x.queue(key))
}

// lies reports whether an id is in one of the lists and sets of queue q.
func (x *bench) lies(id string) bool {
	for _, list := range []string{"pending", "active"} {
		if x.c.LPos(x.Context(), x.queue(list), id, redis.LPosArgs{}).Err() == nil {
			return true
		}
	}
	for _, set := range []string{"scheduled", "retry", "archived", "completed", "g:g"} {
		if x.c.ZScore(x.Context(), x.queue(set), id).Err() == nil {
			return true
		}
	}
	return false
}
