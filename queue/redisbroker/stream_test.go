package redisbroker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// TestEventsAreKeptIfAskedFor follows an entry through its life with a cursor.
func TestEventsAreKeptIfAskedFor(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b, err := redisbroker.Open(server.SocketURL(), &redisbroker.Options{LocalClock: true, Logger: discard, Events: 100})
	if err != nil {
		t.Fatal(err)
	}
	x := &bench{T: t, server: server, b: b, c: client(t, server), now: time.UnixMilli(1900000000500)}
	t.Cleanup(func() { x.b.Close(); x.c.Close() })
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a")}})
	x.settle(x.next("a"), broker.Archived, time.Time{}, false)
	if err := x.move("a", broker.Delete); err != nil {
		t.Fatal(err)
	}
	var told []string
	for after := ""; ; {
		events, err := x.b.Events(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if !e.At.Equal(x.now) || e.Entry != plain("a").EntryRef {
				t.Errorf("event %+v, want one of a at %v", e, x.now)
			}
			told = append(told, e.State.String())
			after = e.Cursor
		}
		if len(events) == 0 {
			break
		}
	}
	if diff := cmp.Diff([]string{"pending", "active", "archived", "State(0)"}, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if _, err := x.b.Events(t.Context(), "yesterday", 1); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Events(yesterday) = %v, want %v", err, broker.ErrRefused)
	}
	for range 3 {
		for i := range 200 {
			x.apply(broker.Change{Enqueue: []broker.Entry{plain(strings.Repeat("x", i+1))}})
			x.must(x.c.Del(t.Context(), x.queue("t:"+strings.Repeat("x", i+1)), x.queue("pending")))
		}
	}
	if n := x.c.XLen(t.Context(), "asynq:leat:events").Val(); n > 300 {
		t.Errorf("%d events are kept, want about 100", n)
	}
}

func TestWithoutEventsNoneAreKept(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a")}})
	if _, err := x.b.Events(t.Context(), "", 1); !errors.Is(err, broker.ErrRefused) {
		t.Errorf("Events() = %v, want %v", err, broker.ErrRefused)
	}
	if n := x.c.Exists(t.Context(), "asynq:leat:events").Val(); n != 0 {
		t.Errorf("events are kept")
	}
}

// TestWhoKeepsNoEventsReadsThoseOfOthers is how a tool that was told nothing follows.
func TestWhoKeepsNoEventsReadsThoseOfOthers(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	for name, o := range map[string]redisbroker.Options{"one world": {Prefix: "one"}, "shards": {Prefix: "many", Shards: 4}} {
		t.Run(name, func(t *testing.T) {
			tool := openWith(t, server, o)
			defer tool.Close()
			if _, err := tool.Events(t.Context(), "", 10); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Events() = %v while nobody keeps any, want ErrUnsupported", err)
			}
			o.Events = 100
			keeper := openWith(t, server, o)
			defer keeper.Close()
			changes := []broker.Change{{Enqueue: []broker.Entry{plain("a")}}}
			if _, err := keeper.Apply(t.Context(), time.UnixMilli(1900000000500), changes, broker.LeaseRequest{}); err != nil {
				t.Fatal(err)
			}
			events, err := tool.Events(t.Context(), "", 10)
			if err != nil || len(events) != 1 || events[0].Entry != plain("a").EntryRef {
				t.Errorf("Events() = %+v, %v, want that of a", events, err)
			}
		})
	}
}
