package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/witness"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// tasksOf returns tasks with these ids.
func tasksOf(names ...string) (ts []*task.Task) {
	for _, name := range names {
		ts = append(ts, task.New("test:"+name, nil, task.ID(name)))
	}
	return ts
}

func TestATracerIsToldOfEachCallThatEnqueues(t *testing.T) {
	once := []task.Option{task.UniqueUntilDone(), task.UniqueKey("k"), task.ProcessIn(time.Hour)}
	conflict := "enqueue default/a: task id conflicts with another task"
	for name, test := range map[string]struct {
		call func(context.Context, *queue.Client)
		want []string
	}{
		"one by one": {
			func(ctx context.Context, c *queue.Client) {
				c.Enqueue(ctx, tasksOf("a")[0]) //nolint:errcheck // it is told
				c.Enqueue(ctx, tasksOf("a")[0]) //nolint:errcheck // it is told
			},
			[]string{"send a in caller", "sent a: ok", "send a in caller", "sent a: " + conflict},
		},
		"many": {
			func(ctx context.Context, c *queue.Client) { c.EnqueueMany(ctx, tasksOf("a", "b", "a")) },
			[]string{"send a,b,a in caller", "sent a,b,a: ok; ok; " + conflict},
		},
		"all": {
			func(ctx context.Context, c *queue.Client) {
				c.EnqueueAll(ctx, tasksOf("a", "b")) //nolint:errcheck // it is told
				c.EnqueueAll(ctx, tasksOf("c", "a")) //nolint:errcheck // it is told
			},
			[]string{"send a,b in caller", "sent a,b: ok; ok", "send c,a in caller",
				"sent c,a: enqueue default/c: another task of the call was refused: task id conflicts with another task; " + conflict},
		},
		"what takes another's place": {
			func(ctx context.Context, c *queue.Client) {
				for _, id := range []string{"a", "b"} {
					c.Enqueue(ctx, tasksOf(id)[0], append(once, task.OnConflict(task.Replace))...) //nolint:errcheck // it is told
				}
			},
			[]string{"send a in caller", "sent a: ok", "send b in caller", "sent b: ok"},
		},
		"what another stands in for": {
			func(ctx context.Context, c *queue.Client) {
				for _, id := range []string{"a", "b"} {
					c.Enqueue(ctx, tasksOf(id)[0], append(once, task.OnConflict(task.Ignore))...) //nolint:errcheck // it is told
				}
			},
			[]string{"send a in caller", "sent a: ok", "send b in caller", "sent b: task already exists"},
		},
		"what is refused at once": {
			func(ctx context.Context, c *queue.Client) {
				c.Enqueue(ctx, task.New("", nil)) //nolint:errcheck // it is told
			},
			nil,
		},
		"what middleware has changed": {
			func(ctx context.Context, c *queue.Client) {
				c.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
					return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
						return next(witness.In(ctx, "middleware"), t, append(options, task.Header("k", "v"))...)
					}
				})
				c.Enqueue(ctx, tasksOf("a")[0]) //nolint:errcheck // it is told
			},
			[]string{"send a in middleware", "sent a: ok"},
		},
		"what is prepared": {
			func(ctx context.Context, c *queue.Client) {
				e, err := c.Prepare(ctx, tasksOf("a")[0])
				if err != nil {
					t.Fatal(err)
				}
				sent := c.Sending(ctx, &e)
				if e.Headers[witness.Sent] != "caller:a" {
					t.Errorf("it has headers %v, want those of the tracer", e.Headers)
				}
				sent(errBoom)
			},
			[]string{"send a in caller", "sent a: boom"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTraced(t, func(x *traced) {
				test.call(witness.In(x.Context(), "caller"), x.client)
				x.told(test.want...)
			})
		})
	}
}

// What takes another's place has its own headers.
func TestWhatTakesAnothersPlaceHasTheTracersHeaders(t *testing.T) {
	onTraced(t, func(x *traced) {
		for _, name := range []string{"first", "second"} {
			tk := task.New("test:a", nil, task.UniqueUntilDone(), task.ProcessIn(time.Hour), task.OnConflict(task.Replace), task.ID(name))
			if _, err := x.client.Enqueue(witness.In(x.Context(), name), tk); err != nil {
				t.Fatal(err)
			}
		}
		if got := x.get("first").Headers[witness.Sent]; got != "second:second" {
			t.Errorf("it was sent as %q, want second:second", got)
		}
	})
}

func TestATracerIsToldThatTheStorageDoesNotAnswer(t *testing.T) {
	onTraced(t, func(x *traced) {
		c := queue.NewClient(&tapped{Broker: x.b, apply: func(applyCall) (broker.Applied, error) { return broker.Applied{}, errLost }})
		c.Tracer = x.w
		if _, err := c.Enqueue(x.Context(), tasksOf("a")[0]); !errors.Is(err, queue.ErrUnknown) {
			t.Errorf("Enqueue() = %v, want that it may have taken effect", err)
		}
		x.told("send a", "sent a: enqueue default/a: may have taken effect: connection reset")
	})
}

// Whether the transaction is committed is known to its owner only.
func TestWhatATransactionHasTakenCountsAsSent(t *testing.T) {
	onTraced(t, func(x *traced) {
		db, ok := x.b.(*sqlitebroker.Broker)
		if !ok {
			return
		}
		tx, err := db.DB().BeginTx(x.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.client.EnqueueTx(x.Context(), tx, tasksOf("a")[0]); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := x.get("a").Headers[witness.Sent]; got != ":a" {
			t.Errorf("it was sent as %q, want :a", got)
		}
		x.told("send a", "sent a: ok")
	})
}

// A server has its tracer told of what its own client enqueues, and no other's.
func TestAServersOwnClientHasItsTracer(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.enqueue("a")
		x.cfg.Client = nil
		x.serve(func(ctx context.Context, tk *task.Task) error {
			if tk.Type() != "test:a" {
				return nil
			}
			return queue.Then(ctx, tasksOf("b")[0])
		})
		x.pass(time.Second)
		x.told("send a", "sent a: ok", "begin a", "send b in a", "settle a as done: ok", "sent b: ok", "settled a: ok",
			"begin b", "settle b as done: ok", "settled b: ok")
	})
}

func TestAnInspectorsTracerIsToldWhatIsDoneByHand(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(*traced, *queue.Inspector) error
		want []string
	}{
		"to one": {
			func(x *traced, i *queue.Inspector) error {
				return errors.Join(i.Reschedule(x.Context(), "default", "a", time.Now().Add(time.Hour)), i.Run(x.Context(), "default", "a"),
					i.Archive(x.Context(), "default", "a"), i.Delete(x.Context(), "default", "a"), i.Cancel(x.Context(), "default", "b"))
			},
			[]string{"moved a: reschedule of one that is scheduled", "moved a: run of one that is scheduled", "moved a: archive of one that is pending",
				"moved a: delete of one that is archived", "moved b: cancel of one that is scheduled"},
		},
		"to one that has no worker any more": {
			func(x *traced, i *queue.Inspector) error {
				if err := i.Run(x.Context(), "default", "a"); err != nil {
					return err
				}
				now := time.Now()
				want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "default", First: 1}}, Max: 1, Until: now.Add(time.Second)}
				if _, err := x.b.Apply(x.Context(), now, nil, want); err != nil {
					return err
				}
				x.pass(time.Minute)
				return i.Recover(x.Context(), "default", "a")
			},
			[]string{"moved a: run of one that is scheduled", "moved a: run of one that is active"},
		},
		"to none": {
			func(x *traced, i *queue.Inspector) error {
				if err := i.Recover(x.Context(), "default", "a"); err == nil {
					return errors.New("a was recovered")
				}
				if err := i.Delete(x.Context(), "default", "none"); !errors.Is(err, queue.ErrTaskNotFound) {
					return err
				}
				return nil
			},
			nil,
		},
		"to all": {
			func(x *traced, i *queue.Inspector) error {
				_, err := i.Bulk(x.Context(), queue.BulkRequest{Queue: "default", State: task.Scheduled, Do: broker.Archive})
				return err
			},
			[]string{"moved a: archive of one that is scheduled", "moved b: archive of one that is scheduled"},
		},
		"to some": {
			func(x *traced, i *queue.Inspector) error {
				_, err := i.Bulk(x.Context(), queue.BulkRequest{Queue: "default", State: task.Scheduled, Do: broker.Cancel, Filter: queue.Filter{Type: "test:b"}})
				return err
			},
			[]string{"moved b: cancel of one that is scheduled"},
		},
		"to a queue": {
			func(x *traced, i *queue.Inspector) error { return i.RemoveQueue(x.Context(), "default", true) },
			[]string{"moved a: delete of one that is scheduled", "moved b: delete of one that is scheduled"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTraced(t, func(x *traced) {
				x.client.Tracer = nil
				x.enqueue("a", task.ProcessIn(time.Hour))
				x.enqueue("b", task.ProcessIn(2*time.Hour))
				i := queue.NewInspector(x.b)
				i.Tracer = x.w
				if err := test.do(x, i); err != nil {
					t.Fatal(err)
				}
				x.told(test.want...)
			})
		})
	}
}
