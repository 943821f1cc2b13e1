package examples

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
)

func TestQuickstartOnSQLite(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "quickstart.db")
	enqueue(t, url)
	w := startWorker(t, url)
	w.stop(t)
}

// An enqueued is what the client has enqueued, and when.
type enqueued struct {
	welcome, reminder string // ids
	from, to          time.Time
}

var said = regexp.MustCompile(`^enqueued email:welcome (\S+), pending\nenqueued email:reminder (\S+), scheduled for (.*)\n$`)

// enqueue runs the client.
func enqueue(t *testing.T, url string) enqueued {
	t.Helper()
	e := enqueued{from: time.Now()}
	got := run(t, "quickstart/client", "-broker", url)
	e.to = time.Now()
	m := said.FindStringSubmatch(got.stdout)
	if got.code != 0 || m == nil {
		t.Fatalf("client: exit status %d, %q, %s", got.code, got.stdout, got.stderr)
	}
	e.welcome, e.reminder = m[1], m[2]
	due, err := time.ParseInLocation(time.DateTime, m[3], time.Local)
	if tomorrow := e.from.AddDate(0, 0, 1); err != nil || due.Sub(tomorrow).Abs() > 2*time.Hour { // clocks may change
		t.Errorf("the client says that the reminder goes out at %s, want about %v", m[3], tomorrow)
	}
	return e
}

// A worker is the running worker program.
type worker struct {
	*process
	started time.Time // not later than this
}

// startWorker starts the worker, and waits until it has sent the welcome mail.
func startWorker(t *testing.T, url string) worker {
	t.Helper()
	w := worker{started: time.Now(), process: start(t, "quickstart/worker", "-broker", url)}
	const want = "send a welcome mail to user 42\n"
	eventually(t, "the worker has sent the welcome mail", func() bool { return w.stdout.String() != "" })
	if got := w.stdout.String(); got != want {
		t.Errorf("the worker has done %q, want %q", got, want)
	}
	return w
}

// stop ends the worker with SIGTERM.
func (w worker) stop(t *testing.T) {
	t.Helper()
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := w.end(t); got.code != 0 {
		t.Errorf("the worker after SIGTERM: exit status %d, want 0; it said %s", got.code, got.stderr)
	}
}

// On Redis, the client and the worker leave what the first programs that were
// ever written for this storage left, byte for byte, and what is ours beside it.
func TestQuickstartOnRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{}) // of its own: the keys have the common prefix
	r := inspect(t, s.Addr)
	var e enqueued
	t.Run("the client leaves five keys in redis", func(t *testing.T) {
		e = enqueue(t, s.URL())
		r.wantKeys(t, map[string]string{
			"asynq:queues":                    "set",
			"asynq:{default}:pending":         "list",
			"asynq:{default}:scheduled":       "zset",
			"asynq:{default}:t:" + e.welcome:  "hash",
			"asynq:{default}:t:" + e.reminder: "hash",
		})
		r.wantTasks(t, e)
	})
	w := startWorker(t, s.URL())
	t.Run("the worker shows itself in redis", func(t *testing.T) { r.wantServer(t, w) })
	t.Run("the worker leaves redis in order", func(t *testing.T) {
		w.stop(t)
		today := time.Now().UTC().Format(time.DateOnly)
		r.wantKeys(t, map[string]string{
			"asynq:queues":                       "set",
			"asynq:{default}:scheduled":          "zset",
			"asynq:{default}:t:" + e.reminder:    "hash",
			"asynq:{default}:processed":          "string",
			"asynq:{default}:processed:" + today: "string",
		})
	})
}

// An inspector looks at the bytes in Redis.
type inspector struct{ *redis.Client }

func inspect(t *testing.T, address string) inspector {
	c := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { c.Close() })
	return inspector{c}
}

// wantKeys demands that there are exactly these keys, of these types, without an
// expiry unless a date says until when they count. Keys of ours go by "leat:".
func (r inspector) wantKeys(t *testing.T, want map[string]string) {
	t.Helper()
	names, err := r.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, name := range names {
		if strings.Contains(name, "leat:") {
			continue
		}
		got[name] = r.Type(t.Context(), name).Val()
		if ttl := r.TTL(t.Context(), name).Val(); ttl >= 0 && !strings.Contains(name, ":processed:") {
			t.Errorf("%s expires in %v, want never", name, ttl)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys and their types (-want +got):\n%s", diff)
	}
}

// wantTasks demands that the client's five keys hold what they should.
func (r inspector) wantTasks(t *testing.T, e enqueued) {
	t.Helper()
	ctx := t.Context()
	if got := r.SMembers(ctx, "asynq:queues").Val(); !cmp.Equal(got, []string{"default"}) {
		t.Errorf("asynq:queues holds %q, want default", got)
	}
	if got := r.LRange(ctx, "asynq:{default}:pending", 0, -1).Val(); !cmp.Equal(got, []string{e.welcome}) {
		t.Errorf("pending holds %q, want %s", got, e.welcome)
	}
	welcome := r.HGetAll(ctx, "asynq:{default}:t:"+e.welcome).Val()
	since, err := strconv.ParseInt(welcome["pending_since"], 10, 64)
	if err != nil {
		t.Error(err)
	}
	wantBetween(t, "pending_since", time.Unix(0, since), e.from.Add(-time.Second), e.to.Add(time.Second))
	if diff := cmp.Diff(map[string]string{
		"msg":           fmt.Sprintf("\n\remail:welcome\x12\x0e{\"user_id\":42}\x1a$%s\"\adefault(\x19@\x88\x0e", e.welcome),
		"state":         "pending",
		"pending_since": fmt.Sprint(since),
	}, welcome); diff != "" {
		t.Errorf("the welcome mail (-want +got):\n%s", diff)
	}

	scheduled := r.ZRangeWithScores(ctx, "asynq:{default}:scheduled", 0, -1).Val()
	if len(scheduled) != 1 || scheduled[0].Member != e.reminder {
		t.Fatalf("scheduled holds %v, want %s", scheduled, e.reminder)
	}
	due := time.Unix(int64(scheduled[0].Score), 0)
	wantBetween(t, "the reminder's score", due, broker.CeilSecond(e.from.Add(24*time.Hour)), broker.CeilSecond(e.to.Add(24*time.Hour)))
	if diff := cmp.Diff(map[string]string{
		"msg":   fmt.Sprintf("\n\x0eemail:reminder\x12\x0e{\"user_id\":42}\x1a$%s\"\adefault(\x19@\x88\x0e", e.reminder),
		"state": "scheduled",
	}, r.HGetAll(ctx, "asynq:{default}:t:"+e.reminder).Val()); diff != "" {
		t.Errorf("the reminder (-want +got):\n%s", diff)
	}
}

func wantBetween(t *testing.T, what string, got, from, to time.Time) {
	t.Helper()
	if got.Before(from) || got.After(to) {
		t.Errorf("%s is %v, want from %v to %v", what, got, from, to)
	}
}

// wantServer demands that the worker has put down its record as the first worker
// program did.
func (r inspector) wantServer(t *testing.T, w worker) {
	t.Helper()
	ctx := t.Context()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	eventually(t, "the worker has put down its record", func() bool {
		names = r.ZRange(ctx, "asynq:servers", 0, -1).Val()
		return len(names) > 0
	})
	begin, id := fmt.Sprintf("asynq:servers:{%s:%d:", host, w.Process.Pid), ""
	if len(names) == 1 {
		id = strings.TrimSuffix(strings.TrimPrefix(names[0], begin), "}")
	}
	if len(id) != 36 || names[0] != begin+id+"}" {
		t.Fatalf("asynq:servers holds %q, want %s and a UUID}", names, begin)
	}
	workers := "asynq:workers:" + strings.TrimPrefix(names[0], "asynq:servers:")
	if got := r.ZRange(ctx, "asynq:workers", 0, -1).Val(); !cmp.Equal(got, []string{workers}) {
		t.Errorf("asynq:workers holds %q, want %s", got, workers)
	}
	for _, set := range []string{"asynq:servers", "asynq:workers"} {
		until := time.Unix(int64(r.ZRangeWithScores(ctx, set, 0, -1).Val()[0].Score), 0)
		wantBetween(t, "the score in "+set, until, w.started.Truncate(time.Second).Add(broker.ServerTTL), time.Now().Add(broker.ServerTTL+time.Second))
	}
	if ttl := r.TTL(ctx, names[0]).Val(); ttl <= 0 || ttl > broker.ServerTTL {
		t.Errorf("%s expires in %v, want within %v", names[0], ttl, broker.ServerTTL)
	}
	wantRecord(t, func() []byte { return []byte(r.Get(ctx, names[0]).Val()) }, broker.Server{
		ID: id, Host: host, PID: w.Process.Pid, Concurrency: 10,
		Queues: map[string]int{"default": 1}, Status: "active",
	}, w.started)
}

// wantRecord demands that read returns, once the worker is idle, the record of
// want, to the byte, and that the worker started since.
func wantRecord(t *testing.T, read func() []byte, want broker.Server, since time.Time) {
	t.Helper()
	eventually(t, "the worker's record is that of an idle worker", func() bool {
		got := read()
		s, err := wire.DecodeServer(got)
		if err != nil {
			t.Fatalf("%v: %q", err, got)
		}
		wantBetween(t, "the worker's start", s.Started, since, time.Now())
		want.Started = s.Started
		if diff := cmp.Diff(want, s); diff != "" {
			t.Fatalf("the worker's record (-want +got):\n%s", diff)
		}
		idle, err := wire.EncodeServer(want)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Equal(got, idle)
	})
}
