package periodic_test

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

type day struct{ Name string }

var nightly = task.Define[day, task.None]("report:make", task.Queue("default"))

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	s := periodic.New(queue.NewClient(b), periodic.Config{})
	err = s.Register(periodic.Entry{
		Name:     "report",
		Schedule: "@every 1s", // or "30 2 * * *", with a Zone
		Overlap:  periodic.SkipOverlap,
		Payload:  periodic.Input(nightly, func(t periodic.Tick) day { return day{t.Time.Weekday().String()} }),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	mux := task.NewMux()
	nightly.Handle(mux, func(ctx context.Context, in day) (task.None, error) {
		defer stop()
		tick, _ := periodic.TickFromContext(ctx)
		fmt.Println("a tick of", tick.Entry, "is on time:", !time.Now().Before(tick.Time), "with its day:", in.Name == tick.Time.Weekday().String())
		return task.None{}, nil
	})
	server, err := queue.NewServer(b, queue.Config{Concurrency: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(queue.Run(ctx, server.Serving(mux), s))

	// Output:
	// a tick of report is on time: true with its day: true
	// <nil>
}

func ExampleInspector() {
	ctx := context.Background()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	entries := periodic.NewInspector(b)
	fmt.Println(entries.Add(ctx, periodic.Entry{
		Name: "cleanup", Schedule: "0 3 * * 0", Zone: "Europe/Berlin", Type: "files:clean",
		Payload: periodic.Template(`{"until": "{{.Time.Format "2006-01-02"}}"}`),
		Missed:  periodic.RunOnce(),
	}, "ann"))
	fmt.Println(entries.Pause(ctx, "cleanup", "bob", "the disk is read only"))
	info, err := entries.Get(ctx, "cleanup")
	fmt.Println(info.Source, info.Missed, info.Paused.By, info.Paused.Why, err)

	// Output:
	// <nil>
	// <nil>
	// store once bob the disk is read only <nil>
}
