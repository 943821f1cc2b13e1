package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

func done(context.Context, string, []*task.Task) []error { return nil }

func TestWhatIsWrongIsToldAllAtOnce(t *testing.T) {
	agg := aggregate.New()
	agg.Handle("que ue", "pre{fix", aggregate.Rule{Grace: time.Millisecond, MaxDelay: -1, MaxSize: 991, MaxBytes: -1, Parallel: -1, Timeout: -1}, aggregate.Each(done))
	agg.Handle("q", "a", aggregate.Rule{}, aggregate.Each(nil))
	agg.Handle("q", "a", aggregate.Rule{}, aggregate.Handler{})
	_, err := agg.Runner(brokertest.NewModel(), queue.Config{})
	for what, err := range map[string]error{"Runner": err, "Register": agg.Register(task.NewMux())} {
		for _, want := range []string{
			"queue", "prefix", "Rule.Grace", "Rule.MaxDelay", "Rule.MaxSize", "Rule.MaxBytes", "Rule.Parallel", "Rule.Timeout", "handler", "has a handler already",
		} {
			if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s() = %v, want also that %s is wrong", what, err, want)
			}
		}
	}
}

func TestAnAggregatorThatCannotWorkIsRefused(t *testing.T) {
	fine := aggregate.New()
	fine.Handle("q", "", aggregate.Rule{}, aggregate.Each(done))
	mux := task.NewMux()
	if err := fine.Register(mux); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"without handlers":  aggregate.New().Register(task.NewMux()),
		"without a mux":     fine.Register(nil),
		"beside another":    fine.Register(mux),
		"without a broker":  func() error { _, err := fine.Runner(nil, queue.Config{}); return err }(),
		"with a bad config": func() error { _, err := fine.Runner(brokertest.NewModel(), queue.Config{MaxResult: -1}); return err }(),
		"of a queue not served": func() error {
			_, err := fine.Runner(brokertest.NewModel(), queue.Config{Queues: map[string]int{"other": 1}})
			return err
		}(),
		"beside a server of one": func() error {
			srv, err := queue.NewServer(brokertest.NewModel(), queue.Config{Queues: map[string]int{"other": 1}})
			if err != nil {
				t.Fatal(err)
			}
			return srv.Start(mux)
		}(),
	} {
		if !errors.Is(err, task.ErrInvalid) {
			t.Errorf("an aggregator %s: %v, want a task.InvalidError", name, err)
		}
	}
}

func TestTasksInSeveralShardsAreFoldedShardByShard(t *testing.T) {
	inBubbleOn(t, func() broker.Broker { return divided(4) }, func(x *bench) {
		x.handle(aggregate.Rule{Grace: 5 * time.Second}, x.joined())
		var want []string
		for i := range 40 { // the root of an id that was made decides on the shard
			id := fmt.Sprintf("r%d~%d", i%10, i)
			want = append(want, id)
			c := broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: "default", ID: id}, Type: "member", Payload: []byte(id), Group: "spread"}}}
			if done, err := x.client.Broker().Apply(x.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{}); err != nil || done.Outcomes[0] != nil {
				x.Fatal(err, done)
			}
		}
		for g := range 20 {
			x.add(fmt.Sprint("g", g), names(fmt.Sprint("g", g, "-"), 10)...)
			want = append(want, names(fmt.Sprint("g", g, "-"), 10)...)
		}
		x.pass(5*time.Second + 10*time.Millisecond)
		spread := 0
		for _, r := range x.called() {
			if r.group == "spread" {
				spread++
			}
		}
		if n := len(x.called()); spread < 2 || spread > 4 || n != 20+spread {
			x.Errorf("%d batches, %d of the group that is in several shards; want one for each shard, and one for each of 20 groups", n, spread)
		}
		slices.Sort(want)
		if got := x.payloads(); !slices.Equal(got, want) {
			x.Errorf("folded are %d tasks, want each of %d once", len(got), len(want))
		}
		x.verify()
	})
}

func TestAggregatorsShareTheWork(t *testing.T) {
	inBubble(t, func(x *bench) {
		var by [3]atomic.Int32
		for i := range by {
			x.handle(aggregate.Rule{Grace: time.Second, MaxSize: 10, Parallel: 2}, aggregate.Raw(func(_ context.Context, group string, tasks []*task.Task) (*task.Task, error) {
				by[i].Add(1)
				x.note(group, tasks)
				time.Sleep(time.Second)
				return folded(tasks), nil
			}))
		}
		x.pass(time.Second)
		x.add("g", names("t", 600)...)
		x.pass(12 * time.Second) // 60 batches, six at once
		if got := x.payloads(); !slices.Equal(got, names("t", 600)) {
			x.Errorf("folded are %d tasks, want each of 600 once", len(got))
		}
		for i := range by {
			if n := by[i].Load(); n < 15 {
				x.Errorf("aggregator %d has run %d batches of 60, want a fair part", i, n)
			}
		}
	})
}

func TestAggregatorsOfOneQueueWithOtherPatternsAreWokenToo(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.NoHistory = true // which is written once a minute
		for _, prefix := range []string{"a", "b", "c"} {
			agg := aggregate.New()
			agg.Handle("default", prefix, aggregate.Rule{Grace: time.Hour, MaxSize: 1}, x.joined())
			x.start(agg)
		}
		x.pass(time.Second)
		for i, group := range []string{"a", "b", "c", "b", "nobodys", "a", "c"} {
			x.add(group, fmt.Sprint("t", i))
			x.pass(100 * time.Millisecond)
		}
		x.at("1s a of 1", "1.1s b of 1", "1.2s c of 1", "1.3s b of 1", "1.5s a of 1", "1.6s c of 1")
		before := x.counted("Advance")
		x.pass(time.Minute)
		if n := x.counted("Advance") - before; n > 18 {
			x.Errorf("%d calls in a minute although nothing joins, want 18: no wake goes round and round", n)
		}
	})
}

func TestWhatNobodyAnnouncesIsFoundWithinTenSeconds(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.fault = func(method string, _ int) brokertest.Fault {
			if method == "Joined" {
				return brokertest.Fault{Before: errFault}
			}
			return brokertest.Fault{}
		}
		x.handle(aggregate.Rule{Grace: time.Second}, x.joined())
		x.pass(2 * time.Second)
		x.add("g", "a")
		x.pass(10 * time.Second)
		if runs := x.called(); len(runs) != 1 || runs[0].at > 11*time.Second {
			x.Errorf("called %v, want once", runs)
		}
	})
}

func TestWhatJoinsGroupsIsFoundThoughTheyCannotBeListed(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.fault = func(method string, _ int) (f brokertest.Fault) {
			switch method {
			case "Groups":
				f.Before = errFault
			case "Wait":
				f.Before = errors.ErrUnsupported
			}
			return f
		}
		x.handle(second, x.joined())
		x.add("g", "a", "b")
		x.pass(5 * time.Second)
		if got := x.payloads(); !slices.Equal(got, []string{"a", "b"}) {
			x.Errorf("folded are %v, want both", got)
		}
	})
}
