package pages_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
)

// crowded is a storage of which many servers and asynq's entries tell.
type crowded struct {
	broker.Broker
	many int
}

func (b crowded) Servers(context.Context, time.Time) (all []broker.Server, err error) {
	for i := range b.many {
		all = append(all, broker.Server{ID: fmt.Sprint("s", i), Host: fmt.Sprint("h", i), Status: "active", Concurrency: 1})
	}
	return all, nil
}

func (b crowded) Schedulers(context.Context, time.Time) ([]broker.Scheduler, error) {
	s := broker.Scheduler{ID: "s"}
	for i := range b.many {
		s.Entries = append(s.Entries, broker.PeriodicEntry{ID: fmt.Sprint("e", i), Spec: "@daily", Type: "a"})
	}
	return []broker.Scheduler{s}, nil
}

func TestATableHasNotMoreRowsThanCanBeReadAndSaysSo(t *testing.T) {
	w := newWorld(t, crowded{model.New(model.Options{}), 507}, nil)
	for path, says := range map[string]string{"/servers": "7 servers more", "/entries": "7 entries more"} {
		if n := strings.Count(w.shows(path, says), "<tr data-key="); n != 500 {
			t.Errorf("%s has %d rows", path, n)
		}
	}
	w.shows("/servers", "507 servers; 0 of 507 slots are busy")
}
