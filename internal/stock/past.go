package stock

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/queue/broker"
)

// remembered is how many minutes [Remember] makes up.
const remembered = 100

// Remember makes up what servers did in the last hundred minutes before now with a storage
// that [Fill] has filled with about n tasks: charts have something to show. It is no part of
// Fill, since it makes some hundred trips.
func Remember(ctx context.Context, b broker.Broker, n int, now time.Time) error {
	var served []string
	for _, s := range shelves {
		if !s.paused {
			served = append(served, s.queue)
		}
	}
	counts, err := b.Counts(ctx, now, served...)
	if err != nil {
		return fmt.Errorf("count what there is: %w", err)
	}
	p := past{Broker: b, counts: counts, random: rand.New(rand.NewPCG(7, 1))}
	k := history.NewKeeper(&p, served)
	for p.ago = remembered; p.ago > 0; p.ago-- {
		at := now.Add(-time.Duration(p.ago) * time.Minute)
		p.work(k, float64(n)/1000)
		k.Take(at)
		if err := k.Write(ctx, at, true); err != nil {
			return fmt.Errorf("remember %s: %w", at.Format(time.TimeOnly), err)
		}
	}
	return nil
}

// A past is a storage that tells how many tasks there were some minutes ago.
type past struct {
	broker.Broker

	counts []broker.Counts // as they are now
	ago    int             // minutes
	random *rand.Rand
}

// The past has a rush, during which tasks wait longer, and an outage that some fail in.
const (
	rush   = 38 // minutes ago
	outage = 17
)

// near says how near the minute is to another one: 1 if it is that one, and about 0 from
// five times the width on.
func (p *past) near(minute, width float64) float64 {
	d := (float64(p.ago) - minute) / width
	return math.Exp(-d * d / 2)
}

// work counts what the servers did in the minute, of about six tasks for each one that scale
// stands for.
func (p *past) work(k *history.Keeper, scale float64) {
	for _, s := range shelves {
		if s.paused {
			continue
		}
		pace := float64(s.completed+s.archived) / 50 * scale
		pace *= 1 + 0.15*math.Sin(float64(p.ago)/9) + 0.8*p.near(rush, 6) + 0.1*p.random.NormFloat64()
		for range max(int(pace), 0) {
			c := k.Of(s.queue, s.kinds[p.random.IntN(len(s.kinds))].typ)
			c.Began(p.lasting(40*time.Millisecond, 1+25*p.near(rush-4, 5)))
			took := p.lasting(220*time.Millisecond, 1+2*p.near(outage, 2))
			if p.random.Float64() < 0.03+0.35*p.near(outage, 2) {
				c.Settled(broker.Retry, true, took)
			} else {
				c.Settled(broker.Completed, false, took)
			}
		}
	}
}

// lasting makes up how long something took that takes typical as a rule, and some times
// that in a minute that is hard.
func (p *past) lasting(typical time.Duration, hard float64) time.Duration {
	return time.Duration(float64(typical) * hard * math.Exp(0.8*p.random.NormFloat64()))
}

// Counts makes up how many tasks there were in queues, which had come to be as many as there
// are now.
func (p *past) Counts(_ context.Context, _ time.Time, queues ...string) ([]broker.Counts, error) {
	then := make([]broker.Counts, 0, len(queues))
	for _, c := range p.counts {
		grown := 1 - float64(p.ago)/(3*remembered)
		of := func(n int, much float64) int { return int(float64(n) * much) }
		c.Pending = of(c.Pending, grown*(0.7+1.5*p.near(rush-6, 8)+0.3*p.near(0, 10)))
		c.Retry = of(c.Retry, grown*(0.8+0.9*p.near(outage-4, 5)))
		c.Scheduled, c.Archived = of(c.Scheduled, grown), of(c.Archived, grown-0.2*min(1, float64(p.ago)/outage))
		c.Active = min(4+of(c.Pending, 0.02)+p.random.IntN(3), 40)
		c.Aggregating = of(c.Aggregating, float64(remembered-p.ago%25*3)/remembered)
		then = append(then, c)
	}
	return then, nil
}
