// Cron runs two replicas of a program, each with a server and a scheduler of the same two
// entries: one that ticks every second, and one that counts the till of each shop at two
// in the night. After a few seconds one replica is killed, and the ticks go on, each
// once. Since nobody wants to wait until two, the last three nights are backfilled.
//
//	go run ./examples/cron                                  # in a file that is deleted in the end
//	go run ./examples/cron -broker redis://localhost:6379/0
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
)

func main() {
	url := flag.String("broker", "", "where tasks are kept, by default in a file that is deleted in the end: "+brokerurl.Forms)
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url); err != nil {
		fmt.Fprintln(os.Stderr, "cron:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	if url == "memory:" {
		return errors.New("memory: is nobody else's; the two replicas need a file or Redis")
	}
	if url == "" {
		dir, err := os.MkdirTemp("", "leat-cron-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		url = "sqlite:" + filepath.Join(dir, "cron.db")
	}
	ann, err := startReplica("ann", url)
	if err != nil {
		return err
	}
	bob, err := startReplica("bob", url)
	if err != nil {
		return errors.Join(err, ann.stop())
	}
	fmt.Println("Ann and Bob run the same two entries. Every second has its tick:")
	err = ticks.await(ctx, 4)
	time.Sleep(500 * time.Millisecond)
	ann.kill()
	fmt.Println("Ann is killed. Bob goes on alone:")
	if err == nil {
		err = ticks.await(ctx, 4)
	}
	if err == nil {
		err = lastNights(ctx, bob.look)
	}
	if err == nil {
		err = ticks.awaitAll(ctx)
	}
	return errors.Join(err, bob.stop())
}

// lastNights has the last three nights counted, two at a time, and waits until they are.
func lastNights(ctx context.Context, look *periodic.Inspector) error {
	now := time.Now()
	fmt.Println("The last three nights are made up for, two at a time:")
	_, err := look.Backfill(ctx, "nightly", periodic.Backfill{From: now.Add(-72 * time.Hour), To: now, Cap: 2, By: "you"})
	if err != nil {
		return err
	}
	return nights.await(ctx, 3)
}
