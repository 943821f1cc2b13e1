package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What the workers of groups run: numbers wait in groups. Those of most are folded into
// a task that carries them all; of the others, each is done by itself, with its batch as
// its result. A number that somebody runs singly is noted in the ledger.
var (
	number = task.Define[int, task.None]("number", task.Queue(numbers), forEver)
	fold   = task.Define[[]int, task.None]("fold", task.Queue(folds))
)

const (
	numbers = "numbers" // a queue
	folds   = "folds"   // a queue

	toFold = "fold:" // begins the names of groups that are folded
	toEach = "each:" // begins the names of the others
)

var errUnlucky = errors.New("no luck")

// runGroups runs batches: by themselves if the worker has an even place, or else beside a
// server that runs numbers singly.
func runGroups(ctx context.Context, b broker.Broker) error {
	l := &lots{chance: rand.New(rand.NewPCG(*soakSeed, 0))}
	rule := aggregate.Rule{Grace: time.Second, MaxDelay: 5 * time.Second, MaxSize: largest}
	agg := aggregate.New()
	agg.Handle(numbers, toFold, rule, aggregate.Fold(l.fold))
	agg.Handle(numbers, toEach, rule, aggregate.EachOf(l.each))
	cfg := mortal()
	cfg.Queues = map[string]int{numbers: 1}
	place, err := strconv.Atoi(os.Getenv(workerPlace))
	if err != nil {
		return err
	}
	if place%2 == 0 {
		runner, err := agg.Runner(b, cfg)
		if err != nil {
			return err
		}
		return runner.Run(ctx)
	}
	mux := task.NewMux()
	number.Handle(mux, l.alone)
	if err := agg.Register(mux); err != nil {
		return err
	}
	return serve(ctx, b, mux, cfg)
}

// lots are drawn by the handlers of a worker.
type lots struct {
	mu     sync.Mutex
	chance *rand.Rand
}

func (l *lots) oneIn(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chance.IntN(n) == 0
}

// take takes a while for a batch, so that kills meet it.
func take(list []int) { time.Sleep(time.Duration(len(list)) * 4 * time.Millisecond) }

// fold folds a batch, but for one in twenty that fails.
func (l *lots) fold(_ context.Context, _ string, list []int) (*task.Task, error) {
	return noted(func() (*task.Task, error) {
		take(list)
		if l.oneIn(20) {
			return nil, errUnlucky
		}
		return fold.New(list)
	})
}

// each does a batch, but for one number in fifty that fails by itself.
func (l *lots) each(_ context.Context, _ string, list []int) ([]aggregate.Result[string], error) {
	return noted(func() ([]aggregate.Result[string], error) {
		take(list)
		batch, results := uuid.NewString(), make([]aggregate.Result[string], len(list))
		for i := range results {
			if results[i].Value = batch; l.oneIn(50) {
				results[i].Err = errUnlucky
			}
		}
		return results, nil
	})
}

// alone does a number that was run singly, but for one in five that fails and goes back
// to its group.
func (l *lots) alone(_ context.Context, n int) (task.None, error) {
	return noted(func() (task.None, error) {
		if l.oneIn(5) {
			return task.None{}, errUnlucky
		}
		note(strconv.Itoa(n) + ".")
		return task.None{}, nil
	})
}

// groupOf returns the group of a number. By turns, two hundred in a row join one, and
// twenty-five. A tenth of the groups are not folded.
func groupOf(n, groups int) string {
	inRow := 25
	if n/1000%2 == 0 {
		inRow = 2 * largest
	}
	g := 7 * (n / inRow) % groups
	if g%10 == 0 {
		return fmt.Sprint(toEach, g)
	}
	return fmt.Sprint(toFold, g)
}
