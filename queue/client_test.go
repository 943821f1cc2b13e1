package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

func TestEnqueueStoresTheTaskAndTellsWhatItStored(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.client.Defaults = []task.Option{task.MaxRetry(7), task.Queue("low"), task.Header("from", "defaults")}
		tk := task.New("email:welcome", []byte("42"), task.MaxRetry(3), task.Header("trace", "abc"), task.Retention(time.Hour))
		got, err := x.client.Enqueue(x.Context(), tk, task.Queue("default"), task.ID("one"), task.Header("trace", "call"))
		if err != nil {
			x.Fatal(err)
		}
		want := &task.Info{
			ID: "one", Queue: "default", Type: "email:welcome", Payload: []byte("42"), State: task.Pending,
			Headers:  map[string]string{"from": "defaults", "trace": "call"},
			MaxRetry: 3, Timeout: 30 * time.Minute, Retention: time.Hour, NextProcessAt: time.Now(),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			x.Errorf("Info (-want +got):\n%s", diff)
		}
		stored := broker.Entry{
			EntryRef: broker.EntryRef{Queue: "default", ID: "one"}, Type: "email:welcome", Payload: []byte("42"),
			Headers: want.Headers, MaxRetry: 3, Timeout: 30 * time.Minute, Retention: time.Hour,
		}
		if diff := cmp.Diff(stored, x.get("one").Entry); diff != "" {
			x.Errorf("stored entry (-want +got):\n%s", diff)
		}
	})
}

func TestATaskForLaterIsScheduled(t *testing.T) {
	inBubble(t, func(x *bench) {
		got, err := x.client.Enqueue(x.Context(), task.New("test:a", nil), task.ProcessIn(time.Hour), task.ID("a"))
		if err != nil {
			x.Fatal(err)
		}
		if due := time.Now().Add(time.Hour); got.State != task.Scheduled || !got.NextProcessAt.Equal(due) {
			x.Errorf("Enqueue() = %s at %v, want scheduled at %v", got.State, got.NextProcessAt, due)
		}
		if s := x.get("a"); s.State != task.Scheduled {
			x.Errorf("stored as %s, want scheduled", s.State)
		}
	})
}

func TestATaskWithoutAnIDGetsARandomOne(t *testing.T) {
	inBubble(t, func(x *bench) {
		got, err := x.client.Enqueue(x.Context(), task.New("test:a", nil))
		if err != nil {
			x.Fatal(err)
		}
		if id, err := uuid.Parse(got.ID); err != nil || id.Version() != 4 {
			x.Errorf("id %q, want a UUID of version 4", got.ID)
		}
	})
}

func TestABadTaskIsRefusedWithEveryFault(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.client.MaxPayload = 10
		for name, test := range map[string]struct {
			task    *task.Task
			options []task.Option
			faults  []string
		}{
			"nil":        {nil, nil, []string{"task"}},
			"no type":    {task.New("", nil), nil, []string{`task type ""`}},
			"many":       {task.New("a{b}", nil), []task.Option{task.Queue("q\n"), task.MaxRetry(-1), task.ID(strings.Repeat("x", 300))}, []string{`task type "a{b}"`, `task.Queue "q\n"`, "task.MaxRetry -1", "task.ID"}},
			"payload":    {task.New("a", make([]byte, 11)), nil, []string{"payload size 11"}},
			"nil option": {task.New("a", nil), []task.Option{nil}, []string{"task.Option"}},
			"unique":     {task.New("a", nil), []task.Option{task.Unique(time.Millisecond)}, []string{"task.Unique 1ms"}},
		} {
			info, err := x.client.Enqueue(x.Context(), test.task, test.options...)
			if info != nil || !errors.Is(err, task.ErrInvalid) {
				x.Errorf("%s: Enqueue() = %v, %v, want nil, ErrInvalid", name, info, err)
				continue
			}
			for _, fault := range test.faults {
				if !strings.Contains(err.Error(), fault) {
					x.Errorf("%s: error does not name %s:\n%v", name, fault, err)
				}
			}
		}
		if n := x.counts("default").Size(); n != 0 {
			x.Errorf("%d tasks were stored, want none", n)
		}
	})
}

func TestATakenIDIsAConflict(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		_, err := x.client.Enqueue(x.Context(), task.New("test:b", nil), task.ID("a"))
		if !errors.Is(err, queue.ErrTaskIDConflict) || errors.Is(err, queue.ErrUnknown) {
			x.Errorf("second task with the id: %v, want ErrTaskIDConflict", err)
		}
		if _, err := x.client.Enqueue(x.Context(), task.New("test:b", nil), task.ID("a"), task.Queue("low")); err != nil {
			x.Errorf("same id in another queue: %v, want nil", err)
		}
	})
}

func TestATaskMayBeUniqueForEver(t *testing.T) {
	for name, far := range map[string]task.Option{
		"now":        task.MaxRetry(1),
		"in an hour": task.ProcessIn(time.Hour),
		"far away":   task.ProcessAt(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				tk := task.New("report", nil, task.Unique(math.MaxInt64), far)
				if _, err := x.client.Enqueue(x.Context(), tk); err != nil {
					t.Fatalf("Enqueue() = %v, want nil", err)
				}
				x.pass(time.Hour)
				if _, err := x.client.Enqueue(x.Context(), tk); !errors.Is(err, queue.ErrDuplicateTask) {
					t.Errorf("Enqueue() again = %v, want %v", err, queue.ErrDuplicateTask)
				}
			})
		})
	}
}

func TestAUniqueTaskExcludesItsEqualsWhileItsClaimLasts(t *testing.T) {
	inBubble(t, func(x *bench) {
		unique := func(id string, payload []byte, options ...task.Option) error {
			tk := task.New("report", payload, task.Unique(time.Minute), task.ID(id))
			_, err := x.client.Enqueue(x.Context(), tk, options...)
			return err
		}
		if err := unique("a", []byte("p"), task.ProcessIn(time.Hour)); err != nil {
			x.Fatal(err)
		}
		err := unique("b", []byte("p"))
		dup, ok := errors.AsType[*queue.DuplicateError](err)
		if !ok || !errors.Is(err, queue.ErrDuplicateTask) {
			x.Fatalf("an equal task: %v, want a DuplicateError", err)
		}
		want := queue.DuplicateError{ID: "b", Key: "report:83878c91171338902e0fe0fb97a8c47a", Holder: "a"}
		if *dup != want {
			x.Errorf("got %+v, want %+v", *dup, want)
		}
		for id, payload := range map[string][]byte{"other": []byte("q"), "nil": nil, "empty": {}} {
			if err := unique(id, payload); err != nil {
				x.Errorf("a task with %s payload: %v, want nil", id, err)
			}
		}
		x.pass(time.Hour) // the claim lasts until its TTL after the task is due
		if err := unique("c", []byte("p")); !errors.Is(err, queue.ErrDuplicateTask) {
			x.Errorf("when the first is due: %v, want ErrDuplicateTask", err)
		}
		x.pass(time.Minute)
		if err := unique("d", []byte("p")); err != nil {
			x.Errorf("after the claim has ended: %v, want nil", err)
		}
	})
}

func TestTheClaimOfATaskWithoutPayloadEndsWithAColon(t *testing.T) {
	inBubble(t, func(x *bench) {
		for id, payload := range map[string][]byte{"report:": nil, "report:d41d8cd98f00b204e9800998ecf8427e": {}} {
			info, err := x.client.Enqueue(x.Context(), task.New("report", payload), task.Unique(time.Minute))
			if err != nil {
				x.Fatal(err)
			}
			if key := x.get(info.ID).Claim.Key; key != id {
				x.Errorf("claim of payload %#v is %q, want %q", payload, key, id)
			}
		}
	})
}

func TestAnErrorTellsWhetherTheTaskMayHaveBeenStored(t *testing.T) {
	inBubble(t, func(x *bench) {
		for name, test := range map[string]struct {
			fault   error
			unknown bool
		}{
			"no answer": {errors.New("connection reset"), true},
			"refused":   {fmt.Errorf("dial: %w", broker.ErrRefused), false},
		} {
			c := queue.NewClient(&tapped{Broker: x.b, apply: func(applyCall) (broker.Applied, error) {
				return broker.Applied{}, test.fault
			}})
			_, err := c.Enqueue(x.Context(), task.New("test:a", nil), task.ID("a"))
			if errors.Is(err, queue.ErrUnknown) != test.unknown || !errors.Is(err, test.fault) {
				x.Errorf("%s: %v, matches ErrUnknown: %t, want %t", name, err, errors.Is(err, queue.ErrUnknown), test.unknown)
			}
			if !strings.Contains(err.Error(), "enqueue default/a: ") {
				x.Errorf("%s: error does not name the task: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(x.Context())
		cancel()
		_, err := x.client.Enqueue(ctx, task.New("test:a", nil))
		if !errors.Is(err, context.Canceled) || errors.Is(err, queue.ErrUnknown) {
			x.Errorf("with an ended context: %v, want context.Canceled and not ErrUnknown", err)
		}
	})
}

func TestEnqueueManyTellsOfEachTaskWhatBecameOfIt(t *testing.T) {
	inBubble(t, func(x *bench) {
		var calls []int
		c := queue.NewClient(&tapped{Broker: x.b, apply: func(call applyCall) (broker.Applied, error) {
			calls = append(calls, len(call.changes))
			return call.run()
		}})
		var ts []*task.Task
		for i := range 1203 {
			ts = append(ts, task.New("test:many", nil, task.ID(fmt.Sprint(i))))
		}
		ts[5], ts[700] = nil, task.New("", nil)
		ts[1100] = task.New("test:many", nil, task.ID("0"))
		got := c.EnqueueMany(x.Context(), ts, task.MaxRetry(1))
		if len(got) != len(ts) {
			x.Fatalf("%d results for %d tasks", len(got), len(ts))
		}
		for i, e := range got {
			switch want := map[int]error{5: task.ErrInvalid, 700: task.ErrInvalid, 1100: queue.ErrTaskIDConflict}[i]; {
			case !errors.Is(e.Err, want):
				x.Errorf("task %d: %v, want %v", i, e.Err, want)
			case want == nil && (e.Info.ID != fmt.Sprint(i) || e.Info.MaxRetry != 1):
				x.Errorf("task %d: info of task %s with MaxRetry %d", i, e.Info.ID, e.Info.MaxRetry)
			case want != nil && e.Info != nil:
				x.Errorf("task %d: info beside an error", i)
			}
		}
		if diff := cmp.Diff([]int{499, 499, 203}, calls); diff != "" {
			x.Errorf("changes in each call (-want +got):\n%s", diff)
		}
		if n := x.counts("default").Pending; n != 1200 {
			x.Errorf("%d tasks pending, want 1200", n)
		}
	})
}

func TestEnqueueManyDoesNotSendLargePayloadsTogether(t *testing.T) {
	inBubble(t, func(x *bench) {
		var calls []int
		c := queue.NewClient(&tapped{Broker: x.b, apply: func(call applyCall) (broker.Applied, error) {
			calls = append(calls, len(call.changes))
			return call.run()
		}})
		large := make([]byte, 3<<20)
		c.EnqueueMany(x.Context(), []*task.Task{task.New("a", large), task.New("a", large), task.New("a", nil)})
		if diff := cmp.Diff([]int{1, 2}, calls); diff != "" {
			x.Errorf("changes in each call (-want +got):\n%s", diff)
		}
		if got := c.EnqueueMany(x.Context(), nil); len(got) != 0 || len(calls) != 2 {
			x.Errorf("no tasks: %d results after %d calls, want 0 after 2", len(got), len(calls))
		}
	})
}

func TestAReceivedTaskKeepsItsHeadersWhenItIsEnqueuedAgain(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.client.Defaults = []task.Option{task.Header("trace", "default")}
		received := task.Received("test:a", nil, map[string]string{"trace": "received"}, nil)
		info, err := x.client.Enqueue(x.Context(), received)
		if err != nil {
			x.Fatal(err)
		}
		if got := info.Headers["trace"]; got != "received" {
			x.Errorf("header %q, want %q", got, "received")
		}
	})
}

func TestAClientsObserverIsToldOfWhatWasEnqueued(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.client.Observer = x.cfg.Observer
		x.enqueue("a")
		_, _ = x.client.Enqueue(x.Context(), task.New("", nil))
		got := x.seen(queue.EventEnqueued)
		if len(got) != 1 || got[0].Entry.ID != "a" {
			x.Errorf("observed %+v, want one event about a", got)
		}
		x.client.Observer = func(context.Context, queue.Event) { panic("observer") }
		x.enqueue("b")
	})
}

func TestAClientThatCannotWorkRefusesEveryTask(t *testing.T) {
	for name, test := range map[string]struct {
		client *queue.Client
		want   string
	}{
		"made without a broker": {queue.NewClient(nil), "invalid broker <nil>"},
		"not made at all":       {new(queue.Client), "invalid broker <nil>"},
		"told of a limit below nothing": {func() *queue.Client {
			c := queue.NewClient(brokertest.NewModel())
			c.MaxPayload = -1
			return c
		}(), "invalid Client.MaxPayload -1"},
	} {
		_, err := test.client.Enqueue(t.Context(), task.New("test:a", nil))
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("client %s: Enqueue() = %v, want ErrInvalid saying %q", name, err, test.want)
		}
	}
	if err := queue.NewClient(nil).Ping(t.Context()); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("Ping() without a broker = %v, want ErrInvalid", err)
	}
}

func TestAnAnswerOfTheWrongLengthLeavesOpenWhatWasStored(t *testing.T) {
	short := &tapped{Broker: brokertest.NewModel(), apply: func(call applyCall) (broker.Applied, error) {
		applied, err := call.run()
		applied.Outcomes = applied.Outcomes[1:]
		return applied, err
	}}
	for i, e := range queue.NewClient(short).EnqueueMany(t.Context(), []*task.Task{task.New("test:a", nil), task.New("test:b", nil)}) {
		if !errors.Is(e.Err, queue.ErrUnknown) || e.Info != nil {
			t.Errorf("task %d: %v, %v, want ErrUnknown", i, e.Info, e.Err)
		}
	}
}

func TestTooManyHeadersAreRefused(t *testing.T) {
	var options []task.Option
	for i := range broker.MaxHeaders + 1 {
		options = append(options, task.Header(fmt.Sprint(i), ""))
	}
	_, err := queue.NewClient(brokertest.NewModel()).Enqueue(t.Context(), task.New("test:a", nil, options...))
	if !errors.Is(err, task.ErrInvalid) || errors.Is(err, queue.ErrUnknown) {
		t.Errorf("Enqueue() with %d headers = %v, want ErrInvalid", len(options), err)
	}
}

func TestTheDefaultsOfAKindWeighLeast(t *testing.T) {
	inBubble(t, func(x *bench) {
		kind := task.Define[string, task.None]("mail", task.MaxRetry(1), task.Queue("kind"), task.Retention(time.Hour), task.Header("h", "kind"))
		x.client.Defaults = []task.Option{task.Queue("client"), task.Retention(2 * time.Hour), task.Header("h", "client")}
		info, err := kind.Enqueue(x.Context(), x.client, "ann", task.Retention(3*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if info.MaxRetry != 1 || info.Queue != "client" || info.Retention != 3*time.Hour || info.Headers["h"] != "client" {
			t.Errorf("got %d retries, queue %s, retention %v, header %s; want the kind's, the client's, the call's, the client's",
				info.MaxRetry, info.Queue, info.Retention, info.Headers["h"])
		}
	})
}
