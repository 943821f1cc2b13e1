package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

func ExampleClient_Enqueue() {
	ctx := context.Background()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	client := queue.NewClient(b)
	reminder := task.New("email:reminder", []byte(`{"user_id":42}`), task.MaxRetry(5))
	info, err := client.Enqueue(ctx, reminder, task.ProcessIn(24*time.Hour), task.Unique(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Type, "is", info.State, "in queue", info.Queue)

	_, err = client.Enqueue(ctx, reminder, task.Unique(time.Hour))
	fmt.Println("a second one is a duplicate:", errors.Is(err, queue.ErrDuplicateTask))
	// Output:
	// email:reminder is scheduled in queue default
	// a second one is a duplicate: true
}

func ExampleServer_Run() {
	ctx, stop := context.WithCancel(context.Background()) // a program takes that of SignalContext
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if _, err := queue.NewClient(b).Enqueue(ctx, task.New("email:welcome", []byte("Ann"))); err != nil {
		log.Fatal(err)
	}

	mux := task.NewMux()
	mux.HandleFunc("email:welcome", func(_ context.Context, t *task.Task) error {
		fmt.Printf("welcome, %s\n", t.Payload())
		stop()
		return nil
	})
	srv, err := queue.NewServer(b, queue.Config{
		Concurrency: 10,
		Queues:      map[string]int{"critical": 6, "default": 3, "low": 1},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Run(ctx, mux); err != nil {
		log.Fatal(err)
	}
	// Output: welcome, Ann
}
