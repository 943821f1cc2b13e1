package sqlitebroker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// How long somebody who waits lets pass before he asks again whether others have
// written to the file: an eighth of the time for which they have not, within these
// bounds. To ask takes ten microseconds, and to be awake for it a few times that.
const (
	leastLook = 5 * time.Millisecond
	mostLook  = 100 * time.Millisecond
)

// selectDataVersion returns another number when another connection has written.
var selectDataVersion = prepared(`PRAGMA data_version`)

// Wait implements [broker.Waker]. What this broker commits wakes one of those who
// wait on it, at once. What others write to the file, other processes, other
// brokers and transactions on [Broker.DB], wakes somebody on every broker that is
// waited on: within milliseconds while they write, and within a tenth of a
// second when they have not for a while.
func (b *Broker) Wait(ctx context.Context, queues []string) (broker.Wake, error) {
	since := time.Now()
	return b.writer.board.WaitLooking(ctx, queues, func() (again time.Duration, err error) {
		if again, err = b.lookFor(ctx, queues, since); err != nil {
			return 0, fmt.Errorf("wait: %w", err)
		}
		return again, nil
	})
}

// awaits notes that an entry of q waits until at, if it does so in state.
func (q *queue) awaits(state task.State, at int64) {
	if (state == task.Scheduled || state == task.Retry) && (q.due == 0 || at < q.due) {
		q.due = at
	}
}

// passOn gives away wakes that nobody has followed.
func (t *tx) passOn(pass []broker.Wake) {
	for _, w := range pass {
		if !w.At.IsZero() {
			t.passed = append(t.passed, w)
		} else if queue, ok := w.OfGroups(); ok {
			q := t.queue(queue)
			if q != nil && q.count[task.Aggregating] > 0 {
				q.grouped = true
			}
		} else if q := t.queue(w.Queue); q != nil && !q.paused {
			q.readied = true
		}
	}
}

// leaveWakes leaves what t, which was committed, has to say.
func (w *writer) leaveWakes(t *tx) {
	for name, q := range t.queues {
		if q != nil && q.readied && q.count[task.Pending] > 0 {
			w.board.Leave(broker.Wake{Queue: name})
		}
	}
	for name, q := range t.queues {
		if q != nil && q.grouped {
			w.board.Leave(broker.Wake{Queue: broker.GroupsOf(name)})
		}
	}
	for name, q := range t.queues {
		if q != nil && q.due != 0 {
			w.board.Leave(broker.Wake{Queue: name, At: fromMilli(q.due)})
		}
	}
	for _, wake := range t.passed {
		w.board.Leave(wake)
	}
}

// A lookout knows up to where queues have been looked at for what others write.
type lookout struct {
	mu      sync.Mutex
	version dataVersion
	since   time.Time // when it was seen to have changed
	seen    map[string]sight
}

// A sight is what a queue was like when it was looked at.
type sight struct {
	version dataVersion
	due     int64 // when the next of its entries that wait is due; 0: none waits
	joined  int64 // the number of its last join of a group
}

// A dataVersion changes when another connection than the writer's has written.
type dataVersion struct{ opened, data int64 }

// lookFor looks for what others have made ready or have had wait in queues, if
// there is anything, and leaves the wakes. It returns after what time to look again
// for one who waits since a time, 0 if nobody else can write.
func (b *Broker) lookFor(ctx context.Context, queues []string, since time.Time) (again time.Duration, err error) {
	v, err := b.dataVersion(ctx)
	if err != nil || v == (dataVersion{}) {
		return 0, err
	}
	l := &b.lookout
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if v != l.version {
		l.version, l.since = v, now
	}
	for _, name := range queues {
		if l.seen[name].version == v {
			continue
		}
		if err := b.lookAt(ctx, name, v); err != nil {
			return 0, err
		}
	}
	if l.since.After(since) {
		since = l.since
	}
	return min(max(now.Sub(since)/8, leastLook), mostLook), nil
}

// dataVersion returns the one that there is, or none in memory that is not shared.
func (b *Broker) dataVersion(ctx context.Context) (v dataVersion, err error) {
	err = b.writer.alone(ctx, func(c *conn) error {
		if b.name == memory {
			return nil
		}
		c.err = nil
		c.on(selectDataVersion).first(func(r *row) { v = dataVersion{b.writer.opened, r.int()} })
		return refused(c.err)
	})
	return v, err
}

// lookAt leaves the wakes of a queue, or of its groups, as it is at version v or later.
func (b *Broker) lookAt(ctx context.Context, name string, v dataVersion) error {
	if queue, ok := (broker.Wake{Queue: name}).OfGroups(); ok {
		return b.lookAtGroups(ctx, queue, v)
	}
	var ready bool
	now := sight{version: v}
	err := b.read(ctx, func(c *conn) {
		q := c.queue(name)
		if q == nil {
			return
		}
		ready = q.count[task.Pending] > 0 && !q.paused
		for _, state := range [...]task.State{task.Scheduled, task.Retry} {
			c.nextIn(q, state, func(at int64) { q.awaits(state, at) })
		}
		now.due = q.due
	})
	if err != nil {
		return err
	}
	if ready {
		b.writer.board.Leave(broker.Wake{Queue: name})
	}
	if now.due != 0 && now.due != b.lookout.seen[name].due {
		b.writer.board.Leave(broker.Wake{Queue: name, At: fromMilli(now.due)})
	}
	b.lookout.saw(name, now)
	return nil
}

// lookAtGroups leaves the wake of a queue's groups as it is at version v or later.
func (b *Broker) lookAtGroups(ctx context.Context, queue string, v dataVersion) error {
	now := sight{version: v}
	err := b.read(ctx, func(c *conn) {
		if q := c.queue(queue); q != nil && q.count[task.Aggregating] > 0 {
			now.joined = q.joined
		}
	})
	if err != nil {
		return err
	}
	name := broker.GroupsOf(queue)
	if now.joined != 0 && now.joined != b.lookout.seen[name].joined {
		b.writer.board.Leave(broker.Wake{Queue: name})
	}
	b.lookout.saw(name, now)
	return nil
}

func (l *lookout) saw(name string, s sight) {
	if l.seen == nil {
		l.seen = make(map[string]sight)
	}
	l.seen[name] = s
}
