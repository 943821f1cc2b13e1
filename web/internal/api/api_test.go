package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/api"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/storage"
)

// eachBroker runs f with each kind of storage, which is empty.
func eachBroker(t *testing.T, f func(t *testing.T, b broker.Broker)) {
	for name, open := range map[string]func(t *testing.T) (broker.Broker, error){
		"sqlite": func(t *testing.T) (broker.Broker, error) { return sqlitebroker.Open(t.TempDir()+"/leat.db", nil) },
		"redis": func(t *testing.T) (broker.Broker, error) {
			return redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = b.Close() })
			f(t, b)
		})
	}
}

// A client asks an API as somebody.
type client struct {
	t       *testing.T
	handler http.Handler
	role    access.Role
}

func configOf(b broker.Broker) api.Config {
	s := storage.New(b, time.Millisecond)
	return api.Config{Storage: s, Doer: &deed.Doer{Storage: s}, Audit: audit.New(b, slog.New(slog.DiscardHandler))}
}

func clientOf(t *testing.T, c api.Config) client {
	t.Cleanup(c.Doer.Close)
	return client{t, api.New(c), access.Admin}
}

// An answer is what came of a request.
type answer struct {
	*httptest.ResponseRecorder
	value any // of JSON
}

// do sends a request. In header, names and values take turns.
func (c client) do(method, address, body string, header ...string) answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	r := httptest.NewRequestWithContext(access.With(ctx, access.Identity{Name: "ann", Role: c.role}), method, api.Prefix+address, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	c.handler.ServeHTTP(a, r)
	if strings.HasSuffix(a.Header().Get("Content-Type"), "json") && method != http.MethodHead {
		text := a.Body.Bytes()
		if a.Header().Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(text))
			if err != nil {
				c.t.Fatal(err)
			}
			if text, err = io.ReadAll(z); err != nil {
				c.t.Fatal(err)
			}
		}
		if err := json.Unmarshal(text, &a.value); err != nil {
			c.t.Fatalf("%s %s answers with %s, which is no JSON: %v", method, address, text, err)
		}
	}
	return a
}

// get reads an address, which has to answer.
func (c client) get(address string, query ...string) answer {
	c.t.Helper()
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	if len(v) > 0 {
		address += "?" + v.Encode()
	}
	a := c.do(http.MethodGet, address, "")
	if a.Code != http.StatusOK {
		c.t.Fatalf("%s answers with %d: %s", address, a.Code, a.Body)
	}
	return a
}

// at returns what is at a path of an answer: "items.0.id".
func (a answer) at(path string) any {
	v := a.value
	for _, name := range strings.Split(path, ".") {
		switch is := v.(type) {
		case map[string]any:
			v = is[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(is) {
				return nil
			}
			v = is[i]
		default:
			return nil
		}
	}
	return v
}

// textAt returns what is at a path as text.
func (a answer) textAt(path string) string {
	text, _ := a.at(path).(string)
	return text
}

// items returns how many items an answer has.
func (a answer) items() int {
	items, _ := a.at("items").([]any)
	return len(items)
}

// stocked fills b, and has a server at work, which stop ends.
func stocked(t *testing.T, b broker.Broker) (stop func()) {
	t.Helper()
	if err := stock.Fill(t.Context(), b, 1000, time.Now()); err != nil {
		t.Fatal(err)
	}
	complete(t, b, "sums", "sum-1", []byte(`{"a":1,"b":2}`), []byte{0xff, 3})
	end, err := stock.Serve(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// complete has a task of that payload completed with a result, which is kept.
func complete(t *testing.T, b broker.Broker, queue, id string, payload, result []byte) {
	t.Helper()
	now := time.Now()
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Type: "sum", Payload: payload, Retention: time.Hour, Headers: map[string]string{"tenant": "acme"}}
	begun, err := b.Apply(t.Context(), now, []broker.Change{{Enqueue: []broker.Entry{e}}}, broker.LeaseRequest{Queues: []broker.Share{{Queue: queue}}, Max: 1, Until: now.Add(time.Hour)})
	if err = errors.Join(append(begun.Outcomes, err)...); err != nil || len(begun.Leases) != 1 {
		t.Fatalf("%d leases, %v", len(begun.Leases), err)
	}
	l := begun.Leases[0]
	l.Entry.CompletedAt = now
	ended, err := b.Apply(t.Context(), now, []broker.Change{{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Completed, At: now.Add(time.Hour), Result: result}}}}, broker.LeaseRequest{})
	if err = errors.Join(append(ended.Outcomes, err)...); err != nil {
		t.Fatal(err)
	}
}
