package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func queueDesc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"queue"}, more...), nil)
}

var (
	queueTasks     = queueDesc("leat_queue_tasks", "Tasks in a queue by state.", "state")
	queueGroups    = queueDesc("leat_queue_groups", "Groups in which tasks of a queue wait.")
	queuePaused    = queueDesc("leat_queue_paused", "Whether nothing is taken from a queue.")
	queueOldest    = queueDesc("leat_queue_oldest_ready_seconds", "For how long the task has been ready that is next; 0 if there is none.")
	queueProcessed = queueDesc("leat_queue_processed_total", "Outcomes that were recorded in a queue ever.")
	queueFailed    = queueDesc("leat_queue_failed_total", "Failures that were recorded in a queue ever.")
	queueDescs     = []*prometheus.Desc{queueTasks, queueGroups, queuePaused, queueOldest, queueProcessed, queueFailed}

	queueSlots  = queueDesc("leat_queue_slots", "How many tasks the live servers run at once that serve a queue.")
	queueWork   = queueDesc("leat_queue_work_per_slot", "Tasks that are ready or active in a queue, for each slot of the servers that serve it, as for one if there is none.")
	allReady    = prometheus.NewDesc("leat_ready_tasks", "Tasks that are to be run now, in all queues together.", nil, nil)
	allOldest   = prometheus.NewDesc("leat_oldest_ready_seconds", "For how long the task has been ready that waits longest, in all queues together.", nil, nil)
	allWork     = prometheus.NewDesc("leat_work_per_slot", "Tasks that are ready or active, for each slot of the servers, in all queues together.", nil, nil)
	servers     = prometheus.NewDesc("leat_servers", "Servers that are alive, of all processes, by status.", []string{"status"}, nil)
	workers     = prometheus.NewDesc("leat_workers", "Slots of all servers that are alive, by whether a task is run in them.", []string{"state"}, nil)
	schedulers  = prometheus.NewDesc("leat_schedulers", "Schedulers of periodic entries that are alive.", nil, nil)
	loadDescs   = []*prometheus.Desc{queueSlots, queueWork, allReady, allOldest, allWork, servers, workers, schedulers}
	memoryDesc  = queueDesc("leat_queue_memory_bytes", "About how many bytes the tasks of a queue take.")
	queueStates = []task.State{task.Pending, task.Active, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating}

	asynqSize      = queueDesc("asynq_queue_size", "Tasks in a queue.")
	asynqLatency   = queueDesc("asynq_queue_latency_seconds", "For how long the task has been ready that is next.")
	asynqMemory    = queueDesc("asynq_queue_memory_usage_approx_bytes", "About how many bytes the tasks of a queue take.")
	asynqProcessed = queueDesc("asynq_tasks_processed_total", "Outcomes that were recorded in a queue ever.")
	asynqFailed    = queueDesc("asynq_tasks_failed_total", "Failures that were recorded in a queue ever.")
	asynqDescs     = []*prometheus.Desc{asynqSize, asynqLatency, asynqMemory, asynqProcessed, asynqFailed}
)

// queues tells what is in the queues.
func (s *scrape) queues(ctx context.Context) error {
	infos, broken, err := s.inspector.Survey(ctx, s.cfg.Queues...)
	if err != nil {
		s.gauge(storageUp, 0)
		return err
	}
	s.gauge(storageUp, 1)
	for queue, err := range broken {
		s.failed("queues", queue, err)
	}
	s.infos, s.shown, s.unread = infos, infos[:s.room("queues", len(infos))], broken
	for _, info := range s.shown {
		s.queue(info)
	}
	return nil
}

func (s *scrape) queue(i queue.QueueInfo) {
	for _, state := range queueStates {
		s.gauge(queueTasks, float64(i.In(state)), i.Queue, state.String())
	}
	paused := 0.0
	if i.Paused {
		paused = 1
	}
	s.gauge(queueGroups, float64(i.Groups), i.Queue)
	s.gauge(queuePaused, paused, i.Queue)
	s.gauge(queueOldest, i.Latency.Seconds(), i.Queue)
	s.counter(queueProcessed, float64(i.ProcessedTotal), i.Queue)
	s.counter(queueFailed, float64(i.FailedTotal), i.Queue)
	if s.cfg.Asynq {
		s.gauge(asynqSize, float64(i.Size()), i.Queue)
		s.gauge(asynqLatency, i.Latency.Seconds(), i.Queue)
		s.counter(asynqProcessed, float64(i.ProcessedTotal), i.Queue)
		s.counter(asynqFailed, float64(i.FailedTotal), i.Queue)
	}
}

// workers tells who is there to do the work, and how much of it there is for each.
func (s *scrape) workers(ctx context.Context) error {
	alive, err := s.inspector.Servers(ctx)
	if err != nil {
		return err
	}
	count := map[string]int{"active": 0, "stopped": 0}
	busy, slots := 0, 0
	for _, server := range alive {
		if _, known := count[server.Status]; known {
			count[server.Status]++
		}
		busy += len(server.Workers)
		slots += max(server.Concurrency, len(server.Workers)) // it has more for queues that are reserved
	}
	for status, n := range count {
		s.gauge(servers, float64(n), status)
	}
	s.gauge(workers, float64(busy), "busy")
	s.gauge(workers, float64(slots-busy), "free")
	s.loads(ctx, alive)
	found, err := s.cfg.Broker.Schedulers(ctx, s.now)
	if err != nil {
		return err
	}
	s.gauge(schedulers, float64(len(found)))
	return nil
}

// loads tells how much work there is. That of all queues is left out if it would be too
// little.
func (s *scrape) loads(ctx context.Context, alive []broker.Server) {
	if s.infos == nil {
		return
	}
	l := s.inspector.LoadsOf(ctx, s.infos, s.unread, alive)
	for _, i := range s.shown {
		if of, known := l.Queues[i.Queue]; known {
			s.gauge(queueSlots, float64(of.Slots), i.Queue)
			s.gauge(queueWork, of.PerSlot(), i.Queue)
		}
	}
	for queue, err := range l.Broken {
		if _, told := s.unread[queue]; !told {
			s.failed("servers", queue, err)
		}
	}
	if len(l.Broken) == 0 {
		s.gauge(allReady, float64(l.All.Ready))
		s.gauge(allOldest, l.All.Oldest.Seconds())
		s.gauge(allWork, l.All.PerSlot())
	}
}

// memory tells how many bytes tasks take.
func (s *scrape) memory(ctx context.Context) error {
	for _, i := range s.shown {
		n, err := s.cfg.Broker.Memory(ctx, i.Queue)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			s.failed("memory", i.Queue, err)
			continue
		}
		s.gauge(memoryDesc, float64(n), i.Queue)
		if s.cfg.Asynq {
			s.gauge(asynqMemory, float64(n), i.Queue)
		}
	}
	return nil
}
