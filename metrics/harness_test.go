package metrics_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// quiet is a logger that says nothing.
var quiet = slog.New(slog.DiscardHandler)

func newMetrics(t testing.TB, cfg metrics.Config) *metrics.Metrics {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	m, err := metrics.New(cfg)
	if err != nil {
		t.Fatalf("New() = %v, want nil", err)
	}
	return m
}

// handlerOf returns what Prometheus scrapes.
func handlerOf(t testing.TB, m *metrics.Metrics) http.Handler {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(m); err != nil {
		t.Fatalf("Register() = %v, want nil", err)
	}
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// scrape returns an exposition of m.
func scrape(t testing.TB, m *metrics.Metrics) string {
	t.Helper()
	return read(t, handlerOf(t, m))
}

func read(t testing.TB, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// enqueue enqueues a task of type t.
func enqueue(t testing.TB, b broker.Broker, queueName string, options ...task.Option) {
	t.Helper()
	_, err := queue.NewClient(b).Enqueue(t.Context(), task.New("t", []byte("secret payload")), append(options, task.Queue(queueName))...)
	if err != nil {
		t.Fatalf("Enqueue() = %v, want nil", err)
	}
}

// serve starts a server on b until the test ends.
func serve(t testing.TB, b broker.Broker, cfg queue.Config, h task.Handler) *queue.Server {
	t.Helper()
	cfg.Logger = quiet
	srv, err := queue.NewServer(b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	})
	return srv
}
