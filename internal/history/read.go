package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Request asks for the figures of some queues between two times.
type Request struct {
	Queues []string
	From   time.Time // zero: an hour before To; no earlier than 90 days ago
	To     time.Time // zero: now; no later than now

	// Types has the figures told by type of task, too.
	Types bool
}

// atOnce is how many documents are asked for in one trip.
const atOnce = 500

// Read returns the figures that r asks for, in steps that suit how long that is: of a
// minute up to three hours, of a day for ninety days. It makes a trip for each day that is
// told by the minute, or month by the hour, and for each 500 documents, of which there is
// one for each queue and hour, or day.
//
// What r asks for is widened to whole steps. Documents that cannot be read are left out,
// and the error then joins a [DocumentError] for each; the figures are those of the
// others. With any other error there are none.
func Read(ctx context.Context, b broker.Broker, r Request) (Figures, error) {
	f, err := newFigures(r, time.Now())
	if err != nil {
		return Figures{}, fmt.Errorf("read history: %w", err)
	}
	var unread []error
	for _, some := range f.looks() {
		damaged, err := f.read(ctx, b, some)
		if err != nil {
			return Figures{}, fmt.Errorf("read history: %w", err)
		}
		unread = append(unread, damaged...)
	}
	f.finish()
	return f, errors.Join(unread...)
}

// A look is what is read in one trip: documents of one home.
type look struct {
	home   broker.Home
	keys   []string
	queues []int       // whose each is
	begins []time.Time // of each
}

// looks returns what has to be read.
func (f *Figures) looks() (all []*look) {
	for t := f.From.Truncate(f.by.sheet); t.Before(f.To); t = t.Add(f.by.sheet) {
		for i := range f.Queues {
			p, _ := f.by.place(f.Queues[i].Queue, t)
			if last := len(all) - 1; last < 0 || all[last].home != p.home || len(all[last].keys) == atOnce {
				all = append(all, &look{home: p.home})
			}
			l := all[len(all)-1]
			l.keys, l.queues, l.begins = append(l.keys, p.key), append(l.queues, i), append(l.begins, t)
		}
	}
	return all
}

// read adds what is found in l, and returns which documents could not be read.
func (f *Figures) read(ctx context.Context, b broker.Broker, l *look) (damaged []error, err error) {
	docs, err := b.Documents(ctx, l.home, l.keys...)
	if err != nil {
		return nil, err
	}
	for i, d := range docs {
		s, err := decode(l.home, d, f.by.slots())
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		f.add(&f.Queues[l.queues[i]], l.begins[i], s)
	}
	return damaged, nil
}

// add adds a sheet of a queue that begins at a time.
func (f *Figures) add(q *QueueFigures, begins time.Time, s *sheet) {
	for n, slot := range s.slots {
		at := begins.Add(time.Duration(n) * f.by.slot)
		if at.Before(f.From) || !at.Before(f.To) {
			continue
		}
		i := int(at.Sub(f.From) / f.Step)
		q.Gauges[i] = q.Gauges[i].most(slot.gauges)
		for name, figure := range slot.types {
			q.Steps[i].Add(*figure)
			if f.types {
				q.ofType(name)[i].Add(*figure)
			}
		}
	}
}

// widths are how long a step is, and how long what is divided into such steps may be.
var widths = []struct{ step, most time.Duration }{
	{time.Minute, 3 * time.Hour},
	{5 * time.Minute, 12 * time.Hour},
	{15 * time.Minute, 2 * day},
	{time.Hour, 8 * day},
	{6 * time.Hour, 45 * day},
	{day, 100 * day},
}

// mostSheets is how many documents are read by the minute: for more, hours will do.
const mostSheets = 2000

// newFigures returns empty figures for r at now.
func newFigures(r Request, now time.Time) (Figures, error) {
	from, to := r.From, r.To
	if to.IsZero() || to.After(now) {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	if oldest := now.Add(-hours.kept); from.Before(oldest) {
		from = oldest
	}
	if !from.Before(to) {
		return Figures{}, task.Invalid("Request.From", r.From, "must be before To, and not in the future")
	}
	f := Figures{by: hours, types: r.Types, now: now}
	if sheets := int(to.Sub(from)/time.Hour+2) * len(r.Queues); !from.Before(now.Add(-minutes.kept)) && sheets <= mostSheets {
		f.by = minutes
	}
	for _, w := range widths {
		if f.Step = w.step; w.step >= f.by.slot && to.Sub(from) <= w.most {
			break
		}
	}
	f.From = from.UTC().Truncate(f.Step)
	f.To = to.UTC().Add(f.Step - 1).Truncate(f.Step)
	steps := int(f.To.Sub(f.From) / f.Step)
	f.Total = newQueueFigures("", steps)
	for _, q := range r.Queues {
		if err := task.CheckMadeName("Request.Queues", q); err != nil {
			return Figures{}, err
		}
		f.Queues = append(f.Queues, newQueueFigures(q, steps))
	}
	return f, nil
}
