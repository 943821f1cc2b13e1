package guide_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/periodic/yamlfile"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A Day is what a report is about.
type Day struct{ Date string }

var MakeReport = task.Define[Day, task.None]("report:make", task.Queue("reports"), task.MaxRetry(3))

var report = periodic.Entry{
	Name:     "report",
	Schedule: "30 2 * * tue-sat",
	Zone:     "Europe/Berlin",
	Payload:  periodic.Input(MakeReport, dayBefore),
	Options:  []task.Option{task.Timeout(10 * time.Minute)},
	Missed:   periodic.RunOnce(),
	Overlap:  periodic.SkipOverlap,
}

func dayBefore(t periodic.Tick) Day {
	return Day{t.Time.AddDate(0, 0, -1).Format(time.DateOnly)}
}

var album = periodic.Entry{
	Name:     "album",
	Schedule: "@daily",
	Type:     workflow.StartType(Album.Name()),
	Payload:  periodic.JSON(photosOf),
}

func photosOf(t periodic.Tick) []string {
	day := t.Time.Format(time.DateOnly)
	return []string{day + "-noon.jpg", day + "-night.jpg"}
}

var cleanup = periodic.Entry{
	Name:     "cleanup",
	Schedule: "0 3 * * sun",
	Type:     "files:clean",
	Payload:  periodic.Template(`{"until": "{{.Time.Format "2006-01-02"}}"}`),
	Jitter:   10 * time.Minute,
}

func runReplica(ctx context.Context, b broker.Broker, mux *task.Mux) error {
	srv, err := queue.NewServer(b, queue.Config{Queues: map[string]int{"default": 1, "downloads": 1, "reports": 1}})
	if err != nil {
		return err
	}
	s := periodic.New(queue.NewClient(b), periodic.Config{})
	if err := s.Register(report, album); err != nil {
		return err // it tells of all that is wrong with any of them
	}
	return queue.Run(ctx, srv.Serving(mux), s)
}

func clean(ctx context.Context, t *task.Task) error {
	tick, ok := periodic.TickFromContext(ctx)
	if !ok {
		return errors.New("somebody has enqueued it by hand")
	}
	fmt.Printf("%s of %v: %s\n", tick.Entry, tick.Time, t.Payload())
	return nil
}

func addCleanup(ctx context.Context, b broker.Broker) error {
	return periodic.NewInspector(b).Add(ctx, cleanup, "ann")
}

func makeUpForTheWeek(ctx context.Context, b broker.Broker) error {
	look, now := periodic.NewInspector(b), time.Now()
	if err := look.Pause(ctx, "report", "bob", "the printer is broken"); err != nil {
		return err
	}
	tick, id, err := look.RunNow(ctx, "report", "bob") // paused or not
	if err != nil {
		return err
	}
	fmt.Println("task", id, "is about", tick.Time)
	if err := look.Resume(ctx, "report", "bob"); err != nil {
		return err
	}
	_, err = look.Backfill(ctx, "report", periodic.Backfill{From: now.AddDate(0, 0, -7), To: now, Cap: 2, By: "bob"})
	return err
}

func printEntries(ctx context.Context, b broker.Broker) error {
	infos, err := periodic.NewInspector(b).List(ctx)
	for _, info := range infos {
		fmt.Println(info.Name, info.Source, info.Schedule, info.Next)
		for _, e := range info.History {
			fmt.Println(" ", e.At, e.What, e.Tick, e.Why, e.ID)
		}
	}
	return err
}

var withFile = periodic.Config{Provider: yamlfile.New("testdata/periodic.yaml")}

var withTable = periodic.Config{
	Provider: periodic.ProviderFunc(func(ctx context.Context) (entries []periodic.Entry, err error) {
		shops, err := shopsOf(ctx) // from a database, say
		for _, shop := range shops {
			entries = append(entries, periodic.Entry{
				Name: "till-" + shop.name, Schedule: "0 22 * * *", Zone: shop.zone,
				Type: "till:count", Payload: periodic.Bytes([]byte(shop.name)),
			})
		}
		return entries, err
	}),
	PollInterval: time.Minute,
}

type shop struct{ name, zone string }

func shopsOf(context.Context) ([]shop, error) {
	return []shop{{"mill-lane", "Europe/London"}, {"old-weir", "America/New_York"}}, nil
}

var withHooks = periodic.Config{
	Before: func(_ context.Context, tick periodic.Tick, t *task.Task) {
		slog.Info("soon", "entry", tick.Entry, "type", t.Type())
	},
	After: func(_ context.Context, tick periodic.Tick, i *task.Info) {
		slog.Info("enqueued", "tick", tick.Time, "id", i.ID)
	},
	OnError: func(_ context.Context, tick periodic.Tick, err error) {
		slog.Error("trouble", "entry", tick.Entry, "err", err)
	},
}

// until runs r for a time.
func until(t *testing.T, d time.Duration, run func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestAReplicaOfTheGuide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		mux := task.NewMux()
		var mu sync.Mutex
		var days []string
		MakeReport.Handle(mux, func(_ context.Context, d Day) (task.None, error) {
			mu.Lock()
			defer mu.Unlock()
			days = append(days, d.Date)
			return task.None{}, nil
		})
		mux.HandleFunc("files:clean", clean)
		workflow.Register(mux, Album)
		if err := addCleanup(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		run := func(ctx context.Context) error { return runReplica(ctx, b, mux) }
		until(t, 28*time.Hour, run) // from Saturday 1 January 2000
		if want := []string{"1999-12-31"}; !slices.Equal(days, want) {
			t.Errorf("reports are about %q, want %q", days, want)
		}
		runs, err := workflow.Runs(t.Context(), queue.NewClient(b), workflow.RunsRequest{Workflow: "album"})
		if err != nil || len(runs.Runs) == 0 || runs.Runs[0].State != workflow.Done {
			t.Errorf("Runs() = %+v, %v, want those of the last night", runs, err)
		}
		days = nil
		if err := makeUpForTheWeek(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		until(t, time.Minute, run)
		slices.Sort(days) // two at a time
		if want := []string{"1999-12-27", "1999-12-28", "1999-12-29", "1999-12-30", "2000-01-01"}; !slices.Equal(days, want) {
			t.Errorf("reports after that are about %q, want %q, and none again", days, want)
		}
		if err := printEntries(t.Context(), b); err != nil {
			t.Error(err)
		}
		info, err := periodic.NewInspector(b).Get(t.Context(), "cleanup")
		if err != nil || info.Source != periodic.FromStore || info.Prev.Weekday() != time.Sunday {
			t.Errorf("Get(cleanup) = %+v, %v, want one of a Sunday", info, err)
		}
	})
}

func TestProvidersOfTheGuide(t *testing.T) {
	for _, cfg := range []periodic.Config{withFile, withTable, withHooks} {
		if cfg.Provider == nil {
			continue
		}
		entries, err := cfg.Provider.Entries(t.Context())
		if err != nil || len(entries) != 2 {
			t.Fatalf("Entries() = %d, %v, want two", len(entries), err)
		}
		synctest.Test(t, func(t *testing.T) {
			b := brokertest.NewModel()
			s := periodic.New(queue.NewClient(b), cfg)
			until(t, time.Minute, s.Run)
			infos, err := periodic.NewInspector(b).List(t.Context())
			if err != nil || len(infos) != 2 || infos[0].Source != periodic.FromProvider {
				t.Errorf("List() = %+v, %v, want two of a provider", infos, err)
			}
		})
	}
}

func TestHooksOfTheGuide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		s := periodic.New(queue.NewClient(b), withHooks)
		if err := s.Register(cleanup); err != nil {
			t.Fatal(err)
		}
		until(t, 30*time.Hour, s.Run)
		tasks, err := b.List(t.Context(), broker.ListRequest{Queue: "default", State: task.Pending, Limit: 10})
		var in struct{ Until string }
		if err != nil || len(tasks) != 1 || json.Unmarshal(tasks[0].Payload, &in) != nil || in.Until != "2000-01-02" {
			t.Errorf("List() = %+v, %v, want the task of the Sunday", tasks, err)
		}
	})
}
