package guide_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// A Click is an event of which there are many.
type Click struct{ Page string }

var (
	Clicked = task.Define[Click, task.None]("clicked", task.Group("clicks:eu"))
	Count   = task.Define[map[string]int, task.None]("count")
)

// countClicks folds clicks into how many there were of each page.
func countClicks(_ context.Context, _ string, clicks []Click) (*task.Task, error) {
	pages := make(map[string]int)
	for _, c := range clicks {
		pages[c.Page]++
	}
	return Count.New(pages)
}

// EmbedText is a task whose result is the vector of a text.
var EmbedText = task.Define[string, []float64]("embed-text", task.Group("embed"), task.Retention(time.Hour))

// embedAll asks a service, once for all texts.
func embedAll(ctx context.Context, _ string, texts []string) ([]aggregate.Result[[]float64], error) {
	vectors, err := service.embed(ctx, texts)
	if err != nil {
		return nil, err // all are retried
	}
	results := make([]aggregate.Result[[]float64], len(texts))
	for i, v := range vectors {
		if results[i].Value = v; v == nil { // this one alone has failed
			results[i].Err = fmt.Errorf("no vector of %q: %w", texts[i], task.SkipRetry)
		}
	}
	return results, nil
}

func newAggregator() *aggregate.Aggregator {
	agg := aggregate.New()
	agg.Handle("default", "clicks:", aggregate.Rule{MaxSize: 500, Grace: 10 * time.Second, MaxDelay: time.Minute},
		aggregate.Fold(countClicks))
	agg.Handle("default", "clicks:test:", aggregate.Rule{Grace: time.Second}, // the longest prefix wins
		aggregate.Fold(countClicks))
	agg.Handle("default", "embed", aggregate.Rule{MaxSize: 100, Grace: time.Second, Parallel: 2, Timeout: time.Minute},
		aggregate.EachOf(embedAll))
	return agg
}

func serveWithBatches(ctx context.Context, b broker.Broker, mux *task.Mux) error {
	if err := newAggregator().Register(mux); err != nil {
		return err // it tells of all that is wrong
	}
	srv, err := queue.NewServer(b, queue.Config{})
	if err != nil {
		return err
	}
	return srv.Run(ctx, mux)
}

func onlyBatches(ctx context.Context, b broker.Broker) error {
	runner, err := newAggregator().Runner(b, queue.Config{})
	if err != nil {
		return err
	}
	return runner.Run(ctx)
}

func vectorOf(ctx context.Context, client *queue.Client, text string) ([]float64, error) {
	info, err := EmbedText.Enqueue(ctx, client, text)
	if err != nil {
		return nil, err
	}
	return EmbedText.Wait(ctx, client, info) // it was embedded among others, and this is its own vector
}

// inOne writes the payloads of a batch one after another.
var inOne = aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
	var all []json.RawMessage
	for _, t := range tasks {
		all = append(all, t.Payload())
	}
	payload, err := json.Marshal(all)
	return task.New("lines", payload, task.Queue("low"), task.Header("group", group)), err
})

// sendAll has an outcome for each task.
var sendAll = aggregate.Each(func(_ context.Context, _ string, tasks []*task.Task) []error {
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		if len(t.Payload()) == 0 {
			errs[i] = errors.New("nothing to send") // retried, with whatever waits by then
		}
	}
	return errs
})

func printGroups(ctx context.Context, b broker.Broker) error {
	groups, err := queue.NewInspector(b).Groups(ctx, "default")
	for _, g := range groups {
		fmt.Println(g.Name, g.Size, "wait,", g.Frozen, "are in batches, since", g.Oldest)
	}
	return err
}

var withBatches = queue.Config{
	Observer: func(_ context.Context, e queue.Event) {
		if e.Kind == queue.EventBatched {
			slog.Info("batch", "group", e.Entry.Group, "tasks", e.Count, "took", e.Took, "err", e.Err)
		}
	},
}

// service stands for somebody else's.
var service embedder

type embedder struct{}

func (embedder) embed(_ context.Context, texts []string) ([][]float64, error) {
	vectors := make([][]float64, len(texts))
	for i, text := range texts {
		if text != "" {
			vectors[i] = []float64{float64(len(text))}
		}
	}
	return vectors, nil
}

// besides runs r while f is run.
func besides(t *testing.T, run func(context.Context) error, f func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var over sync.WaitGroup
	over.Go(func() {
		if err := run(ctx); err != nil {
			t.Error(err)
		}
	})
	f()
	stop()
	over.Wait()
}

func TestClicksOfTheGuideAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		mux, counted := task.NewMux(), make(chan map[string]int, 10)
		Count.Handle(mux, func(_ context.Context, pages map[string]int) (task.None, error) {
			counted <- pages
			return task.None{}, nil
		})
		besides(t, func(ctx context.Context) error { return serveWithBatches(ctx, b, mux) }, func() {
			for n := range 1200 {
				if _, err := Clicked.Enqueue(t.Context(), queue.NewClient(b), Click{[]string{"/", "/tea", "/cups"}[n%3]}); err != nil {
					t.Fatal(err)
				}
			}
			if err := printGroups(t.Context(), b); err != nil {
				t.Error(err)
			}
			sum, sizes := make(map[string]int), make([]int, 3)
			for i := range sizes {
				for page, n := range <-counted {
					sum[page], sizes[i] = sum[page]+n, sizes[i]+n
				}
			}
			if got, want := fmt.Sprint(sum, sizes), "map[/:400 /cups:400 /tea:400] [500 500 200]"; got != want {
				t.Errorf("counted are %s, want %s", got, want)
			}
		})
	})
}

func TestVectorsOfTheGuideAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		besides(t, func(ctx context.Context) error { return onlyBatches(ctx, b) }, func() {
			var all sync.WaitGroup
			for _, text := range []string{"tea", "cup", "", "a mill"} {
				all.Go(func() {
					got, err := vectorOf(t.Context(), queue.NewClient(b), text)
					if failed := text == ""; failed != (err != nil) || !failed && (len(got) != 1 || got[0] != float64(len(text))) {
						t.Errorf("vectorOf(%q) = %v, %v", text, got, err)
					}
				})
			}
			all.Wait()
		})
	})
}

func TestBatchesOfTheGuideThatAreNotTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		agg := aggregate.New()
		agg.Handle("default", "lines", aggregate.Rule{Grace: time.Second}, inOne)
		agg.Handle("default", "send", aggregate.Rule{Grace: time.Second}, sendAll)
		runner, err := agg.Runner(b, withBatches)
		if err != nil {
			t.Fatal(err)
		}
		besides(t, runner.Run, func() {
			client := queue.NewClient(b)
			for _, tk := range []*task.Task{
				task.New("line", []byte("1"), task.Group("lines")), task.New("line", []byte("1"), task.Group("lines")),
				task.New("send", []byte("x"), task.Group("send")), task.New("send", nil, task.Group("send"), task.ID("empty"), task.MaxRetry(0)),
			} {
				if _, err := client.Enqueue(t.Context(), tk); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Second)
			lines, err := b.List(t.Context(), broker.ListRequest{Queue: "low", State: task.Pending, Limit: 10})
			if err != nil || len(lines) != 1 || string(lines[0].Payload) != "[1,1]" || lines[0].Headers["group"] != "lines" {
				t.Errorf("folded are %v, %v, want both lines in one", lines, err)
			}
			empty, err := b.Entry(t.Context(), broker.EntryRef{Queue: "default", ID: "empty"})
			if err != nil || empty.State != task.Archived || empty.LastErr != "nothing to send" {
				t.Errorf("the empty task is %v, %v, want it archived", empty, err)
			}
		})
	})
}
