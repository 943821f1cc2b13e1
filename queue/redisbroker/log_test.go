package redisbroker

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
)

func TestWhatTheClientPrintsIsForDebugging(t *testing.T) {
	before, flags := slog.Default(), log.Flags()
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr) // SetDefault has led it to the buffer
		log.SetFlags(flags)
	}()
	b := opened(t, Options{})
	for level, want := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		var buffer bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&buffer, &slog.HandlerOptions{Level: level})))
		speak(t, b.client)
		if got := strings.Contains(buffer.String(), "go-redis says"); got != want {
			t.Errorf("at level %s the log has the line: %t, want %t\n%s", level, got, want, &buffer)
		}
	}
}

func TestAProgramsOwnLoggerOfTheClientStays(t *testing.T) {
	kept := new(counter)
	redis.SetLogger(kept)
	defer redis.SetLogger(clientLog{})
	b := opened(t, Options{})
	speak(t, b.client)
	if got := kept.Load(); got != 1 {
		t.Errorf("the program's logger got %d lines, want 1", got)
	}
}

// A counter counts the lines that speak has a client print.
type counter struct{ atomic.Int64 }

func (n *counter) Printf(_ context.Context, format string, _ ...any) {
	if strings.Contains(format, "duration") {
		n.Add(1)
	}
}

// opened opens a world of its own on the shared server.
func opened(t *testing.T, o Options) *world {
	t.Helper()
	o.Prefix = redistest.Prefix()
	b, err := Open(redistest.Shared(t).SocketURL(), &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return b.storage.(*world)
}

// speak has c print a line: it does, of a duration that it rounds.
func speak(t *testing.T, c redis.UniversalClient) {
	if err := c.PExpire(t.Context(), "no such key", time.Microsecond).Err(); err != nil {
		t.Fatal(err)
	}
}
