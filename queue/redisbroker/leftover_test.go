package redisbroker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

// TestNothingIsLeftOfTenThousandTasks sends tasks through every way in which one
// ends, lets the time of what is kept run out, and then demands that Redis
// holds no key but those that docs/storage.md calls permanent.
func TestNothingIsLeftOfTenThousandTasks(t *testing.T) {
	server := redistest.Shared(t)
	prefix := redistest.Prefix()
	b := open(t, server, prefix)
	l := &lifetimes{T: t, b: b, client: queue.NewClient(b), inspector: queue.NewInspector(b)}
	for i := range 10_000 / len(ways) {
		for name, way := range ways {
			l.enqueue(fmt.Sprintf("%s-%d", name, i), name, way.options...)
		}
	}
	l.crash("poison", 4)
	l.serve()
	l.operate()
	l.pass(365 * 24 * time.Hour)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c := client(t, server)
	defer c.Close()
	permanent := permanentKeys(t, prefix)
	var names []string
	for range 100 { // the claims of "period" last for a second
		if names = others(t, c, prefix, permanent); len(names) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%d keys are left, such as %s", len(names), names[0])
}

// A way is how tasks of one type live and end.
type way struct {
	options []task.Option
	handle  func(ctx context.Context, l *lifetimes) error // nil: it is never run
	want    int                                           // how often each is run
}

var errFails = errors.New("fails")

var ways = map[string]way{
	"done":      {handle: succeed, want: 1},
	"kept":      {options: []task.Option{task.Retention(time.Minute)}, handle: succeed, want: 1},
	"retried":   {options: []task.Option{task.MaxRetry(1), task.Retention(time.Hour)}, handle: failOnce, want: 2},
	"exhausted": {options: []task.Option{task.MaxRetry(1), task.UniqueUntilDone()}, handle: fail(errFails), want: 2},
	"skipped":   {handle: fail(task.SkipRetry), want: 1},
	"revoked":   {options: []task.Option{task.Retention(time.Hour)}, handle: fail(task.Revoke), want: 1},
	"snoozed":   {handle: snoozeOnce, want: 2},
	"panics":    {options: []task.Option{task.MaxRetry(0)}, handle: func(context.Context, *lifetimes) error { panic("at will") }, want: 1},
	"later":     {options: []task.Option{task.ProcessIn(50 * time.Millisecond), task.Unique(time.Hour)}, handle: succeed, want: 1},
	"expired":   {options: []task.Option{task.StartBy(time.Unix(1_700_000_000, 0))}},
	"started":   {options: []task.Option{task.UniqueUntilStart()}, handle: succeed, want: 1},
	"period":    {options: []task.Option{task.UniqueFor(time.Second)}, handle: succeed, want: 1},
	"debounced": {options: []task.Option{task.Debounce(10*time.Millisecond, time.Second)}, handle: succeed},
	"rerun":     {options: []task.Option{task.Rerun()}, handle: succeed},
	"then":      {handle: then, want: 1},
	"reports":   {options: []task.Option{task.Retention(time.Second)}, handle: report, want: 1},
	"deleted":   {options: []task.Option{task.ProcessIn(time.Hour), task.UniqueUntilDone()}},
	"cancelled": {options: []task.Option{task.ProcessIn(time.Hour), task.UniqueUntilDone()}},
	"archived":  {options: []task.Option{task.ProcessIn(time.Hour), task.Unique(time.Hour)}},
	"grouped":   {options: []task.Option{task.Group("some")}},
	"scattered": {options: []task.Option{task.Group("others"), task.UniqueUntilDone()}},
}

func succeed(context.Context, *lifetimes) error { return nil }

func fail(err error) func(context.Context, *lifetimes) error {
	return func(context.Context, *lifetimes) error { return err }
}

func failOnce(ctx context.Context, _ *lifetimes) error {
	if n, _ := task.GetRetryCount(ctx); n == 0 {
		return errFails
	}
	return nil
}

func snoozeOnce(ctx context.Context, l *lifetimes) error {
	id, _ := task.GetID(ctx)
	if _, again := l.snoozed.LoadOrStore(id, true); again {
		return nil
	}
	return task.Snooze(time.Millisecond)
}

func then(ctx context.Context, _ *lifetimes) error {
	return queue.Then(ctx, task.New("done", nil), task.Retention(time.Second))
}

func report(ctx context.Context, _ *lifetimes) error { return queue.Report(ctx, []byte("half")) }

// lifetimes are the tasks, and what came of them.
type lifetimes struct {
	*testing.T
	b         *redisbroker.Broker
	client    *queue.Client
	inspector *queue.Inspector
	snoozed   sync.Map
	runs      atomic.Int64
}

func (l *lifetimes) check(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lifetimes) enqueue(id, typ string, options ...task.Option) {
	l.Helper()
	_, err := l.client.Enqueue(l.Context(), task.New(typ, []byte(id)), append(options, task.ID(id))...)
	l.check(err)
}

// crash leases a task as many times as it has to be lost to be poison.
func (l *lifetimes) crash(id string, times int) {
	l.enqueue(id, "poison", task.Queue("poison"), task.MaxRetry(25))
	now := time.Now()
	for range times {
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "poison", First: 1}}, Max: 1, Until: now.Add(time.Second)}
		_, err := l.b.Apply(l.Context(), now, nil, want)
		l.check(err)
		for range 4 { // nobody may think that the storage was away
			now = now.Add(time.Second)
			_, err = l.b.Advance(l.Context(), now, broker.AdvanceRequest{Queues: []string{"poison"}, Limit: 10})
			l.check(err)
		}
	}
}

// serve runs what is to be run, and checks how often it was.
func (l *lifetimes) serve() {
	mux, want := task.NewMux(), int64(0)
	for name, w := range ways {
		each := int64(10_000 / len(ways))
		want += each * int64(w.want)
		if name == "then" {
			want += each // what follows
		}
		mux.HandleFunc(name, func(ctx context.Context, _ *task.Task) error {
			if w.want > 0 {
				l.runs.Add(1)
			}
			return w.handle(ctx, l)
		})
	}
	srv, err := queue.NewServer(l.b, queue.Config{
		Concurrency: 50, Queues: map[string]int{"default": 1, "poison": 1}, Logger: slog.New(slog.DiscardHandler),
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Millisecond },
	})
	l.check(err)
	l.check(srv.Start(mux))
	redistest.Await(l, fmt.Sprintf("%d runs, and nothing to run", want), func() bool {
		c, err := l.b.Counts(l.Context(), time.Now(), "default")
		l.check(err)
		return l.runs.Load() == want && c[0].Pending+c[0].Active+c[0].Retry == 0
	})
	l.check(srv.Shutdown(l.Context()))
	poison, err := l.inspector.Get(l.Context(), "poison", "poison")
	l.check(err)
	if poison.State != task.Archived || poison.End != broker.Poison.String() {
		l.Errorf("the task that was lost with four workers is %s, %q, want archived as poison", poison.State, poison.End)
	}
}

// operate ends what nobody runs.
func (l *lifetimes) operate() {
	for name, act := range map[string]broker.Act{"deleted": broker.Delete, "cancelled": broker.Cancel, "archived": broker.Archive} {
		done, err := l.inspector.Bulk(l.Context(), queue.BulkRequest{
			Queue: "default", State: task.Scheduled, Do: act, Filter: queue.Filter{Type: name},
		})
		l.check(err)
		if want := 10_000 / len(ways); done.Done != want {
			l.Errorf("%s was done to %d tasks, want %d", act, done.Done, want)
		}
	}
	l.gather("some")
	_, err := l.inspector.Bulk(l.Context(), queue.BulkRequest{Queue: "default", State: task.Aggregating, Group: "others", Do: broker.Cancel})
	l.check(err)
}

// gather settles the tasks of a group, batch by batch: some as done, the others
// as archived.
func (l *lifetimes) gather(group string) {
	for n := 0; ; n++ {
		now := time.Now()
		batch, err := l.b.Gather(l.Context(), now, broker.GatherRequest{
			Queue: "default", Group: group, Token: fmt.Sprintf("%s-%d", group, n), MaxSize: 100, Until: now.Add(time.Minute),
		})
		l.check(err)
		if batch.Token == "" {
			return
		}
		var c broker.Change
		for i, l := range batch.Members {
			c.Settle = append(c.Settle, broker.Settlement{Token: l.Token, Entry: l.Entry, To: []broker.Outcome{broker.Done, broker.Archived}[i%2]})
		}
		done, err := l.b.Apply(l.Context(), now, []broker.Change{c}, broker.LeaseRequest{})
		l.check(errors.Join(err, done.Outcomes[0]))
	}
}

// pass lets time pass for what waits for it, and the archive grow too old.
func (l *lifetimes) pass(d time.Duration) {
	queues, err := l.b.Queues(l.Context())
	l.check(err)
	queues = append(queues, "leat~history") // whose time servers advance, too
	for {
		a, err := l.b.Advance(l.Context(), time.Now().Add(d), broker.AdvanceRequest{
			Queues: queues, Limit: 500, Keep: broker.ArchiveLimits{Age: time.Hour},
		})
		l.check(err)
		if a.Total() == 0 {
			break
		}
	}
	counts, err := l.b.Counts(l.Context(), time.Now())
	l.check(err)
	for _, c := range counts {
		if c.Size() > 0 {
			l.Errorf("queue %s still holds %+v", c.Queue, c)
		}
	}
}

// permanentKeys returns a pattern of the keys that docs/storage.md says stay for
// ever.
func permanentKeys(t *testing.T, prefix string) *regexp.Regexp {
	text, err := os.ReadFile("../../docs/storage.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## Keys that stay\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var patterns []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		p := regexp.QuoteMeta(row[1])
		p = strings.NewReplacer("Q ", prefix+`:\{[^}]+\}:`, "<date>", `\d{4}-\d\d-\d\d`, "<queue>", "[^{}]+").Replace(p)
		patterns = append(patterns, regexp.MustCompile("^P:").ReplaceAllString(p, prefix+":"))
	}
	if !ok || len(patterns) == 0 {
		t.Fatal("docs/storage.md does not say which keys stay")
	}
	return regexp.MustCompile("^(" + strings.Join(patterns, "|") + ")$")
}

// others returns the keys under prefix that are not of those.
func others(t testing.TB, c *redis.Client, prefix string, permanent *regexp.Regexp) (names []string) {
	scan := c.Scan(t.Context(), 0, prefix+":*", 1000).Iterator()
	for scan.Next(t.Context()) {
		if !permanent.MatchString(scan.Val()) {
			names = append(names, scan.Val())
		}
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}
