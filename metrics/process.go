package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
)

// The buckets of histograms, in seconds or tasks.
var (
	taskTimes  = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	runTimes   = []float64{.01, .1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600}
	batchSizes = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}
)

// A process is what has happened in this one.
type process struct {
	all []prometheus.Collector

	clients   *table[prometheus.Counter] // what was enqueued
	tasks     *table[*taskFigures]
	batches   *table[*batchFigures] // by queue
	ticks     *table[prometheus.Counter]
	workflows *table[*runFigures]
	parked    *table[prometheus.Counter] // by queue

	recovered, trimmed prometheus.Counter
	tickLateness       prometheus.Histogram
	stuck              stuckHandlers
}

// taskFigures are those of the tasks of one type that were run.
type taskFigures struct {
	started, leaseLost, stuck prometheus.Counter
	settled                   [broker.Released + 1]prometheus.Counter // by outcome
	waited, ran               prometheus.Observer
}

// batchFigures are those of the batches of one queue.
type batchFigures struct {
	done, failed prometheus.Counter
	tasks, ran   prometheus.Observer
}

// runFigures are those of the runs of one workflow.
type runFigures struct {
	started prometheus.Counter
	ended   map[string]prometheus.Counter // by state
	took    prometheus.Observer
}

func newProcess(most int) *process {
	p := &process{}
	p.clients = newTable(most, p.counters("leat_tasks_enqueued_total", "Tasks that the clients of the process have enqueued.", "queue", "type"))
	p.tasks = newTable(most, p.newTasks())
	p.batches = newTable(most, p.newBatches())
	p.workflows = newTable(most, p.newRuns())
	p.ticks = newTable(most, p.counters("leat_ticks_total", "Ticks of periodic entries that the process has enqueued the task of.", "entry"))
	p.parked = newTable(most, p.counters("leat_tasks_parked_total", "Tasks that could not be read and were archived.", "queue"))
	p.recovered = p.counter("leat_tasks_recovered_total", "Tasks of workers that were lost, which the process has made ready again.")
	p.trimmed = p.counter("leat_tasks_trimmed_total", "Archived tasks that the process has deleted because there were too many.")
	p.tickLateness = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "leat_tick_lateness_seconds", Help: "For how long ticks were due when their task was enqueued.", Buckets: taskTimes,
	})
	p.all = append(p.all, p.tickLateness, newStuckGauge(&p.stuck))
	return p
}

func (p *process) describe(ch chan<- *prometheus.Desc) {
	for _, c := range p.all {
		c.Describe(ch)
	}
}

func (p *process) collect(ch chan<- prometheus.Metric) {
	for _, c := range p.all {
		c.Collect(ch)
	}
}

func (p *process) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	p.all = append(p.all, c)
	return c
}

func (p *process) vector(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	p.all = append(p.all, v)
	return v
}

// counters returns what builds the counter of a key.
func (p *process) counters(name, help string, labels ...string) func(key) prometheus.Counter {
	v := p.vector(name, help, labels...)
	return func(k key) prometheus.Counter { return v.WithLabelValues(k.values(len(labels))...) }
}

// values returns the last n parts of a key.
func (k key) values(n int) []string { return []string{k.queue, k.name}[2-n:] }

func (p *process) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	p.all = append(p.all, v)
	return v
}

func (p *process) newTasks() func(key) *taskFigures {
	started := p.vector("leat_tasks_started_total", "Tasks whose handler was called, one that is retried each time.", "queue", "type")
	settled := p.vector("leat_tasks_settled_total", "Tasks whose outcome was recorded.", "queue", "type", "outcome")
	lost := p.vector("leat_leases_lost_total", "Tasks whose outcome was not recorded because the lease was lost.", "queue", "type")
	stuck := p.vector("leat_handlers_stuck_total", "Handlers that went on after their context had ended, and keep their slot.", "queue", "type")
	waited := p.histograms("leat_task_wait_seconds", "For how long tasks were ready when their handler was called.", taskTimes, "queue", "type")
	ran := p.histograms("leat_task_run_seconds", "For how long handlers ran.", taskTimes, "queue", "type")
	return func(k key) *taskFigures {
		f := &taskFigures{
			started:   started.WithLabelValues(k.queue, k.name),
			leaseLost: lost.WithLabelValues(k.queue, k.name),
			stuck:     stuck.WithLabelValues(k.queue, k.name),
			waited:    waited.WithLabelValues(k.queue, k.name),
			ran:       ran.WithLabelValues(k.queue, k.name),
		}
		for o := broker.Done; o <= broker.Released; o++ {
			f.settled[o] = settled.WithLabelValues(k.queue, k.name, o.String())
		}
		return f
	}
}

func (p *process) newBatches() func(key) *batchFigures {
	batches := p.vector("leat_batches_total", "Batches of tasks that were run together.", "queue", "outcome")
	tasks := p.histograms("leat_batch_tasks", "How many tasks were run together.", batchSizes, "queue")
	ran := p.histograms("leat_batch_run_seconds", "For how long batches ran.", taskTimes, "queue")
	return func(k key) *batchFigures {
		return &batchFigures{
			done:   batches.WithLabelValues(k.name, "done"),
			failed: batches.WithLabelValues(k.name, "failed"),
			tasks:  tasks.WithLabelValues(k.name),
			ran:    ran.WithLabelValues(k.name),
		}
	}
}

// endStates are those in which runs end.
var endStates = []workflow.State{workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut}

func (p *process) newRuns() func(key) *runFigures {
	started := p.vector("leat_runs_started_total", "Runs that the process has started.", "workflow")
	ended := p.vector("leat_runs_ended_total", "Runs that the process has seen the end of.", "workflow", "state")
	took := p.histograms("leat_run_seconds", "For how long runs went on.", runTimes, "workflow")
	return func(k key) *runFigures {
		f := &runFigures{
			started: started.WithLabelValues(k.name),
			ended:   make(map[string]prometheus.Counter, len(endStates)),
			took:    took.WithLabelValues(k.name),
		}
		for _, s := range endStates {
			f.ended[string(s)] = ended.WithLabelValues(k.name, string(s))
		}
		return f
	}
}
