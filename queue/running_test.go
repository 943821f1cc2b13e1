package queue_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var run = broker.Home{Queue: "default", ID: "run"}

// settling returns a handler that returns err and has f settle its task.
func settling(err error, f queue.SettleFunc) task.HandlerFunc {
	return func(ctx context.Context, tk *task.Task) error {
		if tk.Type() == "test:a" {
			r, _ := queue.FromContext(ctx)
			r.OnSettle(f)
			return err
		}
		return nil
	}
}

func TestASettleFuncAddsToTheCommitOfTheOutcome(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		next := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: "next"}, Type: "test:next", Retention: time.Hour}
		x.serve(settling(nil, func(s broker.Settlement, refused error) broker.Change {
			if s.To != broker.Done || s.Entry.ID != "a" || refused != nil {
				t.Errorf("called with %s of %s, refused %v, want done of a, nil", s.To, s.Entry.ID, refused)
			}
			return broker.Change{Settle: []broker.Settlement{s}, Home: run, Put: []broker.Put{{Key: "k", Body: []byte("v")}}, Enqueue: []broker.Entry{next}}
		}))
		x.pass(0)
		x.gone("a")
		if s := x.get("next"); s.State != task.Completed {
			t.Errorf("what it enqueued is %s, want completed at once", s.State)
		}
		if d, err := x.b.Documents(x.Context(), run, "k"); err != nil || string(d[0].Body) != "v" {
			t.Errorf("document %+v, %v, want v", d, err)
		}
	})
}

func TestARefusedSettleFuncIsAskedAgainThreeTimes(t *testing.T) {
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		returned error
		stored   string
	}{
		"after a success, which then is a failure": {nil, "document k of default/run is at version 0"},
		"after an error, which then counts alone":  {boom, "boom"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.enqueue("a")
				var asked []error
				x.serve(settling(test.returned, func(s broker.Settlement, refused error) broker.Change {
					asked = append(asked, refused)
					return broker.Change{Settle: []broker.Settlement{s}, Home: run, Require: []broker.Condition{{Key: "k", Version: 9}}}
				}))
				x.pass(time.Second)
				if len(asked) != 4 || asked[0] != nil {
					t.Fatalf("asked %d times, first with %v, want 4, nil", len(asked), asked[0])
				}
				for _, err := range asked[1:] {
					if conflict, ok := errors.AsType[*broker.ConflictError](err); !ok || conflict.Document.Key != "k" {
						t.Errorf("asked again with %v, want the conflict about k", err)
					}
				}
				if s := x.get("a"); s.State != task.Retry || s.Retried != 1 || !strings.Contains(s.LastErr, test.stored) {
					t.Errorf("stored as %s, retried %d, %q, want retry, 1, %q", s.State, s.Retried, s.LastErr, test.stored)
				}
			})
		})
	}
}

func TestASettleFuncMayFindAChangeThatIsNotRefused(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.serve(settling(nil, func(s broker.Settlement, refused error) broker.Change {
			c := broker.Change{Settle: []broker.Settlement{s}, Home: run, Require: []broker.Condition{{Key: "k", Version: 9}}}
			if refused != nil {
				c.Require, c.Settle[0].To = nil, broker.Archived
			}
			return c
		}))
		x.pass(time.Second)
		if s := x.get("a"); s.State != task.Archived {
			t.Errorf("stored as %s, want archived, as the second change says", s.State)
		}
		settled := x.seen(queue.EventSettled)
		if len(settled) != 1 || settled[0].Outcome != broker.Archived {
			t.Errorf("observed %+v, want one outcome, archived", settled)
		}
	})
}

func TestASettleFuncThatDoesNotWorkIsAFailureOfTheTask(t *testing.T) {
	for name, test := range map[string]struct {
		f    queue.SettleFunc
		want string
	}{
		"panics":           {func(broker.Settlement, error) broker.Change { panic("no way") }, "no way"},
		"ends the routine": {func(broker.Settlement, error) broker.Change { runtime.Goexit(); return broker.Change{} }, "runtime.Goexit"},
		"settles nothing":  {func(broker.Settlement, error) broker.Change { return broker.Change{} }, "does not settle the task"},
		"settles it twice": {func(s broker.Settlement, _ error) broker.Change {
			return broker.Change{Settle: []broker.Settlement{s, s}}
		}, "does not settle the task"},
		"settles another": {func(s broker.Settlement, _ error) broker.Change {
			s.Entry.ID = "b"
			return broker.Change{Settle: []broker.Settlement{s}}
		}, "does not settle the task"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.enqueue("a")
				x.enqueue("b")
				x.serve(settling(nil, test.f))
				x.pass(time.Second)
				if s := x.get("a"); s.State != task.Retry || s.Retried != 1 || !strings.Contains(s.LastErr, test.want) {
					t.Errorf("stored as %s, retried %d, %q, want retry, 1, %q", s.State, s.Retried, s.LastErr, test.want)
				}
				x.gone("b")
			})
		})
	}
}

func TestASettleFuncIsAskedAboutFailuresAndNotAboutReleases(t *testing.T) {
	inBubble(t, func(x *bench) {
		var asked []broker.Outcome
		note := func(s broker.Settlement, _ error) broker.Change {
			asked = append(asked, s.To)
			return broker.Change{Settle: []broker.Settlement{s}}
		}
		x.cfg.Concurrency = 4
		x.enqueue("fails", task.MaxRetry(1))
		x.enqueue("hangs", task.MaxRetry(0), task.Timeout(time.Second))
		x.enqueue("waits")
		release := make(chan struct{})
		x.serve(func(ctx context.Context, tk *task.Task) error {
			r, _ := queue.FromContext(ctx)
			r.OnSettle(note)
			switch tk.Type() {
			case "test:fails":
				return errors.New("boom")
			case "test:hangs":
				<-release
				return nil
			default:
				<-ctx.Done()
				return ctx.Err()
			}
		})
		x.pass(5 * time.Second)
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Error(err)
		}
		close(release)
		if len(asked) != 2 || asked[0] != broker.Retry || asked[1] != broker.Archived {
			t.Errorf("asked about %v, want retry and archived", asked)
		}
		if got := x.list(task.Pending); len(got) != 1 {
			t.Errorf("pending %v, want what was released", got)
		}
	})
}

func TestAHandOffWakesTheOtherPool(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.PollInterval = time.Hour
		x.enqueue("a")
		start := time.Now()
		var ran time.Duration
		mux := task.NewMux()
		mux.Reserve("side~queue")
		mux.HandleFunc("test:a", settling(nil, func(s broker.Settlement, _ error) broker.Change {
			next := broker.Entry{EntryRef: broker.EntryRef{Queue: "side~queue", ID: "next"}, Type: "test:next"}
			return broker.Change{Settle: []broker.Settlement{s}, Enqueue: []broker.Entry{next}}
		}))
		mux.HandleFunc("test:next", func(context.Context, *task.Task) error { ran = time.Since(start); return nil })
		x.pass(time.Minute)
		x.serveAny(mux)
		x.pass(time.Minute)
		if ran != time.Minute {
			t.Errorf("the next task ran after %v, want at once, after 1m0s", ran)
		}
	})
}

func TestARunningTaskKnowsWhichQueuesItsServerServes(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Queues = map[string]int{"default": 1, "low": 1}
		x.enqueue("a")
		mux := task.NewMux()
		mux.Reserve("leat:runs")
		got := make(map[string]bool)
		mux.HandleFunc("test:a", func(ctx context.Context, _ *task.Task) error {
			r, _ := queue.FromContext(ctx)
			for _, name := range []string{"default", "low", "leat:runs", "other", ""} {
				got[name] = r.Serves(name)
			}
			return nil
		})
		x.serveAny(mux)
		x.pass(time.Second)
		want := map[string]bool{"default": true, "low": true, "leat:runs": true, "other": false, "": false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Serves() (-want +got):\n%s", diff)
		}
	})
}

func TestATaskOfARunIsNotDoneByAHandlerThatIgnoresTheRun(t *testing.T) {
	inBubble(t, func(x *bench) {
		change := broker.Change{}
		for _, id := range []string{"ignored", "settled", "revoked"} {
			change.Enqueue = append(change.Enqueue, broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: id}, Type: "test:" + id, Home: run})
		}
		change.Enqueue = append(change.Enqueue, broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: "no-run"}, Type: "test:no-run", Home: broker.Home{Queue: "engine~own", ID: "x"}})
		if applied, err := x.b.Apply(x.Context(), time.Now(), []broker.Change{change}, broker.LeaseRequest{}); err != nil || applied.Outcomes[0] != nil {
			t.Fatalf("Apply() = %+v, %v, want nil", applied, err)
		}
		x.serve(func(ctx context.Context, tk *task.Task) error {
			r, _ := queue.FromContext(ctx)
			switch tk.Type() {
			case "test:settled":
				r.OnSettle(func(s broker.Settlement, _ error) broker.Change { return broker.Change{Settle: []broker.Settlement{s}} })
			case "test:revoked":
				return task.Revoke
			}
			return nil
		})
		x.pass(time.Second)
		x.gone("settled")
		x.gone("revoked")
		x.gone("no-run")
		if s := x.get("ignored"); s.State != task.Retry || s.Retried != 0 || !strings.Contains(s.LastErr, "run") || time.Until(s.DueAt) < 13*time.Second {
			t.Errorf("stored as %s, retried %d, due in %v, %q, want retry, 0, in 15s, and why", s.State, s.Retried, time.Until(s.DueAt), s.LastErr)
		}
	})
}
