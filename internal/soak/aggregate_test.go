package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	soakTasks     = flag.Int("soak.tasks", 20_000, "how many tasks join groups on each storage")
	soakGroups    = flag.Int("soak.groups", 200, "how many groups they join")
	soakAggregate = flag.String("soak.aggregate", "", "file that the figures of aggregation are written to")
)

const (
	aggregators = 4
	largest     = 100           // tasks in a batch, at most
	pace        = 4000          // tasks that are enqueued in a second, at most
	together    = 500           // of them in one call
	keeping     = 2 * time.Hour // for how long those are kept, with their results, that are not folded
)

// Processes that run batches are killed one after another while tasks join groups at
// once or later, and while some of them are taken out to be run singly. Each task is in
// exactly one batch that has succeeded, or is done singly, and nothing is left.
func TestKilledAggregatorsLoseNoTask(t *testing.T) {
	if work(t, runGroups) {
		return
	}
	var rows []string
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			f := &flood{site: openSite(t, place), folded: make(map[string][]int)}
			rows = append(rows, f.run(place.name))
			f.expire()
			f.leave()
		})
	}
	if *soakAggregate != "" && !t.Failed() {
		if err := os.WriteFile(*soakAggregate, []byte(aggregateReport(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A flood is what goes on on one storage with groups.
type flood struct {
	*site
	later, taken int // how many tasks join their group later, and are taken out of it

	mu     sync.Mutex
	folded map[string][]int // by the id of the task that they were folded into
	faults []string
}

// run kills workers until all that was enqueued is done, and returns a row of figures.
func (f *flood) run(name string) string {
	c, kills, began := newCrew(f.site, aggregators), 0, time.Now()
	stop := f.consume()
	var production sync.WaitGroup
	produced := make(chan struct{})
	production.Go(func() { defer close(produced); f.produce() })
	for !f.rests(produced) {
		time.Sleep(200*time.Millisecond + time.Duration(f.chance.Int64N(int64(1200*time.Millisecond))))
		i := f.chance.IntN(aggregators)
		c.kill(i)
		c.hire(i)
		kills++
		if time.Since(began) > most+3*time.Duration(*soakTasks/pace)*time.Second {
			f.fault("it takes longer than %v", time.Since(began))
			break
		}
	}
	took := time.Since(began)
	production.Wait()
	for i := range c.members {
		c.kill(i)
	}
	f.check(stop())
	for _, fault := range f.faults {
		f.Error(fault)
	}
	made := c.toll()
	if made.cut == 0 {
		f.Errorf("%d kills interrupted no handler: the workers were not busy", kills)
	}
	a := f.account(made.alone)
	f.wantSound(time.Now())
	row := fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.0f s |", name, *soakTasks, *soakGroups, kills,
		a.batches, a.folded, a.eachBatches, a.each, a.singly, f.later, made.calls, made.failed, made.cut, took.Seconds())
	f.Log(row)
	return row
}

func (f *flood) fault(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, fmt.Sprintf(format, args...))
}

// consume notes what is folded, until the function that it returns is called.
func (f *flood) consume() (stop func() error) {
	mux := task.NewMux()
	fold.Handle(mux, func(ctx context.Context, list []int) (task.None, error) {
		id, _ := task.GetID(ctx)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.folded[id] = list // again the same if it is run again
		return task.None{}, nil
	})
	srv, err := queue.NewServer(f.broker, queue.Config{Queues: map[string]int{folds: 1}, Logger: slog.New(slog.DiscardHandler)})
	f.check(err)
	f.check(srv.Start(mux))
	return func() error { return srv.Shutdown(context.Background()) }
}

// produce enqueues the numbers. A twentieth joins its group later, and of those that are
// to be folded a fiftieth is taken out of its group, or wherever it is by then.
func (f *flood) produce() {
	chance, began := rand.New(rand.NewPCG(f.seed, 1)), time.Now()
	var candidates []int
	for n := 0; n < *soakTasks; {
		var ts []*task.Task
		for ; len(ts) < together && n < *soakTasks; n++ {
			group := groupOf(n, *soakGroups)
			options := []task.Option{task.ID(strconv.Itoa(n)), task.Group(group)}
			if strings.HasPrefix(group, toEach) {
				options = append(options, task.Retention(keeping))
			} else if n%50 == 7 {
				candidates = append(candidates, n)
			}
			if n%20 == 3 {
				options = append(options, task.ProcessIn(time.Duration(chance.Int64N(int64(3*time.Second)))))
				f.later++
			}
			t, err := number.New(n, options...)
			if err != nil {
				f.fault("make task %d: %v", n, err)
				return
			}
			ts = append(ts, t)
		}
		for i, e := range f.client.EnqueueMany(f.Context(), ts) {
			if e.Err != nil {
				f.fault("enqueue the %d-th before %d: %v", len(ts)-i, n, e.Err)
			}
		}
		candidates = f.take(chance, candidates, together/50)
		time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / pace)))
	}
	f.take(chance, candidates, 0)
}

// take has numbers run singly, as far as they have not been folded, until only so many
// are left of them.
func (f *flood) take(chance *rand.Rand, candidates []int, left int) []int {
	inspector := queue.NewInspector(f.broker)
	for len(candidates) > left {
		i := chance.IntN(len(candidates))
		err := inspector.Run(f.Context(), numbers, strconv.Itoa(candidates[i]))
		candidates = slices.Delete(candidates, i, i+1)
		var busy *broker.StateError
		switch {
		case err == nil:
			f.taken++
		case !errors.As(err, &busy) && !errors.Is(err, queue.ErrTaskNotFound):
			f.fault("run singly: %v", err)
		}
	}
	return candidates
}

// counts returns what a queue holds, once the first task was enqueued.
func (f *flood) counts(name string) broker.Counts {
	f.Helper()
	counts, err := f.broker.Counts(f.Context(), time.Now(), name)
	f.check(err)
	return counts[0]
}

// rests reports whether all that was produced is done.
func (f *flood) rests(produced <-chan struct{}) bool {
	f.Helper()
	select {
	case <-produced:
	default:
		return false
	}
	for _, name := range []string{numbers, folds} {
		if c := f.counts(name); c.Size() > c.Completed+c.Archived || name == numbers && c.ProcessedTotal-c.FailedTotal < *soakTasks {
			return false
		}
	}
	return true
}

// An account is how often each number is done.
type account struct {
	folded, each, singly int
	batches              int // that were folded
	eachBatches          int
}

// account demands that each number is done exactly once, in a batch or singly.
func (f *flood) account(alone map[int]bool) (a account) {
	f.Helper()
	done := make([]int, *soakTasks)
	for _, list := range f.folded {
		for _, n := range list {
			done[n]++
		}
		a.folded += len(list)
	}
	results := f.results()
	batches := make(map[string]bool)
	for n, batch := range results {
		done[n]++
		batches[batch] = true
	}
	a.batches, a.eachBatches, a.each = len(f.folded), len(batches), len(results)
	var wrong []string
	for n, times := range done {
		switch {
		case times == 0 && alone[n]:
			a.singly++
		case times != 1:
			wrong = append(wrong, fmt.Sprintf("%d of group %s is done by %d batches, and singly: %t", n, groupOf(n, *soakGroups), times, alone[n]))
		}
	}
	for _, fault := range wrong[:min(len(wrong), 20)] {
		f.Errorf("of %d numbers that are not done exactly once: %s", len(wrong), fault)
	}
	if a.singly == 0 {
		f.Errorf("of %d numbers that were taken out of their groups none was done singly", f.taken)
	}
	f.wantCounted(numbers, *soakTasks, a.each)
	f.wantCounted(folds, a.batches, 0)
	return a
}

// results returns the batches in which numbers were done that were not folded.
func (f *flood) results() map[int]string {
	f.Helper()
	all := make(map[int]string)
	q := queue.ListQuery{Queue: numbers, State: task.Completed, Limit: queue.MaxPage}
	for {
		p, err := queue.NewInspector(f.broker).List(f.Context(), q)
		f.check(err)
		for _, info := range p.Tasks {
			n, err := number.Input(info)
			f.check(err)
			all[n] = string(info.Result)
		}
		if q.After = p.Next; p.Next == "" {
			return all
		}
	}
}

// wantCounted demands that so many tasks of a queue have succeeded, none more than once,
// that so many are kept, and that there is nothing else.
func (f *flood) wantCounted(name string, done, kept int) {
	f.Helper()
	c := f.counts(name)
	if got := c.ProcessedTotal - c.FailedTotal; got != done || c.Completed != kept || c.Size() != kept {
		f.Errorf("queue %s has counted %d successes and holds %+v, want %d, of which %d are kept", name, got, c, done, kept)
	}
	groups, err := queue.NewInspector(f.broker).Groups(f.Context(), name)
	f.check(err)
	if len(groups) > 0 {
		f.Errorf("%d groups are left in %s, such as %+v", len(groups), name, groups[0])
	}
}

func aggregateReport(rows []string) string {
	return fmt.Sprintf(`# Batches whose workers are killed

Measured by `+"`make soak-aggregate`"+` on %s, with the storage on the same machine%s. %d worker processes have batches of
at most %d run, half of them beside a server's tasks. Every second or so one of them is killed with SIGKILL, and another takes
its place; their leases last for three seconds. Tasks are enqueued at %d a second at most, by turns many and few into a
group; a twentieth of them joins its group later. A tenth of the groups have an outcome for each task, the others are folded.
One fold in twenty fails, and so does one task in fifty of those that have an outcome of their own. Some tasks are taken out
of their groups to be run singly; of these, one in five fails and goes back. A batch counts if it has succeeded.

Every task was done exactly once: in one batch that counts, or singly. No group was left, the storage was found sound, and
after what is kept had expired nothing was left in it.

| storage | tasks | groups | kills | batches folded | tasks in them | batches with outcomes | tasks in them | run singly | joined later | handlers called | of them failed | of them killed | took |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
%s
`, time.Now().Format(time.DateOnly), load(), aggregators, largest, pace, strings.Join(rows, "\n"))
}

// load returns what there is to be said of what else the machine does.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	minutes, _, _ := strings.Cut(string(text), " ")
	return ", which had a load of " + minutes + " at the end"
}
