// Digest is a first aggregator: what there is to tell to people is a task each, and
// becomes one mail to each of them. It runs in one process and in memory.
package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

var (
	Note = task.Define[string, task.None]("note") // what is enqueued
	Mail = task.Define[string, task.None]("mail") // what notes become
)

// digest folds the notes of a group into one mail.
func digest(_ context.Context, group string, notes []string) (*task.Task, error) {
	to := strings.TrimPrefix(group, "notes:")
	return Mail.New(fmt.Sprintf("%s gets one mail about %d things", to, len(notes)))
}

func main() {
	b, err := sqlitebroker.Open(":memory:", nil) // or a file; or redisbroker.Open("redis://…", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithCancel(context.Background())

	agg := aggregate.New() // a second after the last note to somebody
	agg.Handle("default", "notes:", aggregate.Rule{Grace: time.Second}, aggregate.Fold(digest))

	mux := task.NewMux()
	mails := make(chan string, 2)
	Mail.Handle(mux, func(_ context.Context, text string) (task.None, error) {
		fmt.Println(text)
		if mails <- text; len(mails) == cap(mails) {
			stop()
		}
		return task.None{}, nil
	})
	if err := agg.Register(mux); err != nil {
		log.Fatal(err)
	}

	client := queue.NewClient(b)
	for _, to := range []string{"ann", "bob", "ann", "ann", "bob"} {
		if _, err := Note.Enqueue(ctx, client, "somebody likes your photo", task.Group("notes:"+to)); err != nil {
			log.Fatal(err)
		}
	}
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Run(ctx, mux); err != nil {
		log.Fatal(err)
	}
}
