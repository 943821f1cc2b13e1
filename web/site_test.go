package web_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// storages are the kinds of storage that a dashboard is looked at with.
var storages = map[string]func(*testing.T) broker.Broker{"Redis": onRedis, "SQLite": onSQLite}

// onEach runs a test with an empty storage of each kind.
func onEach(t *testing.T, test func(*testing.T, broker.Broker)) {
	t.Helper()
	for kind, open := range storages {
		t.Run(kind, func(t *testing.T) { test(t, open(t)) })
	}
}

func onRedis(t *testing.T) broker.Broker {
	t.Helper()
	b, err := redisbroker.Open(redistest.Start(t, redistest.Options{}).URL(), nil)
	return opened(t, b, err)
}

func onSQLite(t *testing.T) broker.Broker {
	t.Helper()
	b, err := sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	return opened(t, b, err)
}

func opened(t *testing.T, b broker.Broker, err error) broker.Broker {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// stocked fills a storage as one that has been in use for a while, with so many tasks and a
// server at work.
func stocked(t *testing.T, b broker.Broker, tasks int) broker.Broker {
	t.Helper()
	if err := stock.Fill(t.Context(), b, tasks, time.Now()); err != nil {
		t.Fatal(err)
	}
	stop, err := stock.Serve(context.WithoutCancel(t.Context()), b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// A site is a dashboard that is served.
type site struct {
	*testing.T
	b      broker.Broker
	server *httptest.Server
}

// serve serves a dashboard of a storage until the test ends.
func serve(t *testing.T, b broker.Broker, cfg web.Config) *site {
	t.Helper()
	cfg.Broker = b
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, b: b, server: httptest.NewServer(h)}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		s.down()
	})
	return s
}

// down ends the server.
func (s *site) down() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// look opens a page of the dashboard.
func (s *site) look(path string, o browsertest.Options) *browsertest.Page {
	s.Helper()
	p := browsertest.New(s, s.server.URL, o)
	if status := p.Open(path); status != 200 {
		s.Errorf("%s is answered with %d", path, status)
	}
	return p
}

// enqueue puts a task into a queue.
func (s *site) enqueue(typ, payload string, options ...task.Option) {
	s.Helper()
	if _, err := queue.NewClient(s.b).Enqueue(s.Context(), task.New(typ, []byte(payload)), options...); err != nil {
		s.Fatal(err)
	}
}

// run has a server run what is in the default queue until holds.
func (s *site) run(mux *task.Mux, holds func() bool) {
	s.Helper()
	server, err := queue.NewServer(s.b, queue.Config{Concurrency: 4, RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Millisecond }, Queues: map[string]int{"default": 1}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.Fatal(err)
	}
	if err := server.Start(mux); err != nil {
		s.Fatal(err)
	}
	await(s.T, "tasks to be run", func(struct{}) bool { return holds() }, struct{}{})
	if err := server.Shutdown(context.WithoutCancel(s.Context())); err != nil {
		s.Error(err)
	}
}
