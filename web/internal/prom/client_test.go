package prom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/prom"
)

// start is when the ranges of tests begin.
var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// fake starts a server that answers as h says.
func fake(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, address string, o prom.Options) *prom.Client {
	t.Helper()
	c, err := prom.New(address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func chart(t *testing.T, name string) prom.Chart {
	t.Helper()
	c, ok := prom.Find(name)
	if !ok {
		t.Fatalf("there is no chart %q", name)
	}
	return c
}

func TestWhatIsAskedFor(t *testing.T) {
	var path, method string
	form := map[string]string{}
	s := fake(t, func(w http.ResponseWriter, r *http.Request) {
		path, method = r.URL.Path, r.Method
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		for key := range r.PostForm {
			form[key] = r.PostForm.Get(key)
		}
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"queue":"b"},"values":[[1793534400,"1"],[1793534410.5,"NaN"],[1793534420.25,"+Inf"],[1793534430.25,"2.5"]]},
			{"metric":{"queue":"a"},"values":[]}]}}`)
	})
	got, err := client(t, s.URL+"/below/", prom.Options{}).Range(t.Context(), chart(t, "queue_latency_seconds"), start.Add(7*time.Second), start.Add(time.Hour), []string{`a|b"`, "c.d"})
	if err != nil {
		t.Fatal(err)
	}
	want := []prom.Series{{Name: "a"}, {Name: "b", Points: []prom.Point{{At: start, Value: 1}, {At: start.Add(30250 * time.Millisecond), Value: 2.5}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Range() differs (-want +got):\n%s", diff)
	}
	which := `{queue=~"a\\|b\"|c\\.d"}`
	wantForm := map[string]string{
		"query": "max by (queue) (leat_queue_oldest_ready_seconds" + which + ") or max by (queue) (asynq_queue_latency_seconds" + which + ")",
		"start": "2026-11-01T12:00:00Z", "end": "2026-11-01T13:00:00Z", "step": "10s",
	}
	if diff := cmp.Diff(wantForm, form); diff != "" || path != "/below/api/v1/query_range" || method != "POST" {
		t.Errorf("asked at %s, which differs (-want +got):\n%s", path, diff)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	elsewhere := fake(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   prom.Kind
		says   string
	}{
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or else the end of the request is not seen
			<-r.Context().Done()
		}, prom.Slow, "in time"},
		"slow in the middle": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, `{"status":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, prom.Slow, "in time"},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			for range 40 {
				fmt.Fprint(w, strings.Repeat("x", 1<<10))
			}
		}, prom.TooLarge, "shorter range"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, prom.Redirected, "307"},
		"text":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello") }, prom.Garbled, "not understood"},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, prom.Garbled, "not understood"},
		"a list":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[1]`) }, prom.Garbled, "not understood"},
		"a half":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status":"success","data":{`) }, prom.Garbled, "not understood"},
		"a scalar": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`)
		}, prom.Garbled, "not understood"},
		"a failure": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status":"error","error":"secret"}`) }, prom.Garbled, "not understood"},
		"no number": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}}`)
		}, prom.Garbled, "not understood"},
		"half a point": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1]]}]}}`)
		}, prom.Garbled, "not understood"},
		"500":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret", 500) }, prom.Refused, "500"},
		"hang up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, prom.Unreachable, "reached"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fake(t, c.answer)
			asked := client(t, s.URL, prom.Options{MaxBytes: 32 << 10, Timeout: 300 * time.Millisecond})
			_, err := asked.Range(t.Context(), chart(t, "queue_size"), start, start.Add(time.Hour), nil)
			wantError(t, err, c.want, c.says, s)
		})
	}
}

// wantError demands that err is of a kind, and tells nobody where the server is.
func wantError(t *testing.T, err error, kind prom.Kind, says string, s *httptest.Server) {
	t.Helper()
	e, ok := errors.AsType[*prom.Error](err)
	if !ok || e.Kind != kind || !strings.Contains(err.Error(), says) {
		t.Fatalf("Range() = %v, want kind %d, which says %q", err, kind, says)
	}
	for _, private := range []string{s.Listener.Addr().String(), "127.0.0.1", "secret", "query_range"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("the error tells %q: %v", private, err)
		}
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	s := fake(t, nil)
	s.Close()
	_, err := client(t, s.URL, prom.Options{}).Range(t.Context(), chart(t, "queue_size"), start, start.Add(time.Hour), nil)
	wantError(t, err, prom.Unreachable, "reached", s)
	if e, ok := errors.AsType[*net.OpError](err); !ok {
		t.Errorf("the cause of %v is %v, want one of the network", err, e)
	}
}

func TestAQueryThatIsGivenUp(t *testing.T) {
	s := fake(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := client(t, s.URL, prom.Options{})
	errs := make(chan error)
	for range 8 { // more than are asked at once
		go func() {
			_, err := c.Range(ctx, chart(t, "queue_size"), start, start.Add(time.Hour), nil)
			errs <- err
		}()
	}
	for range 8 {
		wantError(t, <-errs, prom.Slow, "in time", s)
	}
}

func TestTheEnvironmentsProxyIsUsedOnlyIfWanted(t *testing.T) {
	var seen []string
	proxy := fake(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Host)
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
	})
	t.Setenv("HTTP_PROXY", proxy.URL)
	for _, wanted := range []bool{false, true} {
		seen = nil
		c := client(t, "http://prometheus.invalid", prom.Options{Proxy: wanted, Timeout: 2 * time.Second})
		_, err := c.Range(t.Context(), chart(t, "queue_size"), start, start.Add(time.Hour), nil)
		if used := len(seen) == 1 && seen[0] == "prometheus.invalid"; used != wanted || (err == nil) != wanted {
			t.Errorf("with Proxy %v, the proxy sees %q, and Range says %v", wanted, seen, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"http://127.0.0.1:9090": true, "https://user:secret@host/path/": true, "http://[::1]:9090": true,
		"": false, "127.0.0.1:9090": false, "localhost:9090": false, "ftp://secret": false, "http://": false, "http:///secret": false,
		"http://host?secret": false, "http://host/#secret": false, "file:///secret": false, "http://a:secret b@x": false, "unix:///secret": false,
	} {
		_, err := prom.New(address, prom.Options{})
		if (err == nil) != good || err != nil && (!errors.Is(err, task.ErrInvalid) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("New(%q) = %v, want good: %v", address, err, good)
		}
	}
}

func TestRangesThatAreNone(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", prom.Options{})
	_, backwards := c.Range(t.Context(), chart(t, "queue_size"), start, start, nil)
	_, other := c.Range(t.Context(), prom.Chart{Name: "up"}, start, start.Add(time.Hour), nil)
	if !errors.Is(backwards, task.ErrInvalid) || !errors.Is(other, task.ErrInvalid) {
		t.Errorf("Range() = %v, and of a foreign chart %v, want both refused", backwards, other)
	}
}

func TestSteps(t *testing.T) {
	const day = 24 * time.Hour
	for window, want := range map[time.Duration]time.Duration{
		time.Minute: 10 * time.Second, 6 * time.Hour: 10 * time.Second, 6*time.Hour + 1: time.Minute, day: time.Minute,
		day + 1: 3 * time.Minute, 8 * day: 3 * time.Minute, 30 * day: 10 * time.Minute, 90 * day: 43*time.Minute + 12*time.Second,
	} {
		if got := prom.Step(window); got != want {
			t.Errorf("Step(%v) = %v, want %v", window, got, want)
		}
	}
}

func TestEachChartHasANameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range prom.Charts() {
		if seen[c.Name] || c.Title == "" || c.Per == "" {
			t.Errorf("chart %+v is there twice, or has no title", c)
		}
		seen[c.Name] = true
	}
	if c, ok := prom.Find("up"); ok {
		t.Errorf("Find(up) = %v, want none", c)
	}
}
