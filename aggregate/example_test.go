package aggregate_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

func ExampleFold() {
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithCancel(context.Background())

	agg := aggregate.New()
	agg.Handle("default", "amounts:", aggregate.Rule{Grace: time.Minute, MaxSize: 3},
		aggregate.Fold(func(_ context.Context, group string, amounts []int) (*task.Task, error) {
			sum := 0
			for _, n := range amounts {
				sum += n
			}
			return task.New("sum", fmt.Appendf(nil, "%s is %d", group, sum)), nil
		}))

	mux := task.NewMux()
	mux.HandleFunc("sum", func(_ context.Context, t *task.Task) error {
		fmt.Printf("%s\n", t.Payload())
		stop()
		return nil
	})
	if err := agg.Register(mux); err != nil {
		log.Fatal(err)
	}

	amount := task.Define[int, task.None]("amount", task.Group("amounts:2030"))
	client := queue.NewClient(b)
	for _, n := range []int{20, 20, 2} {
		if _, err := amount.Enqueue(ctx, client, n); err != nil {
			log.Fatal(err)
		}
	}
	srv, err := queue.NewServer(b, queue.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Run(ctx, mux); err != nil {
		log.Fatal(err)
	}
	// Output: amounts:2030 is 42
}
