package examples

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/freeport"
)

func TestTheDashboardIsMountedBehindAPassword(t *testing.T) {
	address := freeport.Address(t)
	const password = "a-password-of-a-test"
	p := start(t, "dashboard", "-listen", address, "-password", password)
	get := func(path, user string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body)
	}
	until := time.Now().Add(time.Minute)
	for status, _ := get("/", ""); status != http.StatusOK; status, _ = get("/", "") {
		if time.Now().After(until) {
			t.Fatal("the program does not answer")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if status, body := get("/", ""); status != http.StatusOK || !strings.Contains(body, "the shop's own") {
		t.Errorf("GET /: %d %s", status, body)
	}
	if status, _ := get("/ops/", ""); status != http.StatusUnauthorized {
		t.Errorf("GET /ops/ as nobody: %d", status)
	}
	if status, _ := get("/ops/", "eve"); status != http.StatusUnauthorized {
		t.Errorf("GET /ops/ as eve: %d", status)
	}
	if status, body := get("/ops/", "ada"); status != http.StatusOK || !strings.Contains(body, "Overview") {
		t.Errorf("GET /ops/ as ada: %d %.300s", status, body)
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if e := p.end(t); e.code != 0 {
		t.Errorf("interrupted, it ends with %d: %s", e.code, e.stderr)
	}
}
