package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue"
)

// kept is for how long what a scrape has found is good enough for the next one.
const kept = time.Second

// A storage asks a broker for its figures, once for all who scrape at a time.
type storage struct {
	cfg       Config
	inspector *queue.Inspector
	errors    *table[prometheus.Counter] // by part and queue
	errorsVec *prometheus.CounterVec

	turn       chan struct{} // held by who asks
	asked      time.Time
	found      []prometheus.Metric
	complaints loop.Throttle
}

func newStorage(cfg Config) *storage {
	s := &storage{cfg: cfg, inspector: queue.NewInspector(cfg.Broker), turn: make(chan struct{}, 1), complaints: loop.Throttle{Interval: loop.ComplaintInterval}}
	s.errorsVec = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "leat_scrape_errors_total", Help: "What could not be read at a scrape, and is missing in it.",
	}, []string{"part", "queue"})
	s.errors = newTable(cfg.MaxNames, func(k key) prometheus.Counter { return s.errorsVec.WithLabelValues(k.queue, k.name) })
	for _, part := range parts {
		s.errors.of(key{queue: part.name})
	}
	return s
}

// A part of what is asked of a storage stands or falls by itself.
type part struct {
	name  string
	wants func(Config) bool
	read  func(*scrape, context.Context) error
}

var parts = []part{
	{"queues", func(Config) bool { return true }, (*scrape).queues},
	{"servers", func(Config) bool { return true }, (*scrape).workers},
	{"memory", func(c Config) bool { return c.Memory }, (*scrape).memory},
	{"periodic", func(c Config) bool { return c.Periodic }, (*scrape).periodic},
	{"runs", func(c Config) bool { return len(c.Workflows) > 0 }, (*scrape).runs},
}

var (
	storageUp = prometheus.NewDesc("leat_storage_up", "Whether the storage could be asked how much is in its queues.", nil, nil)
	took      = prometheus.NewDesc("leat_scrape_duration_seconds", "How long the storage took to tell its figures.", nil, nil)
	leftOut   = prometheus.NewDesc("leat_scrape_left_out", "Queues or periodic entries that are left out of a scrape because there are too many.", []string{"part"}, nil)
)

func (s *storage) describe(ch chan<- *prometheus.Desc) {
	s.errorsVec.Describe(ch)
	for _, d := range s.descs() {
		ch <- d
	}
}

// descs returns what a scrape may find.
func (s *storage) descs() []*prometheus.Desc {
	descs := []*prometheus.Desc{storageUp, took, leftOut}
	descs = append(descs, queueDescs...)
	descs = append(descs, loadDescs...)
	descs = append(descs, memoryDesc)
	descs = append(descs, periodicDescs...)
	descs = append(descs, runsDesc)
	if s.cfg.Asynq {
		descs = append(descs, asynqDescs...)
	}
	return descs
}

// collect tells what the storage says now, or has said a moment ago. It gives up once
// Config.Timeout has passed, whatever the storage does.
func (s *storage) collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
	answer := make(chan []prometheus.Metric, 1)
	go func() {
		defer cancel()
		select {
		case s.turn <- struct{}{}:
			answer <- s.ask(ctx)
			<-s.turn
		case <-ctx.Done():
		}
	}()
	select {
	case found := <-answer:
		send(ch, found)
	case <-ctx.Done():
		select {
		case found := <-answer: // both have happened
			send(ch, found)
		default:
			s.errors.of(key{queue: parts[0].name}).Inc()
			ch <- gauge(storageUp, 0)
		}
	}
	s.errorsVec.Collect(ch)
}

func send(ch chan<- prometheus.Metric, found []prometheus.Metric) {
	for _, m := range found {
		ch <- m
	}
}

// ask asks the storage, if that was not done a moment ago. Its caller holds the turn, and
// waits until ctx ends: what there is to tell by then is told a little earlier.
func (s *storage) ask(ctx context.Context) []prometheus.Metric {
	began := time.Now()
	if began.Sub(s.asked) < kept {
		return s.found
	}
	this := &scrape{storage: s, now: began}
	deadline, _ := ctx.Deadline()
	within, cancel := context.WithDeadline(ctx, deadline.Add(-s.cfg.Timeout/10))
	defer cancel()
	for _, p := range parts {
		if !p.wants(s.cfg) {
			continue
		}
		if err := p.read(this, within); err != nil {
			s.failed(p.name, "", err)
		}
	}
	this.gauge(took, time.Since(began).Seconds())
	if ctx.Err() == nil {
		s.asked, s.found = time.Now(), this.found
	}
	return this.found
}

// failed counts that a part could not be read, or of a part one queue, and says why now
// and then.
func (s *storage) failed(part, queue string, err error) {
	s.errors.of(key{queue: part, name: queue}).Inc()
	if s.complaints.Allow(time.Now()) {
		s.cfg.Logger.Warn("figures are missing in a scrape", "part", part, "queue", queue, "err", err)
	}
}

// A scrape is what the storage says at one time.
type scrape struct {
	*storage
	now    time.Time
	infos  []queue.QueueInfo
	shown  []queue.QueueInfo // those of infos that there is room for
	unread map[string]error  // queues that cannot be read
	found  []prometheus.Metric
}

func (s *scrape) gauge(d *prometheus.Desc, value float64, labels ...string) {
	s.found = append(s.found, gauge(d, value, labels...))
}

func (s *scrape) counter(d *prometheus.Desc, value float64, labels ...string) {
	s.found = append(s.found, counter(d, value, labels...))
}

// room returns how many of n there is room for, and tells how many are left out.
func (s *scrape) room(part string, n int) int {
	s.gauge(leftOut, float64(max(n-s.cfg.MaxNames, 0)), part)
	return min(n, s.cfg.MaxNames)
}
