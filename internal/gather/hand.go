package gather

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

const (
	// askRetry is how soon after an error a batch is asked for again; after each more
	// it takes twice as long, up to askRest.
	askRetry = 50 * time.Millisecond
	askRest  = time.Second

	// askPause is how soon a group is asked again that was not ripe although it was
	// said to be.
	askPause = 5 * time.Millisecond

	// alonePause is how soon a member that is to be run alone has another try when one
	// is. It holds no hand meanwhile.
	alonePause = 100 * time.Millisecond
)

// ask asks for a batch of a group that is ripe, and runs it.
func (w *watch) ask(ctx context.Context, g *group) {
	if ctx.Err() != nil {
		return
	}
	if g.wary {
		w.askWarily(ctx, g)
		return
	}
	b, next := w.gather(ctx, g, g.rule.MaxSize)
	if b == nil {
		w.line.answered(g, false, next)
		return
	}
	company, suspects := split(b.Members)
	switch {
	case len(suspects) == 0:
	case len(b.Members) == 1 && w.alone.TryLock():
		defer w.alone.Unlock()
		company = suspects
	default:
		g.wary, next = true, time.Now()
		w.release(b, suspects)
	}
	w.line.answered(g, true, next)
	w.run(b, company)
}

// askWarily asks for one member of a group, and runs it if that is to be alone. The
// group is not asked for more meanwhile.
func (w *watch) askWarily(ctx context.Context, g *group) {
	if !w.alone.TryLock() {
		w.line.answered(g, false, time.Now().Add(alonePause))
		return
	}
	defer w.alone.Unlock()
	b, next := w.gather(ctx, g, 1)
	if b == nil {
		g.wary = !next.IsZero()
		w.line.answered(g, false, next)
		return
	}
	if company, suspects := split(b.Members); len(company) > 0 {
		g.wary = false
		w.release(b, company)
	} else {
		w.run(b, suspects)
	}
	w.line.answered(g, true, time.Now())
}

// split divides members into those that may be run together and those whose workers
// have died more than once in a row.
func split(members []broker.Lease) (company, suspects []broker.Lease) {
	for _, m := range members {
		if m.Entry.Crashes > 1 {
			suspects = append(suspects, m)
		} else {
			company = append(company, m)
		}
	}
	return company, suspects
}

// gather asks for a batch of at most so many members, and returns it, or nil, and when
// the group is ripe next, zero if nothing waits in it. If the storage does not answer it asks again for the same
// batch, as long as that would be leased: nobody else would know of it.
func (w *watch) gather(ctx context.Context, g *group, most int) (*Batch, time.Time) {
	until := time.Now().Add(w.Lease)
	r := g.rule.request(g.groupName, uuid.NewString(), until)
	r.MaxSize = most
	backoff := loop.Backoff{Min: askRetry, Max: askRest}
	for {
		now := time.Now()
		leased, err := w.gatherOnce(ctx, now, r)
		if err == nil {
			return w.gathered(ctx, now, g, leased)
		}
		wait := backoff.Next()
		if ctx.Err() != nil || errors.Is(err, broker.ErrRefused) || !now.Add(wait).Before(until) {
			w.Log.WarnContext(ctx, "batch was not gathered", "queue", g.queue, "group", g.groupName.group, "err", err)
			return nil, now.Add(askRest)
		}
		loop.Sleep(ctx, wait)
	}
}

func (w *watch) gatherOnce(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Lease)
	defer cancel()
	return w.Broker.Gather(ctx, now, r)
}

// gathered takes in what was gathered.
func (w *watch) gathered(ctx context.Context, now time.Time, g *group, leased broker.Batch) (*Batch, time.Time) {
	for _, p := range leased.Parked {
		w.Parked(ctx, p)
	}
	next := leased.Next
	if leased.Token == "" {
		if !next.IsZero() && !next.After(now) {
			next = now.Add(askPause)
		}
		return nil, next
	}
	return newBatch(w, g, leased), next
}
