// Worker runs the tasks that the client enqueues, until it is interrupted.
//
//	go run ./examples/quickstart/worker                                  # from quickstart.db
//	go run ./examples/quickstart/worker -broker redis://localhost:6379/0
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

func main() {
	url := flag.String("broker", "sqlite:quickstart.db", "where the tasks are: "+brokerurl.Forms)
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url); err != nil {
		log.Fatal(err)
	}
}

// run serves the default queue until ctx ends, then lets running handlers finish.
func run(ctx context.Context, url string) error {
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 10})
	if err != nil {
		return err
	}

	mux := task.NewMux()
	mux.HandleFunc("email:welcome", sendWelcome)
	mux.HandleFunc("email:reminder", sendReminder)
	return srv.Run(ctx, mux)
}

// An email is the payload of both types of task.
type email struct {
	UserID int `json:"user_id"`
}

func sendWelcome(_ context.Context, t *task.Task) error {
	var e email
	if err := json.Unmarshal(t.Payload(), &e); err != nil {
		return fmt.Errorf("%s: %w: %w", t.Type(), err, task.SkipRetry) // it will not get better
	}
	fmt.Printf("send a welcome mail to user %d\n", e.UserID)
	return nil
}

func sendReminder(_ context.Context, t *task.Task) error {
	var e email
	if err := json.Unmarshal(t.Payload(), &e); err != nil {
		return fmt.Errorf("%s: %w: %w", t.Type(), err, task.SkipRetry)
	}
	fmt.Printf("send a reminder to user %d\n", e.UserID)
	return nil
}
