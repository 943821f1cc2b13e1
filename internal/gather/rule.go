package gather

import (
	"context"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Rule says when groups are ripe, and what is done with their batches. Its fields are
// those of [broker.GatherRequest] where they have the names of these.
type Rule struct {
	Grace    time.Duration
	MaxDelay time.Duration
	MaxSize  int
	MaxBytes int64

	// Parallel is how many batches are run at once, of all groups together that go by
	// the rule.
	Parallel int

	// Run does what the batch is for, and settles it. It must return soon after ctx has
	// ended.
	Run func(ctx context.Context, b *Batch)
}

// ripens returns when a group is to be asked for a batch, as far as can be said from
// what was told of it. How large the payloads are is not told: only asking shows that.
func (r *Rule) ripens(now time.Time, g broker.Group) time.Time {
	if g.Size >= r.MaxSize || r.Grace == 0 || r.MaxBytes > 0 {
		return now
	}
	ripe := g.Newest.Add(seconds(r.Grace))
	if r.MaxDelay > 0 {
		ripe = earliest(ripe, g.Oldest.Add(seconds(r.MaxDelay)))
	}
	return ripe
}

// request returns what to ask for a batch of a group with.
func (r *Rule) request(name groupName, token string, until time.Time) broker.GatherRequest {
	return broker.GatherRequest{
		Queue: name.queue, Group: name.group, Token: token, Until: until,
		Grace: r.Grace, MaxDelay: r.MaxDelay, MaxSize: r.MaxSize, MaxBytes: r.MaxBytes,
	}
}

// seconds returns d in whole seconds, rounded up.
func seconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// earliest returns the earlier of two times, of which a zero one is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
