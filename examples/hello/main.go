// Hello enqueues a task and runs it, in one process and in memory.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

func main() {
	b, err := sqlitebroker.Open(":memory:", nil) // or a file; or redisbroker.Open("redis://…", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithCancel(context.Background())

	mux := task.NewMux()
	mux.HandleFunc("greet", func(_ context.Context, t *task.Task) error {
		fmt.Printf("Hello, %s.\n", t.Payload())
		stop()
		return nil
	})
	if _, err := queue.NewClient(b).Enqueue(ctx, task.New("greet", []byte("world"))); err != nil {
		log.Fatal(err)
	}
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 10})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Run(ctx, mux); err != nil {
		log.Fatal(err)
	}
}
