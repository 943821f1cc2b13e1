package dash

import (
	"context"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // as the golden screens have it
	os.Exit(m.Run())
}

// filled returns a storage that has been in use for a while, with a server at work.
func filled(ctx context.Context) (broker.Broker, error) {
	b, now := model.New(model.Options{}), time.Now()
	if err := stock.Fill(ctx, b, 2000, now); err != nil {
		return nil, err
	}
	a, err := b.Apply(ctx, now, nil, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "default", First: 3}, {Queue: "mail", First: 1}}, Max: 4, Until: now.Add(time.Hour),
	})
	if err != nil {
		return nil, err
	}
	s := broker.Server{
		ID: "0d7b3f9e-0000-4000-8000-000000000001", Host: "worker-1", PID: 4711, Concurrency: 10,
		Queues: map[string]int{"default": 1, "mail": 3}, Status: "active", Started: now.Add(-75 * time.Minute),
	}
	for i, l := range a.Leases {
		s.Workers = append(s.Workers, broker.Worker{
			Entry: l.Entry.EntryRef, Type: l.Entry.Type, Payload: l.Entry.Payload,
			Started: now.Add(-time.Duration(i+1) * 7 * time.Minute), Deadline: now.Add(30*time.Minute - time.Duration(i+1)*7*time.Minute),
		})
	}
	return b, b.Beat(ctx, now, s)
}

func TestScreens(t *testing.T) {
	for _, at := range []struct {
		name string
		keys []string
	}{
		{"queues", nil},
		{"queues-query", []string{"/", "s", "t", "a"}},
		{"queues-wrong", []string{"/", "s", "i", "z", "e", ">", "x"}},
		{"queue-pending", []string{"down", "enter"}},
		{"queue-active", []string{"down", "enter", "left"}},
		{"queue-scheduled", []string{"down", "enter", "right"}},
		{"queue-retry", []string{"down", "enter", "right", "right"}},
		{"queue-archived", []string{"down", "enter", "right", "right", "right"}},
		{"queue-completed", []string{"down", "enter", "right", "right", "right", "right"}},
		{"queue-end", []string{"down", "enter", "G"}},
		{"queue-marked", []string{"down", "enter", "x", "x", "down", "x"}},
		{"queue-groups", []string{"down", "down", "down", "enter", "left", "left"}},
		{"queue-paused", []string{"down", "down", "down", "down", "enter"}},
		{"group", []string{"down", "down", "down", "enter", "left", "left", "enter"}},
		{"task-archived", []string{"down", "enter", "right", "right", "right", "enter"}},
		{"task-active", []string{"down", "enter", "left", "enter"}},
		{"task-hex", []string{"down", "enter", "enter", "v"}},
		{"delete", []string{"down", "enter", "D"}},
		{"delete-all", []string{"down", "enter", "right", "right", "*", "D"}},
		{"remove", []string{"down", "X"}},
		{"servers", []string{"2"}},
		{"server", []string{"2", "enter"}},
		{"groups", []string{"3"}},
		{"periodic", []string{"4"}},
		{"entry", []string{"4", "enter"}},
		{"tasks", []string{"tasks"}},
		{"help", []string{"?"}},
	} {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			t.Run(fmt.Sprintf("%s-%dx%d", at.name, size[0], size[1]), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, err := filled(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					s := newStage(t, b, size[0], size[1])
					s.settle()
					for _, k := range at.keys {
						if k == "tasks" {
							k = s.tabKey("Tasks")
						}
						s.keys(k)
					}
					s.golden(at.name)
				})
			})
		}
	}
}

// tabKey returns the key of a tab.
func (s *stage) tabKey(name string) string {
	for i, t := range s.tabs {
		if t.name == name {
			return t.key(i)
		}
	}
	s.t.Fatalf("there is no tab %s", name)
	return ""
}
