package web_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/web"
)

func TestNothingIsReadAnewForSettings(t *testing.T) {
	var calls atomic.Int64
	b := brokertest.Faulty(onSQLite(t), func(int, string) brokertest.Fault { calls.Add(1); return brokertest.Fault{} })
	h, err := web.New(web.Config{Broker: b, Refresh: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer h.Close()
	defer s.Close()
	cost := func() int64 {
		before := calls.Load()
		if status, body, _ := fetch(t, http.MethodGet, s.URL+"/servers"); status != http.StatusOK {
			t.Fatalf("GET /servers = %d %.200s", status, body)
		}
		return calls.Load() - before
	}
	cost()
	known := cost()
	for _, path := range []string{"/settings", "/settings/columns"} {
		if status, body, _ := fetch(t, http.MethodPost, s.URL+path); status >= http.StatusBadRequest {
			t.Fatalf("POST %s = %d %.200s", path, status, body)
		}
	}
	if again := cost(); again != known {
		t.Errorf("what was read with %d calls is read with %d after somebody's settings were saved", known, again)
	}
}
