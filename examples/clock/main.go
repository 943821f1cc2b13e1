// Clock is a first periodic entry: it strikes every second, in one process and in memory,
// and stops after three times.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// Strike is a type of task that is given a time of day.
var Strike = task.Define[string, task.None]("clock:strike")

func main() {
	b, err := sqlitebroker.Open(":memory:", nil) // or a file; or redisbroker.Open("redis://…", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithCancel(context.Background())

	mux := task.NewMux()
	strikes := make(chan string, 3)
	Strike.Handle(mux, func(_ context.Context, at string) (task.None, error) {
		fmt.Println("It strikes", at)
		if strikes <- at; len(strikes) == cap(strikes) {
			stop()
		}
		return task.None{}, nil
	})
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 1})
	if err != nil {
		log.Fatal(err)
	}

	s := periodic.New(queue.NewClient(b), periodic.Config{})
	err = s.Register(periodic.Entry{
		Name:     "clock",
		Schedule: "* * * * * *", // each second; "30 2 * * *" is half past two, every night
		Payload:  periodic.Input(Strike, func(t periodic.Tick) string { return t.Time.Format(time.TimeOnly) }),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := queue.Run(ctx, srv.Serving(mux), s); err != nil {
		log.Fatal(err)
	}
}
