package web_test

import (
	"html"
	"net/http"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

// TestTasksInEachStateAreShown looks at lists whose columns suit a state, and at a task in it.
func TestTasksInEachStateAreShown(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, stocked(t, b, 1000), web.Config{})
		for state, says := range map[string][2]string{
			"active":      {"<th>Worker</th>", `action="/deed/task/cancel"`},
			"pending":     {"<th class=\"num\">Retried</th>", "no server serves its queue"},
			"scheduled":   {"<th>Due</th>", "it waits for its time"},
			"retry":       {"<th>Next attempt</th>", "it failed"},
			"archived":    {"<th>Ended</th>", "retries"},
			"completed":   {"<th>Result</th>", "Completed"},
			"aggregating": {"<th>Group</th>", "<dt>Group</dt>"},
		} {
			list := s.page("/tasks", "q", "state:"+state)
			s.says("the list of "+state, list, says[0])
			m := taskLink.FindStringSubmatch(list)
			if m == nil {
				t.Errorf("no task is %s", state)
				continue
			}
			status, body, _ := fetch(t, http.MethodGet, s.server.URL+html.UnescapeString(m[1]))
			if status != http.StatusOK {
				t.Errorf("a task that is %s: %d", state, status)
			}
			s.says("a task that is "+state, body, "state-"+state, says[1])
		}
	})
}

// TestADamagedTaskIsShownAndHidesNoOther stores something that no task is in place of one.
func TestADamagedTaskIsShownAndHidesNoOther(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	b, err := redisbroker.Open(r.URL(), nil)
	s := serve(t, opened(t, b, err), web.Config{})
	for _, id := range []string{"whole", "garbage", "gone"} {
		s.enqueue("a", "{}", task.ID(id), task.ProcessIn(time.Hour))
	}
	r.Do(t, "HSET", "asynq:{default}:t:garbage", "msg", "\xff\x00<script>alert(1)</script>")
	r.Do(t, "DEL", "asynq:{default}:t:gone")
	body := s.page("/tasks")
	s.says("the list", body, "id=whole")
	s.saysNothingHostile("the list", body)
	status, body, _ := fetch(t, http.MethodGet, s.server.URL+address("/task", "queue", "default", "id", "garbage"))
	if status != http.StatusOK && status != http.StatusNotFound {
		t.Errorf("a task that cannot be read: %d", status)
	}
	s.saysNothingHostile("a task that cannot be read", body)
	if status, _, _ := fetch(t, http.MethodGet, s.server.URL+address("/task", "queue", "default", "id", "gone")); status != http.StatusNotFound {
		t.Errorf("a task that is gone: %d", status)
	}
	s.says("the queue", s.page("/queue", "name", "default"), "scheduled")
}
