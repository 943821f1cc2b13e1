package peers

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// foldSize is the most that is folded into one task.
const foldSize = 30

// folded is the type of a task that others were folded into. Its payload is
// theirs, joined by spaces.
const folded = "folded"

// serveFolding starts a server of asynq that also folds the groups of its queue.
func serveFolding(x *bench, name string, h handler) (stop func()) {
	x.Helper()
	cfg := asynqConfig(name)
	cfg.GroupGracePeriod = time.Second
	cfg.GroupMaxSize = foldSize
	cfg.GroupAggregator = asynq.GroupAggregatorFunc(func(_ string, tasks []*asynq.Task) *asynq.Task {
		var payloads []string
		for _, t := range tasks {
			if t.Type() != "t" || t.Headers()["id"] != string(t.Payload()) {
				x.Errorf("asynq folds a %s with the payload %q and the headers %v", t.Type(), t.Payload(), t.Headers())
			}
			payloads = append(payloads, string(t.Payload()))
		}
		return asynq.NewTask(folded, []byte(strings.Join(payloads, " ")))
	})
	return startAsynq(x, cfg, h)
}

// gather leases a batch of a group of "q" for as long, of whatever is in it.
func (x *bench) gather(group string, lease time.Duration) broker.Batch {
	x.Helper()
	now := time.Now()
	b, err := x.broker.Gather(x.Context(), now, broker.GatherRequest{
		Queue: "q", Group: group, Token: rand.Text(), MaxSize: foldSize, Until: now.Add(lease),
	})
	if err != nil {
		x.Fatal(err)
	}
	return b
}

// settleFolded returns the change that folds a batch.
func settleFolded(b broker.Batch) broker.Change {
	var c broker.Change
	var payloads []string
	for _, l := range b.Members {
		c.Settle = append(c.Settle, broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Done})
		payloads = append(payloads, string(l.Entry.Payload))
	}
	c.Enqueue = []broker.Entry{{
		EntryRef: broker.EntryRef{Queue: b.Queue, ID: "folded-" + b.Token},
		Type:     folded, Payload: []byte(strings.Join(payloads, " ")), Timeout: time.Minute,
	}}
	return c
}

// apply returns the outcome of a change.
func (x *bench) apply(c broker.Change) error {
	x.Helper()
	applied, err := x.broker.Apply(x.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	if err != nil {
		x.Fatal(err)
	}
	return applied.Outcomes[0]
}

// foldAll has an aggregator of Leat fold a group of "q", until the test ends.
func foldAll(x *bench, group string) {
	x.Helper()
	agg := aggregate.New()
	agg.Handle("q", group, aggregate.Rule{Grace: time.Second, MaxSize: foldSize}, aggregate.Raw(func(_ context.Context, _ string, tasks []*task.Task) (*task.Task, error) {
		var payloads []string
		for _, t := range tasks {
			payloads = append(payloads, string(t.Payload()))
		}
		return task.New(folded, []byte(strings.Join(payloads, " ")), task.Timeout(time.Minute)), nil
	}))
	runner, err := agg.Runner(x.broker, queue.Config{})
	x.must(err)
	ctx, stop := context.WithCancel(context.Background())
	var folding sync.WaitGroup
	folding.Go(func() {
		if err := runner.Run(ctx); err != nil {
			x.Errorf("Run() = %v, want nil", err)
		}
	})
	x.Cleanup(func() {
		stop()
		folding.Wait()
	})
}

// A folder notes which payloads came to a handler, alone or folded.
type folder struct {
	mu     sync.Mutex
	alone  map[string]int
	folded map[string]int
}

func newFolder() *folder { return &folder{alone: map[string]int{}, folded: map[string]int{}} }

func (f *folder) handle(_ context.Context, r run) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Type != folded {
		f.alone[r.Payload]++
		return nil
	}
	for payload := range strings.FieldsSeq(r.Payload) {
		f.folded[payload]++
	}
	return nil
}

// seen returns how many came.
func (f *folder) seen() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.alone) + len(f.folded)
}

// foldings are who folds groups beside whom.
var foldings = []struct {
	name   string
	byLeat bool
	start  func(x *bench, h handler)
}{
	{"by asynq", false, func(x *bench, h handler) { serveFolding(x, "q", h) }},
	{"by asynq beside leat", false, func(x *bench, h handler) {
		serveFolding(x, "q", h)
		leat.serve(x, "q", h)
	}},
	{"by leat", true, func(x *bench, h handler) {
		leat.serve(x, "q", h)
		foldAll(x, "g")
	}},
	{"by both", false, func(x *bench, h handler) {
		serveFolding(x, "q", h)
		leat.serve(x, "q", h)
		foldAll(x, "g")
	}},
	{"by leat beside asynq", true, func(x *bench, h handler) {
		leat.serve(x, "q", h)
		peer.serve(x, "q", h)
		foldAll(x, "g")
	}},
}

func TestWhatBothPutIntoAGroupIsFoldedOnceOnRedis(t *testing.T) {
	t.Parallel()
	const each = 20
	for _, how := range foldings {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			x, f := newBench(t), newFolder()
			for _, s := range sides {
				for n := range each {
					id := fmt.Sprintf("%s-%d", s.name, n)
					x.must(s.enqueue(x, spec{
						ID: id, Type: "t", Queue: "q", Payload: []byte(id), Group: "g",
						MaxRetry: new(3), Timeout: time.Minute, Headers: map[string]string{"id": id}, Retention: time.Hour,
					}))
				}
			}
			wantGroup(x, "g", len(sides)*each)
			how.start(x, f.handle)
			wantFolded(x, f, each)
			if len(f.alone) > 0 {
				t.Errorf("run alone: %v", f.alone)
			}
			x.wantSound()
		})
	}
}

// wantGroup fails the test unless both see a group of as many in "q".
func wantGroup(x *bench, group string, size int) {
	x.Helper()
	theirs, err := x.inspector.Groups("q")
	if err != nil || len(theirs) != 1 || theirs[0].Group != group || theirs[0].Size != size {
		x.Errorf("asynq's Groups(q) = %v, %v, want %d in %q", theirs, err, size, group)
	}
	ours, err := x.ours.Groups(x.Context(), "q")
	if err != nil || len(ours) != 1 || ours[0].Name != group || ours[0].Size != size {
		x.Errorf("Leat's Groups(q) = %+v, %v, want %d in %q", ours, err, size, group)
	}
	if c := x.counts("q"); c.Aggregating != size || c.Groups != 1 {
		x.Errorf("Leat counts %d aggregating in %d groups, want %d in 1", c.Aggregating, c.Groups, size)
	}
}

// wantFolded fails the test unless as many of each side come to a handler, once,
// and nothing is left of them and their group, except that Leat keeps those that are to
// be retained.
func wantFolded(x *bench, f *folder, each int) {
	x.Helper()
	x.eventually(soon, "all are folded or run", func() bool { return f.seen() >= len(sides)*each })
	x.eventually(soon, "nothing is left but what Leat keeps as completed", func() bool {
		c := x.counts("q")
		return c.Size() == c.Completed
	})
	for _, s := range sides {
		for n := range each {
			id := fmt.Sprintf("%s-%d", s.name, n)
			if got := f.alone[id] + f.folded[id]; got != 1 {
				x.Errorf("%s was folded %d times and run %d times, want once", id, f.folded[id], f.alone[id])
			}
		}
	}
	if keys := x.redis.Keys(x.Context(), "asynq:{q}:g:*").Val(); len(keys) > 0 {
		x.Errorf("keys of groups are left: %q", keys)
	}
	if n := x.redis.ZCard(x.Context(), "asynq:{q}:aggregation_sets").Val(); n > 0 {
		x.Errorf("%d sets are left", n)
	}
}

// asynq forgets the group of what is scheduled by the time that it is due, and
// Leat does not: then it is run by itself. What is scheduled with Leat's client
// is not lost under asynq's forwarder, either way.
func TestWhatIsScheduledIntoAGroupIsFoldedOrRunOnceOnRedis(t *testing.T) {
	t.Parallel()
	const each = 10
	for _, how := range foldings {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			x, f := newBench(t), newFolder()
			for _, s := range sides {
				for n := range each {
					id := fmt.Sprintf("%s-%d", s.name, n)
					x.must(s.enqueue(x, spec{
						ID: id, Type: "t", Queue: "q", Payload: []byte(id), Group: "g",
						ProcessIn: time.Second, Headers: map[string]string{"id": id},
					}))
				}
			}
			if c := x.counts("q"); c.Scheduled != len(sides)*each {
				t.Errorf("%d are scheduled, want %d", c.Scheduled, len(sides)*each)
			}
			how.start(x, f.handle)
			wantFolded(x, f, each)
			t.Logf("%d were folded, %d run alone", len(f.folded), len(f.alone))
			x.advance("q", time.Now())
			x.wantSound()
		})
	}
}

// asynq drops the name of a group that it has emptied, and adds none when it moves
// what was due. So what Leat has scheduled into a group waits, if no server of Leat
// serves the queue, until one looks at it.
func TestWhatIsDueIntoAGroupThatAsynqHasDroppedIsFoldedWhenLeatLooksOnRedis(t *testing.T) {
	t.Parallel()
	for _, how := range foldings[:2] {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			x, f := newBench(t), newFolder()
			for _, s := range sides {
				in := map[string]time.Duration{s.name + "-0": 0, s.name + "-1": 5 * time.Second}
				for id, wait := range in {
					x.must(s.enqueue(x, spec{
						ID: id, Type: "t", Queue: "q", Payload: []byte(id), Group: "g",
						ProcessIn: wait, Headers: map[string]string{"id": id},
					}))
				}
			}
			how.start(x, f.handle)
			x.eventually(soon, "the group is emptied", func() bool {
				return x.redis.Exists(t.Context(), "asynq:{q}:groups").Val() == 0
			})
			if c := x.counts("q"); c.Scheduled != len(sides) {
				t.Errorf("%d are scheduled, want %d", c.Scheduled, len(sides))
			}
			x.eventually(soon, "it is due", func() bool { return x.counts("q").Scheduled == 0 })
			x.advance("q", time.Now())
			wantFolded(x, f, 2)
			x.advance("q", time.Now())
			x.wantSound()
		})
	}
}

// asynq goes on to name the group of a task that was taken out of it. If that
// task fails, asynq's forwarder puts it into the group once more, and drops the
// name of that.
func TestATaskThatLeatTookOutOfItsGroupDoesNotGoBackOnRedis(t *testing.T) {
	t.Parallel()
	takes := map[string]func(*bench) error{
		"by asynq's RunTask": func(x *bench) error { return x.inspector.RunTask("q", "a") },
		"by asynq's RunAllAggregatingTasks": func(x *bench) error {
			_, err := x.inspector.RunAllAggregatingTasks("q", "g")
			return err
		},
		"by leat": func(x *bench) error {
			return x.ours.Run(x.Context(), "q", "a")
		},
	}
	for _, producer := range sides {
		for name, take := range takes {
			t.Run(producer.name+"'s, taken "+name, func(t *testing.T) {
				t.Parallel()
				x := newBench(t)
				x.must(producer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Group: "g"}))
				x.must(take(x))
				stop := leat.serve(x, "q", func(context.Context, run) error { return errAsked })
				x.wantState("q", "a", "retry")
				stop()
				ran := make(chan string, 10)
				peer.serve(x, "q", func(_ context.Context, r run) error {
					ran <- r.ID
					return nil
				})
				x.wantState("q", "a", "")
				if len(ran) != 1 {
					t.Errorf("it ran %d times, want once", len(ran))
				}
				x.advance("q", time.Now())
				x.wantSound()
			})
		}
	}
}

func TestAServerOfLeatRunsNothingThatIsInAGroupOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	for _, s := range sides {
		x.must(s.enqueue(x, spec{ID: s.name, Type: "t", Queue: "q", Group: "g"}))
	}
	ran := make(chan string, 10)
	leat.serve(x, "q", func(_ context.Context, r run) error {
		ran <- r.ID
		return nil
	})
	x.must(peer.enqueue(x, spec{ID: "alone", Type: "t", Queue: "q"}))
	x.wantState("q", "alone", "")
	time.Sleep(1500 * time.Millisecond)
	x.advance("q", time.Now())
	if len(ran) != 1 {
		t.Errorf("%d ran, want one: the others are in a group", len(ran))
	}
	wantGroup(x, "g", len(sides))
	x.wantSound()
}
