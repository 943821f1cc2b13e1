package stock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Tasks is how many tasks [Fill] stores.
const Tasks = 100_000

// atOnce is how many tasks travel together.
const atOnce = 1000

// A shelf is a queue with how many tasks of each state it has, in thousandths of all.
type shelf struct {
	queue                                                   string
	completed, archived, retry, pending, scheduled, grouped int
	paused                                                  bool
	kinds                                                   []kind
}

// A kind is what the tasks of one type are like.
type kind struct {
	typ     string
	payload func(r *rand.Rand) string
	failure string
}

var (
	welcome = kind{"email:welcome", func(r *rand.Rand) string {
		return fmt.Sprintf(`{"user":%d,"template":"welcome","locale":%q}`, r.IntN(90_000)+10_000, locales[r.IntN(len(locales))])
	}, "smtp: 421 too many connections from this host"}
	digest = kind{"email:digest", func(r *rand.Rand) string {
		return fmt.Sprintf(`{"user":%d,"since":"2026-11-%02d"}`, r.IntN(90_000)+10_000, r.IntN(28)+1)
	}, "template digest: user has no name"}
	thumbnail = kind{"image:thumbnail", func(r *rand.Rand) string {
		return fmt.Sprintf(`{"image":"s3://photos/%06x.jpg","width":%d}`, r.IntN(1<<24), 128<<r.IntN(4))
	}, "decode s3://photos: unexpected EOF"}
	charge = kind{"billing:charge", func(r *rand.Rand) string {
		return fmt.Sprintf(`{"order":"o-%05d","cents":%d,"currency":"EUR"}`, r.IntN(100_000), r.IntN(20_000)+100)
	}, "card declined: insufficient funds"}
	export = kind{"report:export", func(r *rand.Rand) string {
		return fmt.Sprintf(`{"account":%d,"format":"csv"}`, r.IntN(900)+100)
	}, "export: context deadline exceeded"}
	visit = kind{"stats:visit", func(r *rand.Rand) string {
		return fmt.Sprintf(`{"page":"/p/%d","ms":%d}`, r.IntN(400), r.IntN(900))
	}, "stats: shard 3 is read only"}

	locales = []string{"de", "en", "fr", "日本"}
)

var shelves = []shelf{
	{queue: "billing", completed: 40, archived: 4, retry: 3, pending: 10, scheduled: 5, kinds: []kind{charge}},
	{queue: "default", completed: 150, archived: 12, retry: 12, pending: 320, scheduled: 40, kinds: []kind{welcome, visit, thumbnail}},
	{queue: "images", completed: 60, archived: 6, retry: 8, pending: 90, scheduled: 0, kinds: []kind{thumbnail}},
	{queue: "mail", completed: 20, archived: 3, retry: 5, pending: 60, scheduled: 20, grouped: 40, kinds: []kind{welcome, digest}},
	{queue: "reports", archived: 2, pending: 60, scheduled: 30, paused: true, kinds: []kind{export}},
}

// Fill stores tasks, about n, in all states but active, as if they had come in the hours
// before now; and periodic entries.
func Fill(ctx context.Context, b broker.Broker, n int, now time.Time) error {
	for i, s := range shelves {
		f := filler{
			b: b, client: queue.NewClient(b), shelf: s, now: now,
			thousandth: n / 1000, random: rand.New(rand.NewPCG(uint64(i), 1)),
		}
		if err := f.fill(ctx); err != nil {
			return fmt.Errorf("fill queue %s: %w", s.queue, err)
		}
	}
	return schedule(ctx, b)
}

// A filler fills one queue.
type filler struct {
	shelf
	b          broker.Broker
	client     *queue.Client
	now        time.Time
	thousandth int
	random     *rand.Rand
	made       int
}

func (f *filler) fill(ctx context.Context) error {
	ends := []struct {
		to    broker.Outcome
		share int
	}{{broker.Completed, f.completed}, {broker.Archived, f.archived}, {broker.Retry, f.retry}}
	for _, end := range ends {
		n := end.share * f.thousandth
		if err := f.enqueue(ctx, n, task.Retention(7*24*time.Hour)); err != nil {
			return err
		}
		if err := f.settle(ctx, n, end.to); err != nil {
			return err
		}
	}
	for _, wait := range []struct {
		share   int
		options []task.Option
	}{
		{f.pending, nil},
		{f.scheduled, []task.Option{task.ProcessAt(f.now.Add(26*time.Hour + 30*time.Minute))}},
		{f.grouped / 2, []task.Option{task.Group("weekly")}},
		{f.grouped / 2, []task.Option{task.Group("monthly")}},
	} {
		if err := f.enqueue(ctx, wait.share*f.thousandth, wait.options...); err != nil {
			return err
		}
	}
	if !f.paused {
		return nil
	}
	_, err := queue.NewInspector(f.b).Pause(ctx, f.queue)
	return err
}

// enqueue enqueues n tasks.
func (f *filler) enqueue(ctx context.Context, n int, options ...task.Option) error {
	for n > 0 {
		batch := make([]*task.Task, min(n, atOnce))
		for i := range batch {
			k := f.kinds[f.random.IntN(len(f.kinds))]
			f.made++
			batch[i] = task.New(k.typ, []byte(k.payload(f.random)), task.ID(fmt.Sprintf("%s-%06d", f.queue, f.made)))
		}
		n -= len(batch)
		var errs []error
		for _, e := range f.client.EnqueueMany(ctx, batch, append(options, task.Queue(f.queue))...) {
			errs = append(errs, e.Err)
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// settle has n tasks come to an outcome, those that were enqueued first first.
func (f *filler) settle(ctx context.Context, n int, to broker.Outcome) error {
	var settle []broker.Change
	for left := n; left > 0 || len(settle) > 0; {
		most := min(left, atOnce)
		want := broker.LeaseRequest{
			Queues: []broker.Share{{Queue: f.queue, First: most}}, Max: most, Until: f.now.Add(time.Hour),
		}
		done, err := f.b.Apply(ctx, f.now, settle, want)
		if err != nil {
			return err
		}
		left -= len(done.Leases)
		settle = settle[:0]
		for _, l := range done.Leases {
			settle = append(settle, broker.Change{Settle: []broker.Settlement{f.outcome(l, to)}})
		}
		if len(done.Leases) == 0 && left > 0 {
			return fmt.Errorf("%d tasks are missing", left)
		}
	}
	return nil
}

// outcome makes up how a task has ended.
func (f *filler) outcome(l broker.Lease, to broker.Outcome) broker.Settlement {
	s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: to}
	ago := f.now.Add(-time.Duration(f.random.IntN(20*3600)+3*3600) * time.Second)
	switch to {
	case broker.Completed:
		s.Entry.CompletedAt, s.At = ago, ago.Add(l.Entry.Retention)
		s.Result = fmt.Appendf(nil, `{"took_ms":%d}`, f.random.IntN(4000))
		return s
	case broker.Retry:
		s.At, s.Failed = f.now.Add(26*time.Hour+30*time.Minute), true
	}
	s.Entry.Retried = f.random.IntN(20) + 1
	s.Entry.LastErr, s.Entry.LastFailedAt = f.failure(l.Entry.Type), ago
	return s
}

func (f *filler) failure(typ string) string {
	for _, k := range f.kinds {
		if k.typ == typ {
			return k.failure
		}
	}
	return "unknown type"
}
