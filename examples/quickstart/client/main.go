// Client enqueues two tasks: a welcome mail for now and a reminder for tomorrow.
//
//	go run ./examples/quickstart/client                                  # into quickstart.db
//	go run ./examples/quickstart/client -broker redis://localhost:6379/0
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

func main() {
	url := flag.String("broker", "sqlite:quickstart.db", "where the tasks go: "+brokerurl.Forms)
	flag.Parse()
	if err := run(context.Background(), *url); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url string) error {
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()
	client := queue.NewClient(b)

	payload, err := json.Marshal(map[string]any{"user_id": 42})
	if err != nil {
		return err
	}
	// The welcome mail goes out at once.
	info, err := client.Enqueue(ctx, task.New("email:welcome", payload))
	if err != nil {
		return err
	}
	fmt.Printf("enqueued %s %s, %s\n", info.Type, info.ID, info.State)

	// The reminder goes out in 24 hours.
	info, err = client.Enqueue(ctx, task.New("email:reminder", payload), task.ProcessIn(24*time.Hour))
	if err != nil {
		return err
	}
	fmt.Printf("enqueued %s %s, %s for %s\n", info.Type, info.ID, info.State, info.NextProcessAt.Format(time.DateTime))
	return nil
}
