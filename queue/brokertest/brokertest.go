package brokertest

import (
	"flag"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
)

// A Model is the specification of a broker in maps and slices, with which other
// brokers are compared. See package model.
type Model = model.Model

// NewModel returns an empty model that keeps no events.
func NewModel() *Model { return model.New(model.Options{}) }

// A Storage is one empty storage, on which several brokers may be opened.
type Storage struct {
	// Open opens a broker on the storage. The suite closes it.
	Open func(testing.TB) broker.Broker

	// OpenStreaming opens a broker that keeps about as many events, as a
	// [broker.Streamer]. Only a storage with OneQueue may leave it out.
	OpenStreaming func(t testing.TB, events int) broker.Broker

	// Leftovers names everything that is stored, except what is permanent by
	// documentation: registered queues, counters and events. The name of a thing that
	// belongs to an entry contains the entry's id, and that of a claim its key;
	// the name of a collection of archived entries contains "archived".
	Leftovers func(testing.TB) []string

	// OneQueue says that the storage refuses a change about several queues with
	// [broker.ErrApart], as asynq's layout on a Redis Cluster has to. A home is of
	// its queue, and an entry's home and exit count as much as the entry. A call of
	// Advance does not touch the queues behind the one that reaches its limit. Such
	// a storage may leave out OpenStreaming.
	OneQueue bool

	// OneEach says that a wake may reach somebody on each broker, and not only one
	// of all who wait.
	OneEach bool
}

// A promise is one case of the suite: a sentence, and a function that fails its
// trial if the sentence is not true.
type promise struct {
	sentence string
	keep     func(*trial)
}

// suite lists all promises that are tested in fake time, by behaviour.
var suite = []struct {
	behaviour string
	promises  []promise
}{
	{"enqueue", enqueuePromises},
	{"lease", leasePromises},
	{"settle", settlePromises},
	{"mark", markPromises},
	{"told", toldPromises},
	{"extend", extendPromises},
	{"advance", advancePromises},
	{"document", documentPromises},
	{"quota", quotaPromises},
	{"latch", latchPromises},
	{"close", closePromises},
	{"claim", claimPromises},
	{"claim mode", claimModePromises},
	{"move", movePromises},
	{"cancel", cancelPromises},
	{"crash", crashPromises},
	{"behind", behindPromises},
	{"exit", exitPromises},
	{"open", openPromises},
	{"drain", drainPromises},
	{"homes", homesPromises},
	{"group", groupPromises},
	{"batch", batchPromises},
	{"ripe", ripePromises},
	{"joined", joinedPromises},
	{"replace", replacePromises},
	{"sweep", sweepPromises},
	{"pause", pausePromises},
	{"remove", removePromises},
	{"archive", archivePromises},
	{"attempt", attemptPromises},
	{"progress", progressPromises},
	{"watch", watchPromises},
	{"queue", queuePromises},
	{"describe", describePromises},
	{"place", listPlacePromises},
	{"stream", streamPromises},
	{"list", listPromises},
	{"server", serverPromises},
	{"timetable", timetablePromises},
	{"check", checkPromises},
	{"check of operators", checkOperatePromises},
	{"check of timetables", checkTimetablePromises},
	{"concurrent", concurrentPromises},
}

// Cases returns how many cases [Run] has. Every broker is tested with as many:
// no case is for some of them.
func Cases() int {
	n := len(outside)
	for _, part := range suite {
		n += len(part.promises)
	}
	return n
}

// outside are the cases that make bubbles of their own, or none.
var outside = []struct {
	sentence string
	run      func(*testing.T, func(testing.TB) Storage)
}{
	{"a claim ends with its TTL, by the storage's own clock", inRealTime(claimEnds)},
	{"a replacement with a TTL holds its claim as long anew", inRealTime(claimRenewed)},
	{"who listens is told of cancellations, and of what is watched", inRealTime(listenTells)},
	{"to listen ends with its context", inRealTime(listenEnds)},
	{"all who listen are told of everything", inRealTime(listenMany)},
	{"whatever makes an entry ready wakes who waits for its queue", wakes(wakeReady)},
	{"what time makes ready wakes who waits for its queue", wakes(wakeAdvanced)},
	{"whatever has an entry wait for a time wakes with that time", wakes(wakeDue)},
	{"the earliest of several times is what wakes", wakes(wakeEarliest)},
	{"a wake is kept for who waits next, and given once", wakes(wakeKept)},
	{"what is to be leased wakes before what is to be advanced", wakes(wakeOrder)},
	{"of two who wait one is woken for each need", wakes(wakeOne)},
	{"who waits for other queues is not woken", wakes(wakeOthers)},
	{"the ends of leases and of retention wake nobody, nor what joins a group", wakes(wakeNone)},
	{"whatever has an entry wait in a group wakes who waits for the groups of its queue", wakes(wakeGroups)},
	{"the wake of groups is kept for who waits next, given once, and gone with its queue", wakes(wakeGroupsKept)},
	{"a wake that is passed on goes to the next who waits", wakes(wakePassed)},
	{"a wake to lease is passed on only if something is ready, in a queue that is not paused", wakes(wakePassedReady)},
	{"a wake of groups is passed on only if there are any", wakes(wakePassedGroups)},
	{"to wait ends with its context", wakes(wakeEnds)},
	{"to wait for nothing, or for what is no queue, is invalid and refused", wakes(wakeInvalid)},
	{"random operations get the model's answers", randomOperations},
}

// Run runs every case against storages that open returns, one for each case.
// It logs how many there were, and fails if they are not all of [Cases] although
// the flags of go test chose none of them.
func Run(t *testing.T, open func(testing.TB) Storage) {
	begun := 0
	for _, part := range suite {
		t.Run(part.behaviour, func(t *testing.T) {
			for _, p := range part.promises {
				t.Run(p.sentence, func(t *testing.T) {
					begun++
					synctest.Test(t, func(t *testing.T) { try(t, open(t), p.keep) })
				})
			}
		})
	}
	for _, c := range outside {
		t.Run(c.sentence, func(t *testing.T) {
			begun++
			c.run(t, open)
		})
	}
	t.Logf("brokertest: %d of %d cases", begun, Cases())
	if begun != Cases() && !chosen() {
		t.Errorf("%d cases have run, want %d", begun, Cases())
	}
}

// chosen reports whether go test was told which subtests to run.
func chosen() bool {
	value := func(name string) string {
		if f := flag.Lookup(name); f != nil {
			return f.Value.String()
		}
		return ""
	}
	return strings.Contains(value("test.run"), "/") || value("test.skip") != "" || value("test.failfast") == "true"
}

// try runs one case and then demands that its storage is sound and can be
// emptied.
func try(t *testing.T, s Storage, keep func(*trial)) {
	x := &trial{T: t, storage: s, seen: newSightings()}
	x.seen.apart = s.OneQueue
	x.b = x.open()
	unlessApart(t, func() { keep(x) })
	if t.Failed() {
		return
	}
	for _, fault := range x.seen.residue(t, x.b, s.Leftovers) {
		t.Error(fault)
	}
}

// A trial is one case while it runs.
type trial struct {
	*testing.T
	storage Storage
	seen    *sightings
	b       broker.Broker
}

// open opens one more broker on the trial's storage.
func (x *trial) open() broker.Broker {
	b := x.storage.Open(x.T)
	x.Cleanup(func() {
		if err := b.Close(); err != nil {
			x.Errorf("Close() = %v, want nil", err)
		}
	})
	return x.seen.watch(b)
}
