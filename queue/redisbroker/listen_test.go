package redisbroker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// listen listens until the test ends, and returns what is heard.
func (x *bench) listen() <-chan broker.Signal {
	heard, ended := make(chan broker.Signal, 100), make(chan error)
	ctx, stop := context.WithCancel(x.Context())
	go func() { ended <- x.b.Listen(ctx, func(s broker.Signal) { heard <- s }) }()
	x.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			x.Errorf("Listen() = %v, want %v", err, context.Canceled)
		}
	})
	return heard
}

// hears fails unless want is what is heard next.
func (x *bench) hears(heard <-chan broker.Signal, want ...broker.Signal) {
	x.Helper()
	for _, w := range want {
		select {
		case got := <-heard:
			if diff := cmp.Diff(w, got); diff != "" {
				x.Errorf("heard (-want +got):\n%s", diff)
			}
		case <-time.After(5 * time.Second):
			x.Fatalf("nothing was heard, want %+v", w)
		}
	}
}

// TestAListenerHearsOursAndAsynqs lets an entry that is watched report and end, and
// cancels some.
func TestAListenerHearsOursAndAsynqs(t *testing.T) {
	x := newBench(t)
	heard := x.listen()
	x.hears(heard, broker.Signal{Kind: broker.Listening})
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a"), plain("quiet"), plain("asynqs")}})
	x.apply(broker.Change{Watch: []broker.EntryRef{plain("a").EntryRef}})
	a, quiet := x.next("a"), x.next("quiet")
	x.inAsynqsHands("asynqs")
	for _, l := range []broker.Lease{quiet, a} {
		if _, err := x.b.Report(t.Context(), x.now, broker.Progress{LeaseRef: l.Ref(), Data: []byte("half")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "asynqs"} {
		if err := x.move(id, broker.Cancel); err != nil {
			t.Fatal(err)
		}
	}
	x.must(x.c.Publish(t.Context(), "asynq:cancel", "bare"))
	x.settle(quiet, broker.Done, time.Time{}, false)
	x.settle(a, broker.Done, time.Time{}, false)
	x.hears(heard,
		broker.Signal{Kind: broker.ProgressSeen, Entry: a.Entry.EntryRef},
		broker.Signal{Kind: broker.CancelSent, Entry: a.Entry.EntryRef},
		broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{ID: "asynqs"}},
		broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{ID: "bare"}},
		broker.Signal{Kind: broker.EndSeen, Entry: a.Entry.EntryRef},
	)
	select {
	case got := <-heard:
		t.Errorf("heard %+v, too", got)
	default:
	}
}

func TestAListenerSaysWhenItListensAgain(t *testing.T) {
	x := newBench(t)
	heard := x.listen()
	x.hears(heard, broker.Signal{Kind: broker.Listening})
	x.must(x.c.Do(t.Context(), "client", "kill", "type", "pubsub"))
	x.hears(heard, broker.Signal{Kind: broker.Listening})
	x.must(x.c.Publish(t.Context(), "asynq:cancel", "id"))
	x.hears(heard, broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{ID: "id"}})
}

// TestWhoMayNotSubscribeIsTold gives a user no channels: it may neither listen nor
// publish, and nothing else suffers.
func TestWhoMayNotSubscribeIsTold(t *testing.T) {
	x := newBench(t)
	b := x.openAs("deaf", "resetchannels")
	if err := b.Listen(t.Context(), func(broker.Signal) {}); err == nil || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("Listen() = %v, want what redis said", err)
	}
	x.b = b
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a")}})
	x.apply(broker.Change{Watch: []broker.EntryRef{plain("a").EntryRef}})
	x.settle(x.next("a"), broker.Done, time.Time{}, false)
	x.sound("it")
}

// openAs opens a broker as a user who may do everything but what rules take away.
func (x *bench) openAs(user string, rules ...string) *redisbroker.Broker {
	x.Helper()
	x.server.Do(x.T, append([]string{"ACL", "SETUSER", user, "on", ">secret", "~*", "&*", "+@all"}, rules...)...)
	url := strings.Replace(x.server.URL(), "redis://", "redis://"+user+":secret@", 1)
	b, err := redisbroker.Open(url, &redisbroker.Options{LocalClock: true, Logger: discard})
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { b.Close() })
	return b
}
