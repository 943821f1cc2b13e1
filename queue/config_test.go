package queue

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Every default that a server or a client has. Those of how long asynq's leases
// and figures are kept are in the scripts of package redisbroker.
func TestDefaults(t *testing.T) {
	c, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := task.Resolve(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []struct {
		name      string
		got, want any
	}{
		{"queue of a task", s.Queue, "default"},
		{"retries of a task", s.MaxRetry, 25},
		{"timeout of a task", s.Timeout, 30 * time.Minute},
		{"retention of a task", s.Retention, time.Duration(0)},
		{"largest payload", DefaultMaxPayload, 8 << 20},
		{"concurrency", c.Concurrency, runtime.GOMAXPROCS(0)},
		{"queues", c.Queues, map[string]int{"default": 1}},
		{"strict priority", c.StrictPriority, false},
		{"shutdown timeout", c.ShutdownTimeout, 8 * time.Second},
		{"health check interval", c.HealthCheckInterval, 15 * time.Second},
		{"lease duration", c.LeaseDuration, 10 * time.Second},
		{"poll interval", c.PollInterval, 500 * time.Millisecond},
		{"largest result", c.MaxResult, 1 << 20},
		{"beat interval", beatInterval, 5 * time.Second},
		{"advance interval", advanceInterval, time.Second},
		{"grace of a handler", stopGrace, time.Second},
		{"report of a stuck handler", stuckReport, time.Minute},
		{"time between complaints of one kind", loop.ComplaintInterval, 3 * time.Second},
		{"grace of outcomes in a shutdown", settleGrace, 2 * time.Second},
		{"TTL of a server's record", broker.ServerTTL, 10 * time.Second},
		{"slots of reserved queues", reservedSlots, 4},
		{"logger is slog's", c.Logger.Handler(), task.LogHandler(slog.Default().Handler())},
		{"base context", c.baseContext(nil), context.Background()},
		{"whether an error is a failure", c.IsFailure(errors.New("any")), true},
	} {
		if !reflect.DeepEqual(d.got, d.want) {
			t.Errorf("%s = %v, want %v", d.name, d.got, d.want)
		}
	}
	for ttl, want := range map[time.Duration]bool{time.Second: true, time.Second - 1: false} {
		if _, err := task.Resolve(time.Now(), []task.Option{task.Unique(ttl)}); (err == nil) != want {
			t.Errorf("Unique(%v): %v, want it accepted: %t", ttl, err, want)
		}
	}
	if d := c.RetryDelayFunc(0, nil, nil); d < 15*time.Second || d > 44*time.Second {
		t.Errorf("first retry after %v, want 15s to 44s", d)
	}
}

func TestConcurrencyBelowOneIsThatOfTheCPUs(t *testing.T) {
	c, err := Config{Concurrency: -3}.withDefaults()
	if err != nil || c.Concurrency != runtime.GOMAXPROCS(0) {
		t.Errorf("concurrency -3 became %d, %v, want %d, nil", c.Concurrency, err, runtime.GOMAXPROCS(0))
	}
}

func TestAQueueWithoutPriorityIsLeftOutAndThatIsLogged(t *testing.T) {
	for name, test := range map[string]struct {
		queues, want map[string]int
		dropped      []string
	}{
		"some": {map[string]int{"a": 2, "b": 0, "c": -1}, map[string]int{"a": 2}, []string{"queue=b", "queue=c"}},
		"all":  {map[string]int{"b": 0}, map[string]int{"default": 1}, []string{"queue=b"}},
	} {
		var log bytes.Buffer
		c, err := Config{Queues: test.queues, Logger: slog.New(slog.NewTextHandler(&log, nil))}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, c.Queues); diff != "" {
			t.Errorf("%s: queues (-want +got):\n%s", name, diff)
		}
		for _, word := range append(test.dropped, "level=WARN") {
			if !strings.Contains(log.String(), word) {
				t.Errorf("%s: log lacks %s:\n%s", name, word, &log)
			}
		}
	}
}

func TestABadConfigIsRefusedWithEveryFault(t *testing.T) {
	_, err := NewServer(nil, Config{
		Concurrency:         1<<20 + 1,
		Queues:              map[string]int{"{a}": 1, "": 1, "b": 1 << 40},
		ShutdownTimeout:     -1,
		HealthCheckInterval: -time.Second,
		LeaseDuration:       time.Millisecond,
		PollInterval:        -time.Minute,
		MaxResult:           -5,
	})
	if !errors.Is(err, task.ErrInvalid) {
		t.Fatalf("NewServer() = %v, want ErrInvalid", err)
	}
	for _, fault := range []string{
		"broker <nil>", "Config.Concurrency 1048577", `Config.Queues "{a}"`, `Config.Queues ""`, "Config.Queues 1099511627776", "Config.ShutdownTimeout -1ns",
		"Config.HealthCheckInterval -1s", "Config.LeaseDuration 1ms", "Config.PollInterval -1m0s", "Config.MaxResult -5",
	} {
		if !strings.Contains(err.Error(), fault) {
			t.Errorf("error does not name %s:\n%v", fault, err)
		}
	}
}

func TestAServerTakesTheLargestConcurrency(t *testing.T) {
	if _, err := (Config{Concurrency: 1 << 20}).withDefaults(); err != nil {
		t.Errorf("concurrency of 1 << 20: %v, want nil", err)
	}
}
