package main

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// show enqueues 10,000 events, and prints what becomes of them.
func show(ctx context.Context, c *queue.Client, t *table) error {
	began, pages := time.Now(), []string{"/", "/tea", "/cups"}
	var events []*task.Task
	for id := range 10_000 {
		seen, err := Seen.New(View{ID: id, Page: pages[id%len(pages)]})
		if err != nil {
			return err
		}
		events = append(events, seen)
	}
	for _, e := range c.EnqueueMany(ctx, events) {
		if e.Err != nil {
			return e.Err
		}
	}
	fmt.Printf("%d events are enqueued.\n", len(events))
	for n, rows := 1, int64(0); rows < int64(len(events)); n++ {
		select {
		case more := <-t.inserted:
			rows += more
			fmt.Printf("  insert %2d of %d rows: %5d in all\n", n, more, rows)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	rows, batches, err := t.size(ctx)
	fmt.Printf("The table has %d rows from %d batches, after %v.\n", rows, batches, time.Since(began).Round(time.Millisecond))
	return err
}
