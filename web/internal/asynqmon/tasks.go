package asynqmon

import (
	"context"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
)

// A listed is a task in a list. What belongs to its state is there, and nothing of what
// belongs to others.
type listed struct {
	ID           string `json:"id"`
	Type         string `json:"type"`
	Payload      string `json:"payload"`
	Queue        string `json:"queue"`
	MaxRetry     int    `json:"max_retry"`
	Retried      int    `json:"retried"`
	ErrorMessage string `json:"error_message"`

	StartTime     *string `json:"start_time,omitempty"`
	Deadline      *string `json:"deadline,omitempty"`
	IsOrphaned    *bool   `json:"is_orphaned,omitempty"`
	Group         *string `json:"group,omitempty"`
	NextProcessAt *string `json:"next_process_at,omitempty"`
	LastFailedAt  *string `json:"last_failed_at,omitempty"`
	CompletedAt   *string `json:"completed_at,omitempty"`
	Result        *string `json:"result,omitempty"`
	TTL           *int64  `json:"ttl_seconds,omitempty"`
}

// A single is a task that is looked at alone.
type single struct {
	ID            string `json:"id"`
	Queue         string `json:"queue"`
	Type          string `json:"type"`
	Payload       string `json:"payload"`
	State         string `json:"state"`
	MaxRetry      int    `json:"max_retry"`
	Retried       int    `json:"retried"`
	ErrorMessage  string `json:"error_message"`
	LastFailedAt  string `json:"last_failed_at"`
	Timeout       int64  `json:"timeout_seconds"`
	Deadline      string `json:"deadline"`
	NextProcessAt string `json:"next_process_at"`
	CompletedAt   string `json:"completed_at"`
	Result        string `json:"result"`
	TTL           int64  `json:"ttl_seconds"`
}

// unknown stands for a time that is not known.
const unknown = "-"

// textOf returns bytes as asynqmon shows them. It is whole: nothing is cut.
func textOf(b []byte) string {
	if !utf8.Valid(b) {
		return "non-printable bytes"
	}
	return string(b)
}

// timeOf returns a time as it is shown, none as "".
func timeOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ttl returns for how many seconds a completed task is still kept.
func ttl(now time.Time, i *task.Info) int64 {
	if i.CompletedAt.IsZero() {
		return 0
	}
	return int64(max(i.CompletedAt.Add(i.Retention).Sub(now), 0) / time.Second)
}

// listedOf returns what is shown of a task in a list.
func listedOf(now time.Time, i *task.Info, servers []broker.Server) listed {
	t := listed{
		ID: i.ID, Type: i.Type, Payload: textOf(i.Payload), Queue: i.Queue,
		MaxRetry: i.MaxRetry, Retried: i.Retried, ErrorMessage: i.LastErr,
	}
	switch i.State {
	case task.Active:
		start, deadline := worked(i, servers)
		t.StartTime, t.Deadline, t.IsOrphaned = &start, &deadline, &i.IsOrphaned
	case task.Aggregating:
		t.Group = &i.Group
	case task.Scheduled, task.Retry:
		t.NextProcessAt = new(timeOf(i.NextProcessAt))
	case task.Archived:
		t.LastFailedAt = new(timeOf(i.LastFailedAt))
	case task.Completed:
		t.CompletedAt, t.Result, t.TTL = new(timeOf(i.CompletedAt)), new(textOf(i.Result)), new(ttl(now, i))
	}
	return t
}

// worked returns when an attempt has begun and must end, as its server tells.
func worked(i *task.Info, servers []broker.Server) (start, deadline string) {
	for _, s := range servers {
		for _, w := range s.Workers {
			if w.Entry != (broker.EntryRef{Queue: i.Queue, ID: i.ID}) {
				continue
			}
			if deadline = timeOf(w.Deadline); deadline == "" {
				deadline = unknown
			}
			return timeOf(w.Started), deadline
		}
	}
	return unknown, unknown
}

// listTasks lists a page of the tasks in a state.
func listTasks(state task.State) func(context.Context, *monitor, *call) (any, error) {
	return func(ctx context.Context, m *monitor, c *call) (any, error) {
		size, page, err := c.paging()
		if err != nil {
			return nil, err
		}
		found, err := m.Storage.Inspector.List(ctx, queue.ListQuery{Queue: c.names["queue"], State: state, Group: c.names["group"], Number: page, Limit: size})
		if err != nil {
			return nil, err
		}
		servers, err := m.Storage.Servers(ctx)
		if err != nil {
			return nil, err
		}
		now, tasks := m.Storage.Now(), []listed{}
		for _, i := range found.Tasks {
			tasks = append(tasks, listedOf(now, m.Mask.Info(c.who.Role, i), servers))
		}
		answer := map[string]any{"tasks": tasks}
		if answer["stats"], err = m.snapshot(ctx, c.names["queue"]); err != nil || state != task.Aggregating {
			return answer, err
		}
		answer["groups"], err = m.groups(ctx, c.names["queue"])
		return answer, err
	}
}

// How much a page has.
const (
	defaultSize = 20
	mostSize    = queue.MaxPage
	mostPage    = 1 << 20
)

// paging returns which page is asked for.
func (c *call) paging() (size, page int, err error) {
	if size, err = c.number("size", defaultSize, mostSize); err != nil {
		return 0, 0, err
	}
	page, err = c.number("page", 1, mostPage)
	return size, page, err
}

// number returns a parameter that is one, from 1 on.
func (c *call) number(name string, otherwise, most int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, task.Invalid(name, text, "must be a number from 1 to "+strconv.Itoa(most))
	}
	return n, nil
}

func readTask(ctx context.Context, m *monitor, c *call) (any, error) {
	i, err := m.Storage.Inspector.Get(ctx, c.names["queue"], c.names["id"])
	if err != nil {
		return nil, err
	}
	i = m.Mask.Info(c.who.Role, i)
	return single{
		ID: i.ID, Queue: i.Queue, Type: i.Type, Payload: textOf(i.Payload), State: i.State.String(),
		MaxRetry: i.MaxRetry, Retried: i.Retried, ErrorMessage: i.LastErr, LastFailedAt: timeOf(i.LastFailedAt),
		Timeout: int64(i.Timeout / time.Second), Deadline: timeOf(i.Deadline), NextProcessAt: timeOf(i.NextProcessAt),
		CompletedAt: timeOf(i.CompletedAt), Result: textOf(i.Result), TTL: ttl(m.Storage.Now(), i),
	}, nil
}

func badRequest(code, detail string) error {
	return problem.New(http.StatusBadRequest, code, detail)
}
