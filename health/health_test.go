package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/health"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// known is a server of which that is known.
type known queue.Health

func (k known) Health() queue.Health { return queue.Health(k) }

var errAway = errors.New("nobody answers")

// well is a server that all is well with.
func well(change func(*queue.Health)) known {
	h := queue.Health{ID: "s1", State: "active", Beat: queue.Pulse{Last: time.Unix(9, 0)}, Sweep: queue.Pulse{Last: time.Unix(9, 0)}}
	change(&h)
	return known(h)
}

func get(h http.Handler, path string) (code int, body map[string]any) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		panic(w.Body.String())
	}
	return w.Code, body
}

func TestAProbeSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*queue.Health)
		dead    string // a part of the reason; "": it is alive
		unready string
	}{
		"all is well":                 {func(*queue.Health) {}, "", ""},
		"it was not started":          {func(h *queue.Health) { *h = queue.Health{State: "new"} }, "", "was not started"},
		"no beat was answered yet":    {func(h *queue.Health) { h.Beat.Last = time.Time{} }, "", "has not answered yet"},
		"none was, for a reason":      {func(h *queue.Health) { h.Beat = queue.Pulse{Failed: 1, Err: errAway} }, "", "yet: nobody answers"},
		"two beats have failed":       {func(h *queue.Health) { h.Beat.Failed = 2 }, "", ""},
		"three beats have failed":     {func(h *queue.Health) { h.Beat.Failed, h.Beat.Err = 3, errAway }, "", "3 heartbeats in a row have failed: nobody answers"},
		"the beat is overdue":         {func(h *queue.Health) { h.Beat.Silent = 29 * time.Second }, "", ""},
		"the beat hangs":              {func(h *queue.Health) { h.Beat.Silent = 31 * time.Second }, "heartbeat hangs", "heartbeat hangs"},
		"the sweeper is overdue":      {func(h *queue.Health) { h.Sweep.Lag = 29 * time.Second }, "", ""},
		"the sweeper does not sweep":  {func(h *queue.Health) { h.Sweep.Lag, h.Sweep.Err = time.Minute, errAway }, "", "1m0s ago, and was not: nobody answers"},
		"the sweeper hangs":           {func(h *queue.Health) { h.Sweep.Lag, h.Sweep.Silent = 40*time.Second, 30*time.Second }, "sweeper hangs", "was not"},
		"it was stopped":              {func(h *queue.Health) { h.State = "stopped" }, "", "it is stopped"},
		"it drains":                   {func(h *queue.Health) { h.State = "draining" }, "", "it is draining"},
		"it has ended":                {func(h *queue.Health) { h.State, h.Sweep.Lag = "closed", time.Hour }, "has ended", "it is closed"},
		"the beat hangs as it drains": {func(h *queue.Health) { h.State, h.Beat.Silent = "draining", time.Hour }, "heartbeat hangs", "it is draining"},
	} {
		t.Run(name, func(t *testing.T) {
			h := health.Handler(well(c.change))
			for path, want := range map[string]string{"/livez": c.dead, "/readyz": c.unready} {
				code, body := get(h, path)
				reasons, _ := json.Marshal(body["reasons"])
				switch {
				case want == "" && (code != 200 || body["ok"] != true || string(reasons) != "[]"):
					t.Errorf("%s: %d, reasons %s, want 200 and none", path, code, reasons)
				case want != "" && (code != 503 || body["ok"] != false || !strings.Contains(string(reasons), want)):
					t.Errorf("%s: %d, reasons %s, want 503 and %q", path, code, reasons, want)
				}
			}
		})
	}
}

func TestAProcessIsReadyIfAllItsServersAre(t *testing.T) {
	bad := well(func(h *queue.Health) { h.ID, h.State = "s2", "stopped" })
	code, body := get(health.Handler(well(func(*queue.Health) {}), bad), "/readyz")
	if reasons := body["reasons"].([]any); code != 503 || len(reasons) != 1 || reasons[0] != "server s2: it takes no tasks: it is stopped" || len(body["servers"].([]any)) != 2 {
		t.Errorf("%d: %v, want 503 because of the second", code, body)
	}
}

func TestLimitsAreTheUsers(t *testing.T) {
	s := well(func(h *queue.Health) {
		h.Beat.Failed, h.Sweep.Lag, h.Sweep.Silent = 5, 2*time.Second, 2*time.Second
	})
	lenient := health.Limits{FailedBeats: 6, SweepLag: 3 * time.Second, Silence: 3 * time.Second}
	strict := health.Limits{FailedBeats: 5, SweepLag: 2 * time.Second, Silence: 2 * time.Second}
	for path, reasons := range map[string]int{"/livez": 1, "/readyz": 2} {
		if code, body := get(lenient.Handler(s), path); code != 200 {
			t.Errorf("%s with lenient limits: %d %v, want 200", path, code, body)
		}
		if code, body := get(strict.Handler(s), path); code != 503 || len(body["reasons"].([]any)) != reasons {
			t.Errorf("%s with strict limits: %d %v, want 503 for %d reasons", path, code, body, reasons)
		}
	}
}

func TestOnlyGetIsAnswered(t *testing.T) {
	w := httptest.NewRecorder()
	health.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/livez", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405", w.Code)
	}
}

// A moody broker answers, or hangs whatever its caller's context says.
type moody struct {
	broker.Broker
	hangs atomic.Bool
}

func (m *moody) wait() {
	for m.hangs.Load() {
		time.Sleep(time.Second)
	}
}

func (m *moody) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	m.wait()
	return m.Broker.Beat(ctx, now, s)
}

func (m *moody) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	m.wait()
	return m.Broker.Advance(ctx, now, r)
}

// A server is ready from its first heartbeat until it drains, and no probe waits for a
// storage that hangs.
func TestAServersLifeAsProbesSeeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moody{Broker: brokertest.NewModel()}
		m.hangs.Store(true)
		srv, err := queue.NewServer(m, queue.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		h := health.Handler(srv)
		want := func(when string, live, ready int) {
			t.Helper()
			synctest.Wait()
			asked := time.Now()
			l, _ := get(h, "/livez")
			r, body := get(h, "/readyz")
			if l != live || r != ready || time.Since(asked) != 0 {
				t.Errorf("%s: alive %d, ready %d (%v) after %v; want %d and %d at once", when, l, r, body["reasons"], time.Since(asked), live, ready)
			}
		}
		want("before it starts", 200, 503)
		if err := srv.Start(task.HandlerFunc(func(context.Context, *task.Task) error { time.Sleep(3 * time.Second); return nil })); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		want("before the first heartbeat", 200, 503)
		m.hangs.Store(false)
		time.Sleep(2 * time.Second)
		want("after it", 200, 200)
		m.hangs.Store(true)
		time.Sleep(20 * time.Second)
		want("while the storage hangs", 200, 200)
		time.Sleep(time.Minute)
		want("when it hangs for long", 503, 503)
		m.hangs.Store(false)
		time.Sleep(6 * time.Second)
		want("when it answers again", 200, 200)
		if _, err := queue.NewClient(m).Enqueue(t.Context(), task.New("a", nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		ended := make(chan error)
		go func() { ended <- srv.Shutdown(t.Context()) }()
		want("while it drains", 200, 503)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want("after it has ended", 503, 503)
	})
}

func TestScaleTellsWhatThereIsToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		for range 3 {
			if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("a", nil), task.Queue("mail")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(1500 * time.Millisecond)
		h := health.Scale(queue.NewInspector(b), "mail", "other")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/scale", nil))
		want := `{"all":{"ready":3,"active":0,"oldest_ready_seconds":1.5,"slots":0,"work_per_slot":3},` +
			`"queues":{"mail":{"ready":3,"active":0,"oldest_ready_seconds":1.5,"slots":0,"work_per_slot":3},` +
			`"other":{"ready":0,"active":0,"oldest_ready_seconds":0,"slots":0,"work_per_slot":0}}}` + "\n"
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%d %s\nwant 200 %s", w.Code, w.Body, want)
		}
	})
}

// A fussy broker cannot read the queue bad, or nothing at all.
type fussy struct {
	broker.Broker
	calls int
	away  bool
}

func (f *fussy) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	f.calls++
	if f.away || slices.Contains(queues, "bad") {
		return nil, errAway
	}
	return f.Broker.Counts(ctx, now, queues...)
}

func (f *fussy) Queues(ctx context.Context) ([]string, error) {
	if f.away {
		return nil, errAway
	}
	return f.Broker.Queues(ctx)
}

func TestScaleTellsWhatItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fussy{Broker: brokertest.NewModel()}
		h := health.Scale(queue.NewInspector(f), "good", "bad")
		code, body := get(h, "/scale")
		if queues := body["queues"].(map[string]any); code != 200 || body["all"] != nil || len(queues) != 1 || body["errors"].(map[string]any)["bad"] != "figures: nobody answers" {
			t.Errorf("%d %v, want the good one, why not the bad one, and nothing about all", code, body)
		}
		before := f.calls
		get(h, "/scale")
		if f.calls != before {
			t.Error("the storage was asked twice within a second")
		}
		f.away = true
		time.Sleep(time.Second)
		if code, body := get(h, "/scale"); code != 503 || body["queues"] != nil || body["errors"] == nil {
			t.Errorf("%d %v, want 503 and why", code, body)
		}
	})
}

func (m *moody) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	m.wait()
	return m.Broker.Counts(ctx, now, queues...)
}

func TestScaleEndsAlthoughTheStorageHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moody{Broker: brokertest.NewModel()}
		m.hangs.Store(true)
		h := health.Scale(queue.NewInspector(m))
		for range 3 {
			began := time.Now()
			code, body := get(h, "/scale")
			if took := time.Since(began); code != 503 || body["errors"] == nil || took != 5*time.Second {
				t.Errorf("%d %v after %v, want 503 and why after 5s", code, body, took)
			}
		}
		m.hangs.Store(false)
		time.Sleep(3 * time.Second)
		if code, body := get(h, "/scale"); code != 200 {
			t.Errorf("%d %v, want 200 once the storage answers", code, body)
		}
	})
}

// The figure to look at is p99-ns: what the slowest of a hundred probes takes.
func BenchmarkReadyz(b *testing.B) {
	srv, err := queue.NewServer(brokertest.NewModel(), queue.Config{})
	if err != nil {
		b.Fatal(err)
	}
	h := health.Handler(srv)
	var took []time.Duration
	for b.Loop() {
		asked := time.Now()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/readyz", nil))
		took = append(took, time.Since(asked))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}
