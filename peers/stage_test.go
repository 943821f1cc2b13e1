package peers

import (
	"context"
	"time"
)

// A stage is a queue in which one side has put a task into each state, and named
// it for that.
type stage struct {
	*bench
	side  side
	queue string
	due   time.Time // of the scheduled one
	end   func()    // lets the active one end, and the server
}

const (
	stagedPayload = "payload"
	stagedGroup   = "g"
)

// setStage has a side do all there is to do in a queue, which is paused then.
func setStage(x *bench, by side, queue string) *stage {
	x.Helper()
	s := &stage{bench: x, side: by, queue: queue}
	s.due = time.Now().Add(time.Hour).Truncate(time.Second)
	if by.name == leat.name {
		s.due = s.due.Add(250 * time.Millisecond)
	}
	s.put(spec{ID: "scheduled", ProcessAt: s.due})
	s.put(spec{ID: "completed", Retention: time.Hour})
	s.put(spec{ID: "archived", MaxRetry: new(0)})
	s.put(spec{ID: "retry", MaxRetry: new(3)})
	s.put(spec{ID: "active", Deadline: time.Now().Add(time.Hour)})
	s.put(spec{ID: "aggregating", Group: stagedGroup})
	ended := make(chan struct{})
	stop := by.serve(x, queue, func(_ context.Context, r run) error {
		switch r.ID {
		case "completed":
			_, err := r.write([]byte("result"))
			return err
		case "archived", "retry":
			return errLater
		case "active":
			<-ended
		}
		return nil
	})
	s.end = once(x, func() {
		close(ended)
		s.wantState(queue, "active", "")
		stop()
	})
	for _, id := range []string{"scheduled", "completed", "archived", "retry", "active", "aggregating"} {
		s.wantState(queue, id, id)
	}
	s.must(s.inspector.PauseQueue(queue))
	s.put(spec{ID: "pending", Unique: time.Hour})
	return s
}

func (s *stage) put(t spec) {
	s.Helper()
	t.Type, t.Payload, t.Queue = "t:"+t.ID, []byte(stagedPayload), s.queue
	if err := s.side.enqueue(s.bench, t); err != nil {
		s.Fatal(err)
	}
}
