package peers

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// An office is a Redis on which everything of asynq's is in use. The queue "mail" has tasks in
// each state, some of them running, and is paused; "low" has one that nobody serves; a
// scheduler enqueues into "ticks".
const (
	busy, idle, ticked = "mail", "low", "ticks"
	groupG, groupH     = "g", "h"
)

// setOffice has asynq do all that it can in an office.
func setOffice(t *testing.T, program string) *shell {
	t.Helper()
	s := &shell{bench: newBench(t), program: program}
	s.schedule()
	s.fill()
	s.serve()
	s.must(s.inspector.PauseQueue(busy))
	for i, payload := range []string{`{"n": 1}`, "text", "\xff\x00\x01"} {
		id := fmt.Sprintf("pending-%d", i)
		s.put(asynq.NewTask("t:pending", []byte(payload)), asynq.TaskID(id), asynq.Queue(busy), asynq.Unique(time.Duration(i)*time.Hour+time.Hour))
	}
	s.put(asynq.NewTask("t:low", nil), asynq.TaskID("low"), asynq.Queue(idle), asynq.MaxRetry(0))
	s.eventually(soon, "asynq's server says what it runs, and its scheduler has ticked", func() bool {
		servers, err := s.inspector.Servers()
		s.must(err)
		entries, err := s.inspector.SchedulerEntries()
		s.must(err)
		return len(servers) == 1 && len(servers[0].ActiveWorkers) == 2 && len(entries) == 2 &&
			!slices.ContainsFunc(entries, func(e *asynq.SchedulerEntry) bool { return e.Prev.IsZero() })
	})
	return s
}

func (s *shell) put(t *asynq.Task, options ...asynq.Option) {
	s.Helper()
	if _, err := s.theirs.Enqueue(t, options...); err != nil {
		s.Fatal(err)
	}
}

// schedule has two entries tick, with moments between in which nothing changes.
func (s *shell) schedule() {
	s.Helper()
	scheduler := asynq.NewScheduler(s.peer, &asynq.SchedulerOpts{
		HeartbeatInterval: time.Second, Logger: quietAsynq{}, LogLevel: asynq.FatalLevel,
	})
	for spec, t := range map[string]*asynq.Task{
		"@every 4s": asynq.NewTask("tick", []byte("p"), asynq.MaxRetry(2)),
		"@every 5s": asynq.NewTask("tock", nil, asynq.Timeout(time.Minute), asynq.Retention(time.Hour)),
	} {
		_, err := scheduler.Register(spec, t, asynq.Queue(ticked))
		s.must(err)
	}
	s.must(scheduler.Start())
	s.Cleanup(scheduler.Shutdown)
}

// fill puts tasks into the queue for each state that they are to get into, the later ones of
// which are due before the earlier ones.
func (s *shell) fill() {
	s.Helper()
	now := time.Now()
	for i := range 3 {
		in := func(kind string, options ...asynq.Option) {
			t := asynq.NewTaskWithHeaders("t:"+kind, fmt.Appendf(nil, `{"kind":%q,"n":%d}`, kind, i), map[string]string{"k": kind})
			s.put(t, append(options, asynq.TaskID(fmt.Sprintf("%s-%d", kind, i)), asynq.Queue(busy))...)
		}
		in("scheduled", asynq.ProcessAt(now.Add(time.Duration(5-i)*time.Hour)), asynq.Deadline(now.Add(24*time.Hour)))
		in("aggregating", asynq.Group(groupG))
		in("completed", asynq.Retention(time.Duration(i+1)*time.Hour))
		in("archived", asynq.MaxRetry(0))
		in("retry", asynq.MaxRetry(3), asynq.Timeout(90*time.Second))
		if i < 2 {
			in("active", asynq.Timeout(time.Hour))
		}
	}
	s.put(asynq.NewTask("t:other", nil), asynq.TaskID("other"), asynq.Queue(busy), asynq.Group(groupH))
}

// serve has asynq's server run what is there, until each task is in its state.
func (s *shell) serve() {
	s.Helper()
	ended := make(chan struct{})
	serveAsynq(s.bench, busy, func(_ context.Context, r run) error {
		switch r.Type {
		case "t:completed":
			_, err := fmt.Fprintf(writer(r.write), `{"done": %q}`, r.ID)
			return err
		case "t:archived", "t:retry":
			return errLater
		case "t:active":
			<-ended
		}
		return nil
	})
	s.Cleanup(func() { close(ended) })
	for _, kind := range []string{"completed", "archived", "retry", "active"} {
		for i := range 3 {
			if kind != "active" || i < 2 {
				s.wantState(busy, fmt.Sprintf("%s-%d", kind, i), kind)
			}
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
