package deed_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/web/internal/deed"
)

// pages is a log that several write.
type pages struct {
	mu sync.Mutex
	bytes.Buffer
}

func (p *pages) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Buffer.Write(b)
}

func (p *pages) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.String()
}

// TestWhatTheStorageSaysIsOnlyLogged has a storage fail that says where it is.
func TestWhatTheStorageSaysIsOnlyLogged(t *testing.T) {
	const where = "10.11.12.13"
	inWorlds(t, func(w *world) {
		w.fill("mail", 12)
		var fails atomic.Bool
		log := &pages{}
		faulty := newWorld(w.T, brokertest.Faulty(w.b, func(_ int, method string) (f brokertest.Fault) {
			if fails.Load() && (method == "Apply" || method == "Sweep" || method == "Pause") {
				f.Before = &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(where), Port: 6379}, Err: errors.New("refused")}
			}
			return f
		}))
		faulty.d.Logger = slog.New(slog.NewTextHandler(log, nil))
		fails.Store(true)
		seen := func(what string, v any) {
			t.Helper()
			b, err := json.Marshal(v)
			w.need(err)
			if text := string(b); strings.Contains(text, where) || !strings.Contains(text, "the storage ") {
				w.Errorf("%s tells %s", what, text)
			}
		}
		pause := w.find(deed.Queue, "pause")
		if _, err := faulty.d.Do(w.Context(), admin, pause, deed.Target{Queue: "mail"}, nil); err == nil {
			w.Error("what the storage did not do is said to be done")
		}
		seen("the audit log of one", faulty.last())
		results, err := faulty.d.Many(w.Context(), admin, pause, []deed.Target{{Queue: "mail"}, {Queue: "other"}}, nil)
		w.need(err)
		seen("what came of several", results)
		seen("the audit log of several", faulty.last())
		for _, b := range []deed.Bulk{{Kind: deed.Queue, Deed: "pause"}, {Kind: deed.Task, Deed: "archive", Query: "queue:mail"}} {
			id, err := faulty.d.Begin(w.Context(), admin, b)
			w.need(err)
			end := faulty.ended(id)
			if b.Kind == deed.Task && end.State != deed.Broken || b.Kind == deed.Queue && end.Failed == 0 {
				w.Errorf("the bulk has ended as %+v", end)
			}
			seen("a bulk", end)
			faulty.await("its end is told", func() bool { return faulty.last().Args["bulk"] == "ended" && faulty.last().Kind == string(b.Kind) })
			if b.Kind == deed.Task {
				seen("the audit log of a bulk", faulty.last())
			}
		}
		if got := strings.Count(log.text(), where); got < 4 {
			w.Errorf("the log tells %d times where the storage is, want it of two results, a failure and a bulk: %s", got, log.text())
		}
	})
}

// TestWhatIsWrongWithWhatIsAskedForIsTold is the other side of it.
func TestWhatIsWrongWithWhatIsAskedForIsTold(t *testing.T) {
	inWorlds(t, func(w *world) {
		results, err := w.d.Many(w.Context(), admin, w.find(deed.Task, "archive"), []deed.Target{{Queue: "mail", ID: "none"}}, nil)
		w.need(err)
		if why := results[0].Why(); !strings.Contains(why, "not found") || !strings.Contains(w.last().Err, "not found") {
			w.Errorf("of a task that there is not is told %q, and recorded %q", why, w.last().Err)
		}
		at := time.Now().Add(-time.Hour).Format(time.RFC1123)
		if _, err := w.d.Do(w.Context(), admin, w.find(deed.Task, "reschedule"), deed.Target{Queue: "mail", ID: "a"}, map[string]string{"at": at}); err == nil || !strings.Contains(w.last().Err, "is no time") {
			w.Errorf("of a time that is none is told %v, and recorded %q", err, w.last().Err)
		}
	})
}
