package peers

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// A bench is a Redis of its own, with Leat and asynq on it.
type bench struct {
	testing.TB
	url       string
	peer      asynq.RedisClientOpt
	redis     *redis.Client
	broker    *redisbroker.Broker
	client    *queue.Client
	theirs    *asynq.Client
	inspector *asynq.Inspector
	ours      *queue.Inspector
}

func newBench(t testing.TB) *bench {
	t.Helper()
	server := redistest.Start(t, redistest.Options{})
	x := &bench{TB: t, url: server.URL(), peer: asynq.RedisClientOpt{Addr: server.Addr}}
	x.redis = redis.NewClient(&redis.Options{Addr: server.Addr})
	x.broker = openBroker(t, x.url)
	x.client = queue.NewClient(x.broker)
	x.ours = queue.NewInspector(x.broker)
	x.theirs = asynq.NewClient(x.peer)
	x.inspector = asynq.NewInspector(x.peer)
	t.Cleanup(func() {
		x.must(x.inspector.Close())
		x.must(x.theirs.Close())
		x.must(x.broker.Close())
		x.must(x.redis.Close())
	})
	return x
}

func openBroker(t testing.TB, url string) *redisbroker.Broker {
	t.Helper()
	b, err := redisbroker.Open(url, &redisbroker.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var quiet = slog.New(slog.DiscardHandler)

// quietAsynq is an asynq.Logger that says nothing.
type quietAsynq struct{}

func (quietAsynq) Debug(...any) {}
func (quietAsynq) Info(...any)  {}
func (quietAsynq) Warn(...any)  {}
func (quietAsynq) Error(...any) {}
func (quietAsynq) Fatal(...any) {}

func (x *bench) must(err error) {
	x.Helper()
	if err != nil {
		x.Error(err)
	}
}

// eventually waits until ok holds, and fails the test if it does not within
// the time.
func (x *bench) eventually(within time.Duration, what string, ok func() bool) {
	x.Helper()
	for began := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > within {
			x.Fatalf("not within %v: %s", within, what)
		}
	}
}

// soon is how long what should happen at once may take on a busy machine.
const soon = 20 * time.Second

// info returns what asynq tells of a task.
func (x *bench) info(queue, id string) *asynq.TaskInfo {
	x.Helper()
	info, err := x.inspector.GetTaskInfo(queue, id)
	if err != nil {
		x.Fatalf("asynq's GetTaskInfo(%q, %q): %v", queue, id, err)
	}
	return info
}

// state returns the word for a task's state, "" if it is gone.
func (x *bench) state(queue, id string) string {
	return x.redis.HGet(x.Context(), "asynq:{"+queue+"}:t:"+id, "state").Val()
}

// wantState fails the test unless the task gets into a state, "" being gone.
func (x *bench) wantState(queue, id, want string) {
	x.Helper()
	x.eventually(soon, id+" is "+want, func() bool { return x.state(queue, id) == want })
}

// counts returns the figures of a queue as Leat sees them.
func (x *bench) counts(name string) broker.Counts {
	x.Helper()
	counts, err := x.broker.Counts(x.Context(), time.Now(), name)
	if err != nil {
		x.Fatal(err)
	}
	return counts[0]
}

// advance has Leat do what is due in a queue at a time, until nothing is.
func (x *bench) advance(queue string, now time.Time) {
	x.Helper()
	for n := 1; n > 0; {
		a, err := x.broker.Advance(x.Context(), now, broker.AdvanceRequest{Queues: []string{queue}, Limit: 1000})
		if err != nil {
			x.Fatal(err)
		}
		n = a.Total()
	}
}

// wantSound fails the test if Verify finds something wrong.
func (x *bench) wantSound() {
	x.Helper()
	for _, fault := range x.faults() {
		x.Errorf("Verify() reports %q", fault)
	}
}

// faults returns what Verify finds wrong.
func (x *bench) faults() []string {
	x.Helper()
	faults, err := x.broker.Verify(x.Context(), time.Now())
	if err != nil {
		x.Fatal(err)
	}
	return faults
}
