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

// A handler says how far it is, has something enqueued with its outcome, and
// leaves a result; the program that has enqueued its task waits for that.
func ExampleClient_Wait() {
	ctx, stop := context.WithCancel(context.Background())
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	mux := task.NewMux()
	mux.HandleFunc("report:make", func(ctx context.Context, t *task.Task) error {
		if err := queue.Report(ctx, []byte("half done")); err != nil {
			return err
		}
		if err := queue.Then(ctx, task.New("email:report", t.Payload()), task.Queue("mail")); err != nil {
			return err
		}
		_, err := t.ResultWriter().Write([]byte("42 pages"))
		return err
	})
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 1})
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Run(ctx, mux) }()

	client := queue.NewClient(b)
	info, err := client.Enqueue(ctx, task.New("report:make", []byte("Ann")), task.Retention(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	if info, err = client.Wait(ctx, info); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s, after it was %s\n", info.State, info.Result, info.Progress)
	stop()
	if err := <-served; err != nil {
		log.Fatal(err)
	}
	mail, err := b.Counts(context.Background(), time.Now(), "mail")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("mails to be sent:", mail[0].Pending)
	// Output:
	// completed: 42 pages, after it was half done
	// mails to be sent: 1
}

// However often the catalogue changes, it is indexed once it has been quiet for a
// minute, or after ten at most.
func ExampleClient_Enqueue_debounce() {
	ctx := context.Background()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	client := queue.NewClient(b)
	ids := map[string]bool{}
	for _, change := range []string{"a", "b", "c"} {
		info, err := client.Enqueue(ctx, task.New("catalogue:index", []byte(change)), task.Debounce(time.Minute, 10*time.Minute))
		if err != nil {
			log.Fatal(err)
		}
		ids[info.ID] = true
	}
	fmt.Println("tasks:", len(ids))
	// Output: tasks: 1
}

func ExampleClient_EnqueueTx() {
	ctx := context.Background()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	client := queue.NewClient(b)

	tx, err := b.DB().BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // after the commit there is nothing to roll back
	if _, err := tx.ExecContext(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY)"); err != nil {
		log.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO orders VALUES (17)"); err != nil {
		log.Fatal(err)
	}
	if _, err := client.EnqueueTx(ctx, tx, task.New("order:ship", []byte("17"))); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil { // both exist now, or neither
		log.Fatal(err)
	}
	c, err := b.Counts(ctx, time.Now(), "default")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("tasks:", c[0].Pending)
	// Output: tasks: 1
}

func ExampleClient_Use() {
	ctx := context.Background()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	client := queue.NewClient(b)
	client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
		return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
			info, err := next(ctx, t, append(options, task.Header("tenant", "acme"))...)
			if err == nil {
				fmt.Println("enqueued", info.Type)
			}
			return info, err
		}
	})
	infos, err := client.EnqueueAll(ctx, []*task.Task{task.New("email:welcome", nil), task.New("email:tour", nil)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("for", infos[1].Headers["tenant"])
	// Output:
	// enqueued email:welcome
	// enqueued email:tour
	// for acme
}
