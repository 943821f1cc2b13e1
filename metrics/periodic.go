package metrics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/periodic"
)

func entryDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"entry"}, nil)
}

var (
	entryLast     = entryDesc("leat_periodic_last_tick_timestamp_seconds", "The last tick of a periodic entry whose task was enqueued.")
	entryNext     = entryDesc("leat_periodic_next_tick_timestamp_seconds", "The next tick of a periodic entry.")
	entryLate     = entryDesc("leat_periodic_late_seconds", "For how long the next tick of a periodic entry has been due, if that is longer than its window.")
	entryMissed   = entryDesc("leat_periodic_last_missed_timestamp_seconds", "When ticks of a periodic entry were last found too late.")
	entryPaused   = entryDesc("leat_periodic_paused", "Whether a periodic entry has no ticks.")
	entryRunBy    = entryDesc("leat_periodic_schedulers", "Schedulers that run a periodic entry.")
	periodicDescs = []*prometheus.Desc{entryLast, entryNext, entryLate, entryMissed, entryPaused, entryRunBy}
)

// periodic tells how the periodic entries are.
func (s *scrape) periodic(ctx context.Context) error {
	infos, broken, err := periodic.NewInspector(s.cfg.Broker).Survey(ctx)
	if err != nil {
		return err
	}
	for name, err := range broken {
		s.failed("periodic", "", fmt.Errorf("entry %s: %w", name, err))
	}
	for _, i := range infos[:s.room("periodic", len(infos))] {
		s.entry(i)
	}
	return nil
}

func (s *scrape) entry(i periodic.Info) {
	s.moment(entryLast, i.Prev, i.Name)
	s.moment(entryNext, i.Next, i.Name)
	for _, e := range slices.Backward(i.History) {
		if e.What == periodic.TickMissed {
			s.moment(entryMissed, e.At, i.Name)
			break
		}
	}
	late, paused := 0.0, 0.0
	if i.Late {
		late = max(s.now.Sub(i.Next), 0).Seconds()
	}
	if i.Paused != nil {
		paused = 1
	}
	s.gauge(entryLate, late, i.Name)
	s.gauge(entryPaused, paused, i.Name)
	s.gauge(entryRunBy, float64(len(i.RunBy)), i.Name)
}

// moment tells when something was, if it was.
func (s *scrape) moment(d *prometheus.Desc, t time.Time, entry string) {
	if !t.IsZero() {
		s.gauge(d, float64(t.UnixMilli())/1000, entry)
	}
}
