package redisbroker_test

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// soon is longer than a wake takes.
const soon = 10 * time.Second

// aWait is a call of Wait that goes on.
type aWait struct {
	wake chan broker.Wake
	err  chan error
	stop context.CancelFunc
}

func waitFor(t *testing.T, b broker.Waker, queues ...string) aWait {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := aWait{make(chan broker.Wake, 1), make(chan error, 1), stop}
	go func() {
		if wake, err := b.Wait(ctx, queues); err != nil {
			w.err <- err
		} else {
			w.wake <- wake
		}
	}()
	t.Cleanup(stop)
	return w
}

// gets fails the test unless the call returns want.
func (w aWait) gets(t *testing.T, want broker.Wake) {
	t.Helper()
	select {
	case got := <-w.wake:
		if got != want {
			t.Errorf("Wait() = %+v, want %+v", got, want)
		}
	case err := <-w.err:
		t.Errorf("Wait() = %v, want %+v", err, want)
	case <-time.After(soon):
		t.Errorf("Wait() has not returned after %v, want %+v", soon, want)
	}
}

// fails fails the test unless the call returns an error that matches want, if that
// is not nil.
func (w aWait) fails(t *testing.T, want error) {
	t.Helper()
	select {
	case got := <-w.wake:
		t.Errorf("Wait() = %+v, want %v", got, want)
	case err := <-w.err:
		if want != nil && !errors.Is(err, want) {
			t.Errorf("Wait() = %v, want %v", err, want)
		}
	case <-time.After(soon):
		t.Errorf("Wait() has not returned after %v, want %v", soon, want)
	}
}

// goesOn fails the test if the call has returned.
func (w aWait) goesOn(t *testing.T) {
	t.Helper()
	select {
	case got := <-w.wake:
		t.Errorf("Wait() = %+v, want it to go on", got)
	case err := <-w.err:
		t.Errorf("Wait() = %v, want it to go on", err)
	default:
	}
}

// enqueue adds an entry, which is due then if that is not zero.
func enqueue(t *testing.T, b broker.Broker, queue, id string, due time.Time) {
	t.Helper()
	e := entryOf(queue, id)
	e.DueAt = due
	apply(t, b, broker.LeaseRequest{}, broker.Change{Enqueue: []broker.Entry{e}})
}

func entryOf(queue, id string) broker.Entry {
	return broker.Entry{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Type: "t"}
}

func apply(t *testing.T, b broker.Broker, want broker.LeaseRequest, changes ...broker.Change) broker.Applied {
	t.Helper()
	want.Until = time.Now().Add(time.Minute)
	done, err := b.Apply(t.Context(), time.Now(), changes, want)
	if err := errors.Join(append(done.Outcomes, err)...); err != nil {
		t.Fatal(err)
	}
	return done
}

// kept returns the wakes that are kept of queue, with their scores.
func kept(t *testing.T, c redis.UniversalClient, prefix, queue string) map[any]float64 {
	t.Helper()
	found, err := c.ZRangeWithScores(t.Context(), prefix+":leat:{wake}:"+queue, 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[any]float64)
	for _, z := range found {
		all[z.Member] = z.Score
	}
	return all
}

var isBlocked = regexp.MustCompile(" flags=[a-zA-Z]*b")

// blocked returns the ids of clients of server that wait for a wake.
func blocked(t *testing.T, s *redistest.Server) (ids []string) {
	t.Helper()
	for line := range strings.Lines(s.Do(t, "CLIENT", "LIST")) {
		if isBlocked.MatchString(line) {
			id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
			ids = append(ids, id)
		}
	}
	return ids
}

func awaitBlocked(t *testing.T, s *redistest.Server, n int) {
	t.Helper()
	redistest.Await(t, "Wait() to be known to the server", func() bool { return len(blocked(t, s)) == n })
}

func TestWakesLieInOneKeyForEachQueue(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix()
	b := open(t, server, prefix)
	defer b.Close()
	c := client(t, server)
	defer c.Close()
	due := time.Now().Add(time.Hour).Truncate(time.Second)
	enqueue(t, b, "a", "1", time.Time{})
	enqueue(t, b, "a", "2", due.Add(1234*time.Microsecond))
	enqueue(t, b, "a", "3", due.Add(time.Second))
	want := map[any]float64{"ready": 0, "due": float64(due.UnixMilli() + 2)}
	if got := kept(t, c, prefix, "a"); len(got) != 2 || got["ready"] != 0 || got["due"] != want["due"] {
		t.Errorf("wakes are %v, want %v", got, want)
	}
	waitFor(t, b, "a").gets(t, broker.Wake{Queue: "a"})
	waitFor(t, b, "a").gets(t, broker.Wake{Queue: "a", At: due.Add(2 * time.Millisecond).UTC()})
	if n := c.Exists(t.Context(), prefix+":leat:{wake}:a").Val(); n != 0 {
		t.Errorf("the key is there though both were given away")
	}
}

func TestAQueueThatTheCallHasEmptiedLeavesNoWake(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix()
	b := open(t, server, prefix)
	defer b.Close()
	c := client(t, server)
	defer c.Close()
	e := []broker.Entry{entryOf("a", "1"), entryOf("a", "2"), entryOf("a", "3")}
	for most, want := range map[int]int{4: 0, 2: 1} {
		done := apply(t, b, broker.LeaseRequest{Queues: []broker.Share{{Queue: "a"}}, Max: most}, broker.Change{Enqueue: e})
		if got := len(kept(t, c, prefix, "a")); got != want {
			t.Errorf("with leases for %d of 3, %d wakes are kept, want %d", most, got, want)
		}
		done.Leases = append(done.Leases, apply(t, b, broker.LeaseRequest{Queues: []broker.Share{{Queue: "a"}}, Max: 3}).Leases...)
		for _, l := range done.Leases {
			s := broker.Settlement{Entry: l.Entry, Token: l.Token, To: broker.Done}
			apply(t, b, broker.LeaseRequest{}, broker.Change{Settle: []broker.Settlement{s}})
		}
		c.Del(t.Context(), prefix+":leat:{wake}:a")
	}
}

// asynq puts back what is to be cancelled as if it were not, and its exit becomes
// ready as it is found out.
func TestWhatBecomesReadyWhileTheQueueIsEmptiedLeavesAWake(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix()
	b := open(t, server, prefix)
	defer b.Close()
	c := client(t, server)
	defer c.Close()
	e, exit := entryOf("a", "1"), entryOf("a", "2")
	e.Exit = &exit
	apply(t, b, broker.LeaseRequest{}, broker.Change{Enqueue: []broker.Entry{e}})
	c.HSet(t.Context(), prefix+":{a}:t:1", "leat_cancel", "1")
	c.Del(t.Context(), prefix+":leat:{wake}:a")
	if done := apply(t, b, broker.LeaseRequest{Queues: []broker.Share{{Queue: "a"}}, Max: 5}); len(done.Leases) > 0 {
		t.Fatalf("leased %+v, want none", done.Leases)
	}
	if got := kept(t, c, prefix, "a"); len(got) != 1 {
		t.Errorf("wakes are %v, want that something is ready", got)
	}
}

func TestOneOfTwoBrokersIsWoken(t *testing.T) {
	server, prefix := redistest.Start(t, redistest.Options{}), redistest.Prefix()
	first, second := open(t, server, prefix), open(t, server, prefix)
	defer first.Close()
	defer second.Close()
	one := waitFor(t, first, "b", "a")
	awaitBlocked(t, server, 1)
	two := waitFor(t, second, "a")
	awaitBlocked(t, server, 2)
	enqueue(t, first, "a", "1", time.Time{})
	one.gets(t, broker.Wake{Queue: "a"})
	awaitBlocked(t, server, 1)
	two.goesOn(t)
	enqueue(t, second, "a", "2", time.Time{})
	two.gets(t, broker.Wake{Queue: "a"})
}

func TestAWaitGoesOnOnAnotherConnection(t *testing.T) {
	server, prefix := redistest.Start(t, redistest.Options{}), redistest.Prefix()
	b := open(t, server, prefix)
	defer b.Close()
	w := waitFor(t, b, "a")
	awaitBlocked(t, server, 1)
	before := blocked(t, server)
	server.Do(t, "CLIENT", "KILL", "ID", before[0])
	redistest.Await(t, "another connection", func() bool {
		now := blocked(t, server)
		return len(now) == 1 && !slices.Equal(now, before)
	})
	enqueue(t, b, "a", "1", time.Time{})
	w.gets(t, broker.Wake{Queue: "a"})
}

func TestAWaitForAServerThatIsGoneFails(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b := open(t, server, redistest.Prefix())
	defer b.Close()
	w := waitFor(t, b, "a")
	awaitBlocked(t, server, 1)
	server.Kill()
	w.fails(t, nil)
}

func TestAWaitThatIsGivenUpHoldsNoConnection(t *testing.T) {
	server, prefix := redistest.Start(t, redistest.Options{}), redistest.Prefix()
	b := open(t, server, prefix)
	defer b.Close()
	w := waitFor(t, b, "a")
	awaitBlocked(t, server, 1)
	w.stop()
	w.fails(t, context.Canceled)
	awaitBlocked(t, server, 0)
	enqueue(t, b, "a", "1", time.Time{})
	waitFor(t, b, "a").gets(t, broker.Wake{Queue: "a"})
}

func TestClosingABrokerEndsItsWaits(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	for name, o := range map[string]redisbroker.Options{"undivided": {}, "of shards": {Shards: 3}} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			o.Prefix = redistest.Prefix()
			b := openWith(t, server, o)
			waits := []aWait{waitFor(t, b, "a"), waitFor(t, b, "a")}
			awaitBlocked(t, server, 2)
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
			for _, w := range waits {
				w.fails(t, broker.ErrClosed)
			}
			waitFor(t, b, "a").fails(t, broker.ErrClosed)
			redistest.Await(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}

func TestWaitingIsRefusedWhereBlockingIs(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	restrict(t, server, "single")
	server.Do(t, "ACL", "SETUSER", "leat", "-bzpopmin")
	proxy := newCutter(t, server.Addr)
	proxy.never = "bzpopmin"
	for name, url := range map[string]string{
		"by option":   "redis://" + server.Addr + "?noblocking=true",
		"by the ACL":  "redis://leat:secret@" + server.Addr,
		"by a proxy":  proxy.url(),
		"by renaming": redistest.Start(t, redistest.Options{Args: []string{"--rename-command", "BZPOPMIN", ""}}).URL(),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := redisbroker.Open(url, &redisbroker.Options{Prefix: "shop", Logger: discard})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			for range 3 {
				if _, err = b.Wait(t.Context(), []string{"a"}); errors.Is(err, errors.ErrUnsupported) {
					break
				}
			}
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Wait() = %v, want %v", err, errors.ErrUnsupported)
			}
			enqueue(t, b, "a", strings.ReplaceAll(name, " ", "-"), time.Time{})
		})
	}
}

func TestARemovedQueueHasNoWakes(t *testing.T) {
	server := redistest.Shared(t)
	c := client(t, server)
	defer c.Close()
	for name, shards := range map[string]int{"undivided": 0, "of shards": 3} {
		t.Run(name, func(t *testing.T) {
			prefix := redistest.Prefix()
			b := openWith(t, server, redisbroker.Options{Prefix: prefix, Shards: shards})
			defer b.Close()
			enqueue(t, b, "a", "1", time.Now().Add(time.Hour))
			redistest.Await(t, "a wake", func() bool { return len(kept(t, c, prefix, "a")) == 1 })
			apply(t, b, broker.LeaseRequest{}, broker.Change{Move: []broker.Move{
				{EntryRef: broker.EntryRef{Queue: "a", ID: "1"}, Do: broker.Delete},
			}})
			if err := b.Remove(t.Context(), time.Now(), "a", false); err != nil {
				t.Fatal(err)
			}
			if got := kept(t, c, prefix, "a"); len(got) != 0 {
				t.Errorf("wakes are %v, want none", got)
			}
		})
	}
}

// On a cluster no script can write where wakes lie, and no world of a divided
// namespace either.
func TestWakesOfWorldsAreLeftTogether(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	one := redistest.Shared(t)
	for name, u := range map[string]string{
		"shards on a cluster": x.URL() + "?shards=16", "queues on a cluster": x.URL(), "shards on one": one.SocketURL(),
	} {
		t.Run(name, func(t *testing.T) {
			o := redisbroker.Options{Prefix: redistest.Prefix(), LocalClock: true, Logger: discard}
			if name == "shards on one" {
				o.Shards = 3
			}
			b, err := redisbroker.Open(u, &o)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			wakesOfWorlds(t, b)
			enqueue(t, b, "last", "1", time.Time{})
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			next, err := redisbroker.Open(u, &o)
			if err != nil {
				t.Fatal(err)
			}
			defer next.Close()
			waitFor(t, next, "last").gets(t, broker.Wake{Queue: "last"})
		})
	}
}

func wakesOfWorlds(t *testing.T, b *redisbroker.Broker) {
	due := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	w := waitFor(t, b, "a", "b", "c")
	enqueue(t, b, "b", "1", time.Time{})
	w.gets(t, broker.Wake{Queue: "b"})
	w = waitFor(t, b, "a", "b", "c")
	enqueue(t, b, "c", "2", due)
	w.gets(t, broker.Wake{Queue: "c", At: due})
	for most, queues := range [][]string{{"b"}, {"b", "z"}} { // z has a wake in any case
		enqueue(t, b, "z", strconv.Itoa(most), time.Time{})
		apply(t, b, broker.LeaseRequest{
			Queues: []broker.Share{{Queue: "b"}}, Max: most, Pass: []broker.Wake{{Queue: "b"}, {Queue: "c", At: due}},
		})
		waitFor(t, b, "c").gets(t, broker.Wake{Queue: "c", At: due}) // it is left with the others
		waitFor(t, b, queues...).gets(t, broker.Wake{Queue: queues[most]})
	}
	if _, err := b.Pause(t.Context(), time.Now(), "b", true); err != nil {
		t.Fatal(err)
	}
	w = waitFor(t, b, "b")
	if isNew, err := b.Pause(t.Context(), time.Now(), "b", false); err != nil || !isNew {
		t.Fatalf("Pause() = %v, %v, want true, nil", isNew, err)
	}
	w.gets(t, broker.Wake{Queue: "b"})
}

// What waits for keys that move is told so, and waits where they are then.
func TestAWaitGoesOnWhereItsKeysHaveMovedTo(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	o := redisbroker.Options{Prefix: redistest.Prefix(), LocalClock: true, Logger: discard}
	b, err := redisbroker.Open(x.URL(), &o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w := waitFor(t, b, "a", "b")
	slot := x.Slot(t, o.Prefix+":leat:{wake}:a")
	from := x.Owner(t, slot)
	awaitBlocked(t, from, 1)
	to := x.Nodes[0]
	if to == from {
		to = x.Nodes[1]
	}
	x.Move(t, slot, from, to)
	awaitBlocked(t, to, 1)
	enqueue(t, b, "b", "1", time.Time{})
	w.gets(t, broker.Wake{Queue: "b"})
}
