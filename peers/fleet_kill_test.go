package peers

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/task"
)

// What the workers of a fleet note, in a database of their own: how often a task
// was begun, and how often its handler was content.
const (
	notesDB    = 1
	notesBegun = "begun"
	notesEnded = "ended"
)

// fleetErrand is how long a task of a fleet of processes takes.
const fleetErrand = 10 * time.Millisecond

// openNotes opens the database of notes in the Redis at url.
func openNotes(url string) (*redis.Client, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	opt.DB = notesDB
	return redis.NewClient(opt), nil
}

// noting returns a handler that notes what it does, and fails as a task of the
// fleet should. Every fourth is failed once.
func noting(url string) (handler, error) {
	notes, err := openNotes(url)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, r run) error {
		ctx := context.Background() // or a shutdown would keep it from noting
		if err := notes.HIncrBy(ctx, notesBegun, r.ID, 1).Err(); err != nil {
			return err
		}
		time.Sleep(fleetErrand)
		n, err := strconv.Atoi(r.ID)
		if err != nil {
			return err
		}
		if r.Retried < hardyTask(n).fails {
			return errAsked
		}
		return notes.HIncrBy(ctx, notesEnded, r.ID, 1).Err()
	}, nil
}

// hardyTask returns the n-th task of a fleet whose workers are killed: asynq
// charges a retry for that, so that each has some to spare. All are kept.
func hardyTask(n int) fate {
	id := strconv.Itoa(n)
	f := fate{spec: spec{ID: id, Type: "t", Queue: "q", Payload: []byte(id), Retention: time.Hour}, ends: "completed"}
	switch n / 2 % 4 {
	case 0:
		f.Unique = time.Hour
	case 1:
		f.ProcessIn = time.Second
	case 2:
		f.fails = 1
	}
	return f
}

// How a fleet is killed: so often, one worker of Leat or both of asynq in turn,
// and once all.
const (
	fleetKills = 14
	killEvery  = 500 * time.Millisecond
)

// expire makes the leases of a queue end at a time, those of Leat only if it is
// told to, and says how many there were. That is what lets a test not wait for
// a minute until a task is taken from a worker of asynq that was killed, or by
// one.
var expire = redis.NewScript(`
local leases, n = redis.call("ZRANGE", KEYS[1] .. "lease", 0, -1, "WITHSCORES"), 0
for i = 1, #leases, 2 do
  local leats = redis.call("HGET", KEYS[1] .. "t:" .. leases[i], "leat_until") == leases[i + 1]
  if ARGV[2] == "all" or not leats then
    redis.call("ZADD", KEYS[1] .. "lease", ARGV[1], leases[i])
    n = n + 1
  end
end
return n`)

// A mortalFleet is two worker processes of each side.
type mortalFleet struct {
	*bench
	random  *rand.Rand
	workers map[string][]*worker // by side
}

func startMortalFleet(x *bench) *mortalFleet {
	x.Helper()
	seed := uint64(time.Now().UnixNano())
	x.Logf("seed %d", seed)
	f := &mortalFleet{bench: x, random: rand.New(rand.NewPCG(seed, 0)), workers: map[string][]*worker{}}
	for _, s := range sides {
		f.start(s)
	}
	return f
}

// kill ends both workers of a side.
func (f *mortalFleet) kill(s side) {
	f.Helper()
	for _, w := range f.workers[s.name] {
		w.kill()
	}
}

// start starts two workers of a side in place of those that were killed.
func (f *mortalFleet) start(s side) {
	f.Helper()
	f.workers[s.name] = []*worker{startWorker(f.bench, s, dutyFleet), startWorker(f.bench, s, dutyFleet)}
}

// replaceLeat kills one worker of Leat, and starts another.
func (f *mortalFleet) replaceLeat() {
	f.Helper()
	i := f.random.IntN(2)
	f.workers[leat.name][i].kill()
	f.workers[leat.name][i] = startWorker(f.bench, leat, dutyFleet)
}

// replaceAsynq kills both workers of asynq, and starts others. It returns how
// many leases they left, which Leat finds first.
func (f *mortalFleet) replaceAsynq() int {
	f.Helper()
	f.kill(peer)
	left := f.expire("theirs")
	f.start(peer)
	return left
}

// replaceAll kills all, and lets asynq find what they left. It returns how many
// leases that were.
func (f *mortalFleet) replaceAll() int {
	f.Helper()
	f.kill(leat)
	f.kill(peer)
	left := f.expire("all")
	f.start(peer)
	f.eventually(soon, "asynq recovers all", func() bool {
		past := strconv.FormatInt(expired(), 10)
		return f.redis.ZCount(f.Context(), "asynq:{q}:lease", "-inf", past).Val() == 0
	})
	f.start(leat)
	return left
}

// expired is when a lease has ended that asynq and Leat may now both take away,
// and could a second ago.
func expired() int64 { return time.Now().Add(-asynqGrace - time.Second).Unix() }

// expire has leases end as if it were that late, and returns how many.
func (f *mortalFleet) expire(whose string) int {
	f.Helper()
	// What the killed have sent is answered before this is.
	f.must(f.redis.Ping(f.Context()).Err())
	left, err := expire.Run(f.Context(), f.redis, []string{"asynq:{q}:"}, expired(), whose).Int()
	f.must(err)
	return left
}

// A worker that is killed leaves tasks behind: with Leat they are run again as if
// they had not been, with asynq at the cost of a retry that counts as a failure.
// Each of these is recorded once, and so is that each task was done, which is
// what its handler has been content with at least once.
func TestAMixedFleetWhoseWorkersAreKilledRecordsEveryOutcomeOnceOnRedis(t *testing.T) {
	x := newBench(t)
	notes, err := openNotes(x.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.must(notes.Close()) })
	f := startMortalFleet(x)
	began := time.Now()
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		produce(x, fleetTasks, hardyTask)
	}()
	orphans := 0
	for n := range fleetKills {
		time.Sleep(killEvery)
		switch {
		case n == fleetKills/2:
			orphans += f.replaceAll()
		case n%2 == 0:
			f.replaceLeat()
		default:
			orphans += f.replaceAsynq()
		}
	}
	<-produced
	open := fleetTasks - x.counts("q").Completed
	x.eventually(time.Minute, "all are completed", func() bool {
		time.Sleep(50 * time.Millisecond)
		return x.counts("q").Completed == fleetTasks
	})
	t.Logf("%d tasks in %v; %d were left by killed workers, and %d open after the last kill",
		fleetTasks, time.Since(began).Round(time.Millisecond), orphans, open)
	f.kill(leat)
	f.kill(peer)
	if orphans == 0 || open == 0 {
		t.Error("the fleet was not at work when it was killed")
	}
	wantHardy(x, notes)
	x.advance("q", time.Now())
	x.wantSound()
}

// wantHardy fails the test unless each task was run to its end, and recorded as
// that and as nothing else.
func wantHardy(x *bench, notes *redis.Client) {
	x.Helper()
	begun, err1 := notes.HGetAll(x.Context(), notesBegun).Result()
	ended, err2 := notes.HGetAll(x.Context(), notesEnded).Result()
	if err1 != nil || err2 != nil {
		x.Fatal(err1, err2)
	}
	retried, charged, runs := 0, 0, 0
	for _, stored := range x.listAll("q", task.Completed) {
		n, err := strconv.Atoi(stored.ID)
		if err != nil {
			x.Fatal(err)
		}
		fails := hardyTask(n).fails
		if ended[stored.ID] == "" || stored.Retried < fails {
			x.Errorf("task %d is completed with %d retries, want at least %d; it was begun %q times and ended %q times",
				n, stored.Retried, fails, begun[stored.ID], ended[stored.ID])
		}
		times, _ := strconv.Atoi(begun[stored.ID])
		runs += times
		retried += stored.Retried
		charged += stored.Retried - fails
	}
	x.Logf("%d runs; asynq charged %d retries for kills", runs, charged)
	c := x.counts("q")
	if c.ProcessedTotal != fleetTasks+retried || c.FailedTotal != retried || c.Size() != fleetTasks {
		x.Errorf("counts = %+v, want %d processed, %d failed and %d left", c, fleetTasks+retried, retried, fleetTasks)
	}
	if charged == 0 {
		x.Error("asynq has recovered nothing")
	}
	if claims := x.redis.Keys(x.Context(), "asynq:{q}:unique:*").Val(); len(claims) > 0 {
		x.Errorf("%d claims are left, such as %s", len(claims), claims[0])
	}
}
