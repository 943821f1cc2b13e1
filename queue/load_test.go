package queue_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A spoilt broker cannot read the figures of some queues.
type spoilt struct {
	broker.Broker
	bad   []string
	calls int
}

var errSpoilt = errors.New("holds the wrong kind of value")

func (s *spoilt) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	s.calls++
	asked := queues
	if len(asked) == 0 {
		asked, _ = s.Broker.Queues(ctx)
	}
	for _, q := range asked {
		if slices.Contains(s.bad, q) {
			return nil, errSpoilt
		}
	}
	return s.Broker.Counts(ctx, now, queues...)
}

// put enqueues a task into a queue.
func (x *bench) put(q string, options ...task.Option) {
	x.Helper()
	if _, err := x.client.Enqueue(x.Context(), task.New("t", nil), append(options, task.Queue(q))...); err != nil {
		x.Fatal(err)
	}
}

// lives records a server that is alive.
func (x *bench) lives(status string, slots int, queues ...string) {
	x.Helper()
	s := broker.Server{ID: status + strconv.Itoa(slots), Concurrency: slots, Status: status, Queues: map[string]int{}, Started: time.Now()}
	for _, q := range queues {
		s.Queues[q] = 1
	}
	if err := x.b.Beat(x.Context(), time.Now(), s); err != nil {
		x.Fatal(err)
	}
}

func (x *bench) loads(queues ...string) queue.Loads {
	x.Helper()
	l, err := queue.NewInspector(x.b).Loads(x.Context(), queues...)
	if err != nil {
		x.Fatalf("Loads(%q) = %v, want nil", queues, err)
	}
	return l
}

func TestALoadIsWhatThereIsToDoForWhoCanDoIt(t *testing.T) {
	inBubble(t, func(x *bench) {
		for range 6 {
			x.put("a")
		}
		x.put("b")
		x.pass(3 * time.Second)
		x.lives("active", 2, "a", "b")
		x.lives("active", 1, "a")
		x.lives("stopped", 100, "a", "b")
		x.lives("active", 7, "elsewhere")
		want := queue.Loads{
			Queues: map[string]queue.Load{
				"a": {Ready: 6, Oldest: 3 * time.Second, Slots: 3},
				"b": {Ready: 1, Oldest: 3 * time.Second, Slots: 2},
			},
			All:    queue.Load{Ready: 7, Oldest: 3 * time.Second, Slots: 3},
			Broken: map[string]error{},
		}
		got := x.loads()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Loads() (-want +got):\n%s", diff)
		}
		if p := got.Queues["a"].PerSlot(); p != 2 {
			t.Errorf("PerSlot() = %v, want 2", p)
		}
		if l := x.loads("b", "b"); len(l.Queues) != 1 || l.All != want.Queues["b"] {
			t.Errorf("Loads(b) = %+v, want b alone", l)
		}
	})
}

func TestALoadOfAQueueThatNobodyServesHasAllThatNobodyWakes(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.put("a", task.ProcessIn(10*time.Second))
		x.put("groups", task.Group("g"))
		x.put("groups", task.Group("g"))
		want := func(a, groups int, oldest time.Duration) {
			t.Helper()
			l := x.loads()
			if l.Queues["a"].Ready != a || l.Queues["groups"].Ready != groups || l.All.Oldest != oldest || l.All.PerSlot() != float64(a+groups) {
				t.Errorf("Loads() = %+v, want %d in a, %d in groups, for %v", l, a, groups, oldest)
			}
		}
		want(0, 2, 0)
		x.pass(15 * time.Second)
		want(1, 2, 5*time.Second)
		x.lives("active", 1, "a", "groups")
		l := x.loads()
		if l.All.Ready != 0 || l.All.PerSlot() != 0 {
			t.Errorf("Loads() = %+v, want nothing to do: there is who does it in time", l)
		}
	})
}

func TestNothingOfAPausedQueueIsReady(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.put("a")
		if _, err := queue.NewInspector(x.b).Pause(x.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Minute)
		if l := x.loads(); l.All != (queue.Load{}) {
			t.Errorf("Loads() = %+v, want nothing to do", l)
		}
	})
}

func TestAQueueThatCannotBeReadKeepsNothingOfOthersSecret(t *testing.T) {
	inBubble(t, func(x *bench) {
		for n := range 100 {
			x.put("q" + strconv.Itoa(n))
		}
		s := &spoilt{Broker: x.b, bad: []string{"q7", "q93"}}
		x.b = s
		l := x.loads()
		if len(l.Queues) != 98 || l.All.Ready != 98 || len(l.Broken) != 2 || !errors.Is(l.Broken["q7"], errSpoilt) || !errors.Is(l.Broken["q93"], errSpoilt) {
			t.Errorf("Loads() has %d queues, and is broken by %v, want 98 and two", len(l.Queues), l.Broken)
		}
		if s.calls > 32 {
			t.Errorf("it took %d calls, want a few", s.calls)
		}
	})
}

func TestAStorageThatIsAwayIsSaidToBe(t *testing.T) {
	x := newBench(t, brokerThatIsAway{})
	if _, err := queue.NewInspector(x.b).Loads(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("Loads() = %v, want that it is away", err)
	}
}

type brokerThatIsAway struct{ broker.Broker }

func (brokerThatIsAway) Counts(context.Context, time.Time, ...string) ([]broker.Counts, error) {
	return nil, errAway
}

func (brokerThatIsAway) Queues(context.Context) ([]string, error) { return nil, errAway }
