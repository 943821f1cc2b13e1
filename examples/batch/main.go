// Batch has 10,000 page views written to a SQLite table, each of which is a task: they
// are folded into inserts of 500 rows.
//
//	go run ./examples/batch                                  # all in memory
//	go run ./examples/batch -broker redis://localhost:6379/0 -table views.db
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

// A View is an event: somebody has seen a page.
type View struct {
	ID   int
	Page string
}

var (
	Seen   = task.Define[View, task.None]("seen", task.Group("views"))
	Insert = task.Define[[]View, int64]("insert")
)

func main() {
	url := flag.String("broker", "memory:", "where tasks are kept: "+brokerurl.Forms)
	file := flag.String("table", ":memory:", "the SQLite file of the table")
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url, *file); err != nil {
		fmt.Fprintln(os.Stderr, "batch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, file string) error {
	t, err := openTable(ctx, file)
	if err != nil {
		return err
	}
	defer t.Close()
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()

	agg := aggregate.New()
	agg.Handle("default", "views", aggregate.Rule{MaxSize: 500, Grace: 10 * time.Second}, // 500, or none for 10 s
		aggregate.Fold(func(_ context.Context, _ string, views []View) (*task.Task, error) {
			return Insert.New(views)
		}))
	mux := task.NewMux()
	Insert.Handle(mux, t.insert)
	if err := agg.Register(mux); err != nil {
		return err
	}
	srv, err := queue.NewServer(b, queue.Config{})
	if err != nil {
		return err
	}
	if err := srv.Start(mux); err != nil {
		return err
	}
	err = show(ctx, queue.NewClient(b), t)
	return errors.Join(err, srv.Shutdown(context.WithoutCancel(ctx)))
}
