package brokertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// TestAFaultyBrokerPassesTheSuiteWithoutFaults: every method is passed on.
func TestAFaultyBrokerPassesTheSuiteWithoutFaults(t *testing.T) {
	none := func(int, string) Fault { return Fault{} }
	Run(t, func(testing.TB) Storage {
		return storageOf(func(b broker.Broker) broker.Broker { return Faulty(b, none) })
	})
}

func TestACallThatFailsBeforeIsNotMadeAndOneThatFailsAfterIs(t *testing.T) {
	before, after := errors.New("before"), errors.New("after")
	plan := []Fault{{Before: before}, {After: after}, {}}
	var methods []string
	b := Faulty(NewModel(), func(call int, method string) Fault {
		methods = append(methods, fmt.Sprint(call, method))
		return plan[call]
	})
	for i, want := range []error{before, after} {
		e := entry("q", fmt.Sprint(i))
		_, err := b.Apply(t.Context(), time.Now(), []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{})
		if err != want {
			t.Errorf("call %d: %v, want %v", i, err, want)
		}
	}
	found, err := b.List(t.Context(), broker.ListRequest{Queue: "q", State: task.Pending, Limit: 5})
	if err != nil {
		t.Fatalf("List() = %v, want nil", err)
	}
	equal(t, "entries", storedIDs(found), []string{"1"})
	equal(t, "calls", methods, []string{"0Apply", "1Apply", "2List"})
}

func TestACallThatIsDelayedIsNotMadeWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewModel()
		b := Faulty(m, func(int, string) Fault { return Fault{Delay: time.Minute} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		enqueue := []broker.Change{{Enqueue: entries("q", "a")}}
		if _, err := b.Apply(ctx, start, enqueue, broker.LeaseRequest{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Apply() = %v, want %v", err, context.DeadlineExceeded)
		}
		equal(t, "what is stored", m.Leftovers(), nil)
		if _, err := b.Apply(t.Context(), start, enqueue, broker.LeaseRequest{}); err != nil {
			t.Errorf("Apply() = %v, want nil", err)
		}
		if took := time.Since(start); took != time.Second+time.Minute {
			t.Errorf("both calls took %v, want a second and a minute", took)
		}
	})
}
