package peers

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
)

// tellings compare what commands tell with what asynq's inspector does.
var tellings = map[string]func(*shell){
	"queue ls":      tellQueues,
	"queue inspect": tellQueue,
	"queue history": tellHistory,
	"stats":         tellStats,
	"task ls":       tellTasks,
	"task inspect":  tellTask,
	"a query":       tellFound,
	"group ls":      tellGroups,
	"server ls":     tellServers,
	"cron ls":       tellEntries,
	"cron history":  tellTicks,
	"result":        tellResult,
	"wait":          tellEndings,
	"tail":          tellHappenings,
	"top":           tellTop,
	"doctor":        tellFaults,
}

// same returns in what two things differ.
func same(a, b any) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

// A toldQueue is what both sides tell of a queue, and does not change by itself.
type toldQueue struct {
	Queue       string `json:"queue"`
	Paused      bool   `json:"paused"`
	Size        int    `json:"size"`
	Groups      int    `json:"groups"`
	Pending     int    `json:"pending"`
	Active      int    `json:"active"`
	Scheduled   int    `json:"scheduled"`
	Retry       int    `json:"retry"`
	Archived    int    `json:"archived"`
	Completed   int    `json:"completed"`
	Aggregating int    `json:"aggregating"`
	Processed   int    `json:"processed"`
	Failed      int    `json:"failed"`

	ProcessedTotal int `json:"processed_total"`
	FailedTotal    int `json:"failed_total"`
}

func (s *shell) asynqsQueue(name string) toldQueue {
	s.Helper()
	i, err := s.inspector.GetQueueInfo(name)
	if err != nil {
		s.Fatal(err)
	}
	return toldQueue{
		Queue: i.Queue, Paused: i.Paused, Size: i.Size, Groups: i.Groups,
		Pending: i.Pending, Active: i.Active, Scheduled: i.Scheduled, Retry: i.Retry,
		Archived: i.Archived, Completed: i.Completed, Aggregating: i.Aggregating,
		Processed: i.Processed, Failed: i.Failed, ProcessedTotal: i.ProcessedTotal, FailedTotal: i.FailedTotal,
	}
}

// asynqsQueues returns what asynq tells of all queues, which it does in no order.
func (s *shell) asynqsQueues() (queues []toldQueue) {
	s.Helper()
	names, err := s.inspector.Queues()
	s.must(err)
	slices.Sort(names)
	for _, name := range names {
		queues = append(queues, s.asynqsQueue(name))
	}
	return queues
}

func tellQueues(s *shell) {
	wantSame(s, "queues", s.asynqsQueues, func() []toldQueue { return read[[]toldQueue](s, "queue", "ls") })
	want := []string{idle, busy, ticked}
	if got := s.lines("queue", "list", "-o", "id"); !slices.Equal(got, want) {
		s.Errorf("queue list -o id writes %q, want %q", got, want)
	}
	s.wantRows([][]string{{idle, "run", "1"}, {busy, "paused", "21"}, {ticked, "run"}}, "queue", "ls")
}

func tellQueue(s *shell) {
	wantSame(s, "a queue", func() []toldQueue { return []toldQueue{s.asynqsQueue(busy), s.asynqsQueue(idle)} },
		func() []toldQueue { return read[[]toldQueue](s, "queue", "inspect", busy, idle) })
	s.wantLatency(busy)
	s.wantMemory(busy)
	s.wantExit(3, "none", "queue", "inspect", "none")
}

// wantLatency fails the test unless both sides tell about the same latency of a queue.
func (s *shell) wantLatency(queue string) {
	s.Helper()
	before, err := s.inspector.GetQueueInfo(queue)
	s.must(err)
	told := read[struct {
		Latency float64 `json:"latency_seconds"`
	}](s, "queue", "inspect", queue)
	after, err := s.inspector.GetQueueInfo(queue)
	s.must(err)
	if got := seconds(told.Latency); got < before.Latency-clockError || got > after.Latency+clockError {
		s.Errorf("leat tells a latency of %v, asynq of %v before and %v after", got, before.Latency, after.Latency)
	}
}

// wantMemory fails the test unless both sides tell about the same size of a queue. Each
// guesses it from some of its keys and tasks.
func (s *shell) wantMemory(queue string) {
	s.Helper()
	info, err := s.inspector.GetQueueInfo(queue)
	s.must(err)
	told := read[struct {
		Memory int64 `json:"memory_bytes"`
	}](s, "queue", "inspect", queue)
	if more := told.Memory - info.MemoryUsage; max(more, -more)*10 > info.MemoryUsage {
		s.Errorf("leat tells of %d bytes, asynq of %d", told.Memory, info.MemoryUsage)
	}
}

func tellHistory(s *shell) {
	type day struct {
		Queue     string `json:"queue"`
		Date      string `json:"date"`
		Processed int    `json:"processed"`
		Failed    int    `json:"failed"`
	}
	wantSame(s, "the history", func() (days []day) {
		history, err := s.inspector.History(busy, 3)
		s.must(err)
		for _, d := range history {
			days = append(days, day{d.Queue, d.Date.Format(time.DateOnly), d.Processed, d.Failed})
		}
		return days
	}, func() []day { return read[[]day](s, "queue", "history", busy, "-x", "3") })
}

func tellStats(s *shell) {
	type figures struct {
		States            map[string]int
		Processed, Failed int
		Queues            []toldQueue
		Servers           int
	}
	wantSame(s, "the figures", func() figures {
		f := figures{States: map[string]int{}, Queues: s.asynqsQueues()}
		for _, q := range f.Queues {
			f.Processed += q.Processed
			f.Failed += q.Failed
			for state, n := range map[string]int{
				"pending": q.Pending, "active": q.Active, "scheduled": q.Scheduled, "retry": q.Retry,
				"archived": q.Archived, "completed": q.Completed, "aggregating": q.Aggregating,
			} {
				f.States[state] += n
			}
		}
		servers, err := s.inspector.Servers()
		s.must(err)
		f.Servers = len(servers)
		return f
	}, func() figures { return read[figures](s, "stats") })
	if spelt := s.leat("stats", "--json"); !json.Valid([]byte(spelt)) {
		s.Errorf("stats --json writes %s", spelt)
	}
	version := s.redis.InfoMap(s.Context(), "server").Item("Server", "redis_version")
	if table := s.leat("stats"); !strings.Contains(table, version) || !strings.Contains(table, busy) {
		s.Errorf("stats writes no version %s, or no queue %s:\n%s", version, busy, table)
	}
}

// A toldTask is what both sides tell of a task.
type toldTask struct {
	ID            string            `json:"id"`
	Queue         string            `json:"queue"`
	Type          string            `json:"type"`
	State         string            `json:"state"`
	Payload       shownData         `json:"payload"`
	Raw           []byte            `json:"payload_base64"`
	Headers       map[string]string `json:"headers"`
	MaxRetry      int               `json:"max_retry"`
	Retried       int               `json:"retried"`
	Error         string            `json:"error"`
	FailedAt      time.Time         `json:"failed_at"`
	NextProcessAt time.Time         `json:"next_process_at"`
	CompletedAt   time.Time         `json:"completed_at"`
	Group         string            `json:"group"`
	Timeout       float64           `json:"timeout_seconds"`
	Deadline      time.Time         `json:"deadline"`
	Retention     float64           `json:"retention_seconds"`
	Result        shownData         `json:"result"`
	Orphaned      bool              `json:"orphaned"`
}

// A shownData is a payload or a result: JSON as it is, but for spaces, or text.
type shownData string

func (d *shownData) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = compact(b)
	}
	*d = shownData(text)
	return nil
}

// compact returns JSON without spaces, and what is none as it is.
func compact(b []byte) string {
	var short bytes.Buffer
	if json.Compact(&short, b) != nil {
		return string(b)
	}
	return short.String()
}

// toldByAsynq returns what asynq tells of a task.
func toldByAsynq(i *asynq.TaskInfo) toldTask {
	t := toldTask{
		ID: i.ID, Queue: i.Queue, Type: i.Type, State: i.State.String(), Headers: i.Headers,
		MaxRetry: i.MaxRetry, Retried: i.Retried, Error: i.LastErr,
		FailedAt: utc(i.LastFailedAt), NextProcessAt: utc(i.NextProcessAt), CompletedAt: utc(i.CompletedAt),
		Group: i.Group, Timeout: i.Timeout.Seconds(), Deadline: utc(i.Deadline), Retention: i.Retention.Seconds(),
		Result: shownData(compact(i.Result)), Orphaned: i.IsOrphaned,
	}
	if t.Payload = shownData(compact(i.Payload)); strings.Contains(string(t.Payload), "\xff") {
		t.Payload, t.Raw = "", i.Payload
	}
	return t.settled()
}

// settled returns a task without what is always now.
func (t toldTask) settled() toldTask {
	if t.State == "pending" {
		t.NextProcessAt = time.Time{}
	}
	return t
}

func settled(tasks []toldTask) []toldTask {
	for i, t := range tasks {
		tasks[i] = t.settled()
	}
	return tasks
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// asynqsTasks returns what asynq lists.
func (s *shell) asynqsTasks(queue, state, group string, options ...asynq.ListOption) (tasks []toldTask) {
	s.Helper()
	list := map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"active": s.inspector.ListActiveTasks, "pending": s.inspector.ListPendingTasks,
		"scheduled": s.inspector.ListScheduledTasks, "retry": s.inspector.ListRetryTasks,
		"archived": s.inspector.ListArchivedTasks, "completed": s.inspector.ListCompletedTasks,
		"aggregating": func(queue string, options ...asynq.ListOption) ([]*asynq.TaskInfo, error) {
			return s.inspector.ListAggregatingTasks(queue, group, options...)
		},
	}[state]
	infos, err := list(queue, options...)
	s.must(err)
	for _, i := range infos {
		tasks = append(tasks, toldByAsynq(i))
	}
	return tasks
}

// states are how many tasks of the busy queue are in each state, of the group g if they wait
// to be folded.
var states = map[string]int{"active": 2, "pending": 3, "scheduled": 3, "retry": 3, "archived": 3, "completed": 3, "aggregating": 3}

func tellTasks(s *shell) {
	for state, n := range states {
		args := []string{"task", "ls", "--queue", busy, "--state", state}
		group := ""
		if state == "aggregating" {
			group = groupG
			args = append(args, "--group", group)
		}
		with := func(more ...string) []string { return append(slices.Clip(args), more...) }
		told := settled(read[[]toldTask](s, args...))
		want := s.asynqsTasks(busy, state, group)
		if len(told) != n {
			s.Errorf("leat lists %d %s tasks, want %d", len(told), state, n)
		}
		if diff := same(want, told); diff != "" {
			s.Errorf("%s tasks, as asynq lists them and as leat does (-asynq +leat):\n%s", state, diff)
		}
		if diff := same(s.asynqsTasks(busy, state, group, asynq.Page(2), asynq.PageSize(2)),
			settled(read[[]toldTask](s, with("--page", "2", "--size", "2")...))); diff != "" {
			s.Errorf("the second page of %s tasks, as asynq lists them and as leat does (-asynq +leat):\n%s", state, diff)
		}
		var ids []string
		var rows [][]string
		for _, t := range want {
			ids = append(ids, t.ID)
			rows = append(rows, []string{t.ID, t.Type})
		}
		if got := s.lines(with("-o", "id")...); !slices.Equal(got, ids) {
			s.Errorf("leat writes the ids %q of %s tasks, want %q", got, state, ids)
		}
		s.wantRows(rows, args...)
	}
}

func tellTask(s *shell) {
	for state := range states {
		id := state + "-1"
		want := toldByAsynq(s.info(busy, id))
		if diff := same(want, read[toldTask](s, "task", "inspect", "-q", busy, "-i", id).settled()); diff != "" {
			s.Errorf("the %s task, as asynq tells it and as leat does (-asynq +leat):\n%s", state, diff)
		}
		if text := s.leat("task", "inspect", busy+"/"+id); !strings.Contains(text, id) || !strings.Contains(text, want.Type) {
			s.Errorf("task inspect %s writes\n%s", id, text)
		}
	}
	s.wantExit(3, "none", "task", "inspect", "-q", busy, "-i", "none")
}

// tellFound has tasks found by what asynq's inspector has to be asked for one by one.
func tellFound(s *shell) {
	for query, want := range map[string][]string{
		"error~asked state:retry":       {"mail/retry-0", "mail/retry-1", "mail/retry-2"},
		"payload.n:1 type:t:retry":      {"mail/retry-1"},
		"header.k:scheduled due>2h":     {"mail/scheduled-2", "mail/scheduled-1", "mail/scheduled-0"},
		"group:" + groupH:               {"mail/other"},
		"queue:mail id:archived-*":      {"mail/archived-0", "mail/archived-1", "mail/archived-2"},
		"max_retry:0 state:pending":     {"low/low"},
		"result.done:completed-2":       {"mail/completed-2"},
		"-- type:t:active -id:active-0": {"mail/active-1"},
		"state:pending queue:nowhere":   {""},
	} {
		if got := s.lines(append([]string{"task", "ls", "-o", "id"}, strings.Fields(query)...)...); !sameElements(got, want) {
			s.Errorf("task ls %s finds %q, want %q", query, got, want)
		}
	}
}

func sameElements(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func tellGroups(s *shell) {
	type group struct {
		Group string `json:"group"`
		Size  int    `json:"size"`
	}
	infos, err := s.inspector.Groups(busy)
	s.must(err)
	var want []group
	var rows [][]string
	slices.SortFunc(infos, func(a, b *asynq.GroupInfo) int { return strings.Compare(a.Group, b.Group) })
	for _, i := range infos {
		want = append(want, group{i.Group, i.Size})
		rows = append(rows, []string{i.Group, strconv.Itoa(i.Size)})
	}
	if diff := same(want, read[[]group](s, "group", "ls", "-q", busy)); diff != "" {
		s.Errorf("groups, as asynq tells them and as leat does (-asynq +leat):\n%s", diff)
	}
	s.wantRows(rows, "group", "list", "--queue", busy)
}

func tellServers(s *shell) {
	type worker struct {
		Queue    string    `json:"queue"`
		ID       string    `json:"id"`
		Type     string    `json:"type"`
		Payload  shownData `json:"payload"`
		Started  time.Time `json:"started_at"`
		Deadline time.Time `json:"deadline"`
	}
	type server struct {
		ID          string         `json:"id"`
		Host        string         `json:"host"`
		PID         int            `json:"pid"`
		State       string         `json:"state"`
		Queues      map[string]int `json:"queues"`
		Strict      bool           `json:"strict_priority"`
		Concurrency int            `json:"concurrency"`
		Started     time.Time      `json:"started_at"`
		Running     int            `json:"running"`
		Workers     []worker       `json:"workers"`
	}
	byID := func(servers []server) []server {
		for _, v := range servers {
			slices.SortFunc(v.Workers, func(a, b worker) int { return strings.Compare(a.ID, b.ID) })
		}
		return servers
	}
	var rows [][]string
	wantSame(s, "servers", func() (servers []server) {
		infos, err := s.inspector.Servers()
		s.must(err)
		rows = nil
		for _, i := range infos {
			v := server{
				ID: i.ID, Host: i.Host, PID: i.PID, State: i.Status, Queues: i.Queues, Strict: i.StrictPriority,
				Concurrency: i.Concurrency, Started: utc(i.Started), Running: len(i.ActiveWorkers),
			}
			for _, w := range i.ActiveWorkers {
				v.Workers = append(v.Workers, worker{
					w.Queue, w.TaskID, w.TaskType, shownData(compact(w.TaskPayload)), utc(w.Started), utc(w.Deadline),
				})
			}
			servers = append(servers, v)
			rows = append(rows, []string{i.Host, strconv.Itoa(i.PID), "active", "2/8", busy + ":1"})
		}
		return byID(servers)
	}, func() []server { return byID(read[[]server](s, "server", "ls")) })
	s.wantRows(rows, "server", "list")
}

// An entry is what both sides tell of a periodic one.
type entry struct {
	Name     string    `json:"name"`
	Source   string    `json:"source"`
	Schedule string    `json:"schedule"`
	Type     string    `json:"type"`
	Payload  shownData `json:"payload"`
	Options  []string  `json:"options"`
	Next     time.Time `json:"next"`
	Prev     time.Time `json:"prev"`
}

// asynqsEntries returns what asynq tells of periodic entries, in order of their schedules.
func (s *shell) asynqsEntries() (entries []entry) {
	s.Helper()
	infos, err := s.inspector.SchedulerEntries()
	s.must(err)
	for _, e := range infos {
		entries = append(entries, entry{
			e.ID, "asynq", e.Spec, e.Task.Type(), shownData(e.Task.Payload()), printed(e.Opts), utc(e.Next), utc(e.Prev),
		})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Schedule, b.Schedule) })
	return entries
}

func tellEntries(s *shell) {
	wantSame(s, "periodic entries", s.asynqsEntries, func() []entry { return read[[]entry](s, "cron", "ls") })
	var rows [][]string
	for _, e := range s.asynqsEntries() {
		rows = append(rows, append([]string{e.Name}, append(strings.Fields(e.Schedule), e.Type)...))
	}
	s.wantRows(rows, "cron", "list")
}

func tellTicks(s *shell) {
	type tick struct {
		ID string    `json:"id"`
		At time.Time `json:"at"`
	}
	for _, e := range s.asynqsEntries() {
		wantSame(s, "what was enqueued by an entry", func() (ticks []tick) {
			events, err := s.inspector.ListSchedulerEnqueueEvents(e.Name)
			s.must(err)
			for _, e := range events {
				ticks = append(ticks, tick{e.TaskID, utc(e.EnqueuedAt).Truncate(time.Second)}) // as both put it in order
			}
			return ticks
		}, func() []tick { return read[[]tick](s, "cron", "history", e.Name, "--page", "1", "--size", "30") })
	}
	s.wantExit(3, "none", "cron", "history", "none")
}

func tellResult(s *shell) {
	want := string(s.info(busy, "completed-1").Result)
	if got := s.leat("result", "-q", busy, "-i", "completed-1"); got != want {
		s.Errorf("result writes %q, want %q", got, want)
	}
	s.wantExit(1, "it is scheduled", "result", "mail/scheduled-0")
}

func tellEndings(s *shell) {
	if told := readLines[toldTask](s, "wait", "mail/completed-0"); len(told) != 1 || told[0].State != "completed" {
		s.Errorf("wait tells %+v, want that it is completed", told)
	}
	if out, said, code := s.call("wait", "mail/archived-0"); code != 1 || !strings.Contains(out, "is archived") || !strings.Contains(said, errLater.Error()) {
		s.Errorf("wait for what has failed exits with %d, writes %q and says %q", code, out, said)
	}
	s.wantExit(1, "300ms", "wait", "mail/active-0", "--timeout", "300ms")
}

// tellHappenings has told what has failed and what is completed, as far as asynq keeps that.
func tellHappenings(s *shell) {
	var got []string
	for _, t := range readLines[toldTask](s, "tail", "-q", busy, "-s", "retry,archived,completed", "--since", "1h", "--for", "50s", "--refresh", "50ms", "--count", "9") {
		got = append(got, t.ID+" "+t.State)
	}
	var want []string
	for _, state := range []string{"retry", "archived", "completed"} {
		for _, t := range s.asynqsTasks(busy, state, "") {
			want = append(want, t.ID+" "+t.State)
		}
	}
	if !sameElements(got, want) {
		s.Errorf("tail tells %q, want %q", got, want)
	}
}

func tellTop(s *shell) {
	type look struct {
		Queues  []toldQueue
		Running []struct{ ID string }
	}
	wantSame(s, "the figures of top", s.asynqsQueues, func() []toldQueue {
		looks := readLines[look](s, "top", "--count", "1", "--refresh", "100ms", "--by", "queue")
		if len(looks) != 1 || len(looks[0].Running) != 2 {
			s.Fatalf("top shows %+v, want once, and two running", looks)
		}
		return looks[0].Queues
	})
}

func tellFaults(s *shell) {
	type finding struct{ Code, Level, Subject, Text string }
	findings := read[[]finding](s, "doctor")
	for _, f := range findings {
		if f.Level == "broken" {
			s.Errorf("doctor finds %+v", f)
		}
	}
	if len(findings) == 0 {
		s.Error("doctor finds nothing, not even what is well")
	}
}
