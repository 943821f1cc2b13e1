//go:build soak

package redisbroker_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

var (
	tasks   = flag.Int("tasks", 1_000_000, "how many tasks are in each state")
	only    = flag.String("only", "", "the states that are measured, as words; none: all")
	figures = flag.String("figures", "", "file that the figures are written to")
)

const (
	// longestPage is how long a page of the inspector may take.
	longestPage = 200 * time.Millisecond

	// longestScript is how long Redis may be busy with one script.
	longestScript = 10 * time.Millisecond
)

// TestAMillionTasksInEachState fills a queue for each state, and measures what
// an operator does with it: pages, half of the tasks run, of the rest half
// deleted, and the queue removed. No page may take long, and Redis may note no
// slow script meanwhile.
func TestAMillionTasksInEachState(t *testing.T) {
	m := newMillion(t)
	for _, state := range task.States() {
		if strings.Contains(*only, state.String()) || *only == "" {
			m.of(state)
		}
	}
	m.deleteOne()
	m.write()
}

// A million is the storage, and the figures so far.
type million struct {
	*testing.T
	redis     *redis.Client
	b         *redisbroker.Broker
	inspector *queue.Inspector
	rows      []string
}

func newMillion(t *testing.T) *million {
	server := redistest.Start(t, redistest.Options{})
	b, err := redisbroker.Open(server.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	m := &million{T: t, redis: redis.NewClient(options), b: b, inspector: queue.NewInspector(b)}
	t.Cleanup(func() {
		m.check(b.Close())
		m.check(m.redis.Close())
	})
	m.check(m.redis.ConfigSet(t.Context(), "slowlog-log-slower-than", fmt.Sprint(longestScript.Microseconds())).Err())
	m.check(m.redis.ConfigSet(t.Context(), "slowlog-max-len", "10000").Err())
	return m
}

func (m *million) check(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// of does everything with one state.
func (m *million) of(state task.State) {
	name, begun := state.String(), time.Now()
	leases := m.fill(name, state)
	m.Logf("%s: filled in %v", name, time.Since(begun).Round(time.Second))
	m.check(m.redis.Do(m.Context(), "slowlog", "reset").Err())
	row := []string{name, m.pages(name, state)}
	if state == task.Active {
		slow := m.slowest(name)
		m.release(leases)
		m.check(m.redis.Do(m.Context(), "slowlog", "reset").Err())
		row = append(row, "–", "–", m.remove(name))
		m.row(append(row, slow))
		return
	}
	act := broker.Run
	if state == task.Pending {
		act = broker.Archive
	}
	row = append(row, m.bulk(name, state, act, *tasks/2), m.bulk(name, state, broker.Delete, *tasks/4), m.remove(name))
	m.row(append(row, m.slowest(name)))
}

func (m *million) row(cells []string) {
	m.rows = append(m.rows, "| "+strings.Join(cells, " | ")+" |")
	m.Log(m.rows[len(m.rows)-1])
}

// fill puts all tasks into a queue, in one state. It returns their leases if
// they are active.
func (m *million) fill(name string, state task.State) []broker.Lease {
	m.enqueue(name, state)
	now := time.Now()
	if !slices.Contains([]task.State{task.Active, task.Retry, task.Archived, task.Completed}, state) {
		return nil
	}
	want := broker.LeaseRequest{Queues: []broker.Share{{Queue: name, First: 1000}}, Max: 1000, Until: now.Add(time.Hour)}
	var settle []broker.Change
	var all []broker.Lease
	for {
		done, err := m.b.Apply(m.Context(), now, settle, want)
		m.check(err)
		if len(done.Leases) == 0 {
			return all
		}
		settle = nil
		for _, l := range done.Leases {
			if state == task.Active {
				all = append(all, broker.Lease{Entry: l.Entry, Token: l.Token})
				continue
			}
			s := broker.Settlement{Token: l.Token, Entry: l.Entry, At: now.Add(24 * time.Hour)}
			s.To = map[task.State]broker.Outcome{task.Retry: broker.Retry, task.Archived: broker.Archived, task.Completed: broker.Completed}[state]
			settle = append(settle, broker.Change{Settle: []broker.Settlement{s}})
		}
	}
}

func (m *million) enqueue(name string, state task.State) {
	client := queue.NewClient(m.b)
	options := []task.Option{task.Queue(name), task.Retention(24 * time.Hour)}
	switch state {
	case task.Scheduled:
		options = append(options, task.ProcessIn(24*time.Hour))
	case task.Aggregating:
		options = append(options, task.Group("group"))
	}
	var producers sync.WaitGroup
	for range 4 {
		producers.Go(func() {
			batch := make([]*task.Task, 1000)
			for i := range batch {
				batch[i] = task.New("mail", []byte(`{"user":12345,"template":"welcome"}`))
			}
			for range *tasks / 4 / len(batch) {
				for _, e := range client.EnqueueMany(m.Context(), batch, options...) {
					if e.Err != nil {
						m.Error(e.Err)
						return
					}
				}
			}
		})
	}
	producers.Wait()
}

// pages reads the list of a state from both ends, in the middle, and on from
// there, and what else an operator looks at.
func (m *million) pages(name string, state task.State) string {
	var longest time.Duration
	var slowest string
	timed := func(what string, do func() error) {
		begun := time.Now()
		m.check(do())
		if took := time.Since(begun); took > longest {
			longest, slowest = took, what
		}
	}
	query := queue.ListQuery{Queue: name, State: state, Limit: 100}
	if state == task.Aggregating {
		query.Group = "group"
	}
	last := *tasks / query.Limit
	var some *task.Info
	for _, newest := range []bool{false, true} {
		for _, number := range []int{1, 2, last / 2, last} {
			q := query
			q.Newest, q.Number = newest, number
			for range 5 { // a page, and on from there
				timed(fmt.Sprintf("page %d", number), func() error {
					page, err := m.inspector.List(m.Context(), q)
					if err != nil {
						return err
					}
					if len(page.Tasks) != q.Limit && q.After == "" {
						m.Errorf("%s: page %d has %d tasks, want %d", name, number, len(page.Tasks), q.Limit)
					}
					if len(page.Tasks) > 0 {
						some = page.Tasks[0]
					}
					q.Number, q.After = 0, page.Next
					return nil
				})
				if q.After == "" {
					break
				}
			}
		}
	}
	timed("queue info", func() error {
		info, err := m.inspector.QueueInfo(m.Context(), name)
		if err == nil && info.Size() != *tasks {
			m.Errorf("%s: the queue holds %d tasks, want %d", name, info.Size(), *tasks)
		}
		return err
	})
	timed("get", func() error { _, err := m.inspector.Get(m.Context(), name, some.ID); return err })
	timed("find", func() error { _, err := m.inspector.Find(m.Context(), some.ID); return err })
	timed("groups", func() error { _, err := m.inspector.Groups(m.Context(), name); return err })
	timed("history", func() error { _, err := m.inspector.History(m.Context(), name, 90); return err })
	if longest > longestPage {
		m.Errorf("%s: %s took %v, want at most %v", name, slowest, longest, longestPage)
	}
	return fmt.Sprintf("%s (%s)", longest.Round(100*time.Microsecond), slowest)
}

// bulk does something to n tasks of a state, and then stops.
func (m *million) bulk(name string, state task.State, act broker.Act, n int) string {
	begun := time.Now()
	done, err := m.inspector.Bulk(m.Context(), queue.BulkRequest{
		Queue: name, State: state, Do: act,
		Progress: func(done int) bool { return done < n },
	})
	m.check(err)
	if done.Done < n || done.Done > n+broker.MaxSweep || !done.Stopped {
		m.Errorf("%s: %s was done to %+v, want to %d and stopped", name, act, done, n)
	}
	return rate(act.String(), done.Done, time.Since(begun))
}

// release gives leases back.
func (m *million) release(leases []broker.Lease) {
	for some := range slices.Chunk(leases, broker.MaxParts) {
		var settle []broker.Change
		for _, l := range some {
			settle = append(settle, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Released}}})
		}
		_, err := m.b.Apply(m.Context(), time.Now(), settle, broker.LeaseRequest{})
		m.check(err)
	}
}

// remove removes a queue with everything that it still holds.
func (m *million) remove(name string) string {
	info, err := m.inspector.QueueInfo(m.Context(), name)
	m.check(err)
	begun := time.Now()
	m.check(m.inspector.RemoveQueue(m.Context(), name, true))
	took := time.Since(begun)
	left, err := m.redis.Keys(m.Context(), "asynq:{"+name+"}:*").Result()
	m.check(err)
	if len(left) > 0 {
		m.Errorf("%s: %d keys are left, such as %s", name, len(left), left[0])
	}
	return rate("remove", info.Size(), took)
}

func rate(what string, n int, took time.Duration) string {
	return fmt.Sprintf("%s %d in %.1f s", what, n, took.Seconds())
}

// slowest returns the slowest script that Redis has noted, and fails the test if
// it has noted one.
func (m *million) slowest(name string) string {
	noted, err := m.redis.SlowLogGet(m.Context(), -1).Result()
	m.check(err)
	worst := redis.SlowLog{}
	scripts := 0
	for _, s := range noted {
		if !strings.HasPrefix(strings.ToLower(s.Args[0]), "eval") {
			continue
		}
		scripts++
		if s.Duration > worst.Duration {
			worst = s
		}
	}
	if scripts == 0 {
		return "none"
	}
	m.Errorf("%s: %d scripts took more than %v, the slowest %v: %.60q", name, scripts, longestScript, worst.Duration, worst.Args[:min(len(worst.Args), 12)])
	return fmt.Sprintf("%d, up to %s", scripts, worst.Duration)
}

// deleteOne measures what asynq's format makes slow: to take an id out of a list.
func (m *million) deleteOne() {
	m.enqueue("list", task.Pending)
	page, err := m.inspector.List(m.Context(), queue.ListQuery{Queue: "list", State: task.Pending, Number: *tasks / 200, Limit: 100})
	m.check(err)
	m.check(m.redis.Do(m.Context(), "slowlog", "reset").Err())
	begun := time.Now()
	for _, info := range page.Tasks {
		m.check(m.inspector.Delete(m.Context(), "list", info.ID))
	}
	each := time.Since(begun) / time.Duration(len(page.Tasks))
	m.rows = append(m.rows, "", fmt.Sprintf("To delete one pending task by its id, in the middle of the list, takes %s.", each.Round(100*time.Microsecond)))
	m.check(m.inspector.RemoveQueue(m.Context(), "list", true))
}

// write writes the figures to the file that was asked for.
func (m *million) write() {
	if *figures == "" || m.Failed() {
		return
	}
	text := fmt.Sprintf(`# %d tasks in each state

Measured by `+"`make million`"+` on %s, with Redis on the same machine. No page of the
inspector may take longer than %v, and the last column counts the scripts that
kept Redis busy for more than %v while the other columns were measured.

| state | slowest page | half of them | a quarter of them | the rest, with the queue | slow scripts |
|---|---|---|---|---|---|
%s
`, *tasks, time.Now().Format(time.DateOnly), longestPage, longestScript, strings.Join(m.rows, "\n"))
	if err := os.WriteFile(*figures, []byte(text), 0o644); err != nil {
		m.Error(err)
	}
}
