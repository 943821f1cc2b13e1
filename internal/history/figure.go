package history

import "time"

// A Figure is what came of tasks within some time. A copy shares its histograms.
type Figure struct {
	Processed int64 // outcomes that were recorded and count, as those of [broker.Counts]
	Failed    int64 // failures among them
	Retried   int64 // tasks that were put off until later, because they failed or asked for it
	Archived  int64 // tasks that were archived, for whatever reason

	Waits Histogram // how long tasks that were begun had been ready, where that is known
	Runs  Histogram // how long handlers took whose outcome was recorded
}

// FailureRatio returns which part of those processed has failed, 0 if there are none.
func (f Figure) FailureRatio() float64 {
	if f.Processed == 0 {
		return 0
	}
	return float64(f.Failed) / float64(f.Processed)
}

// IsZero reports whether nothing has happened.
func (f Figure) IsZero() bool {
	return f.Processed|f.Failed|f.Retried|f.Archived == 0 && f.Waits.counts == nil && f.Runs.counts == nil
}

// Add adds what is in o.
func (f *Figure) Add(o Figure) {
	f.Processed += o.Processed
	f.Failed += o.Failed
	f.Retried += o.Retried
	f.Archived += o.Archived
	f.Waits.Add(o.Waits)
	f.Runs.Add(o.Runs)
}

// Sum returns all of figures in one.
func Sum(figures ...Figure) (sum Figure) {
	for _, f := range figures {
		sum.Add(f)
	}
	return sum
}

// Gauges are how many tasks of a queue stood in each state. They are looked at once a
// minute, while a server does anything in the queue or something waits there; of a longer
// time they are the most that was seen of each.
type Gauges struct {
	Known bool // anybody has looked

	Pending, Active, Scheduled, Retry, Archived, Completed, Aggregating int64

	Oldest time.Duration // for how long the one that is next to be run was ready
}

// most returns the most of each of g and o.
func (g Gauges) most(o Gauges) Gauges {
	return Gauges{
		Known:       g.Known || o.Known,
		Pending:     max(g.Pending, o.Pending),
		Active:      max(g.Active, o.Active),
		Scheduled:   max(g.Scheduled, o.Scheduled),
		Retry:       max(g.Retry, o.Retry),
		Archived:    max(g.Archived, o.Archived),
		Completed:   max(g.Completed, o.Completed),
		Aggregating: max(g.Aggregating, o.Aggregating),
		Oldest:      max(g.Oldest, o.Oldest),
	}
}

// and returns what g and o, which are of two queues, are together.
func (g Gauges) and(o Gauges) Gauges {
	return Gauges{
		Known:       g.Known || o.Known,
		Pending:     g.Pending + o.Pending,
		Active:      g.Active + o.Active,
		Scheduled:   g.Scheduled + o.Scheduled,
		Retry:       g.Retry + o.Retry,
		Archived:    g.Archived + o.Archived,
		Completed:   g.Completed + o.Completed,
		Aggregating: g.Aggregating + o.Aggregating,
		Oldest:      max(g.Oldest, o.Oldest),
	}
}
