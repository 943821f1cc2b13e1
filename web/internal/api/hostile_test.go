package api_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/api"
)

// odd are values that nobody means.
var odd = []any{
	"", "x", "..", "a/../b", "{", "}", "a}b{c", "\x00", "\r\nX: y", "'; DROP TABLE entries; --", "../../etc/passwd", "<script>", "é\u202e", "\xff",
	strings.Repeat("x", 300), strings.Repeat("x", 5000), "-1", "0", "1e9", "999999999999999999999", "null", "eyJrIjoiYSJ9", "e30", "leat~audit", "a~b",
	"2026-11-30", "9999-12-31T23:59:59Z", "-1h", "9999999h", "state:retry", `"`, "payload.a.b>", "queue:*", nil, true, -1, 1.5, 1e300, []any{}, []any{"x", 1, nil}, map[string]any{}, map[string]any{"queue": 1},
}

// TestNothingThatIsSentBreaksIt sends what nobody means to every route: whoever sent it is
// to blame, or it is done.
func TestNothingThatIsSentBreaksIt(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		random := rand.New(rand.NewPCG(seed, 0))
		enqueued(t, b, "mail", 3)
		complete(t, b, "sums", "sum-1", []byte(`{"a":1}`), []byte("3"))
		c := clientOf(t, configOf(b))
		value := func(name string) any {
			known := map[string]any{"queue": "mail", "id": "sum-1", "name": "mail", "kind": "task", "deed": "archive", "query": "state:pending"}
			if v, is := known[name]; is && random.IntN(2) == 0 {
				return v
			}
			return odd[random.IntN(len(odd))]
		}
		codes := map[int]int{}
		for _, r := range api.Routes() {
			names := strings.FieldsFunc(strings.ReplaceAll(r.Takes, "*", ""), func(c rune) bool { return strings.ContainsRune("`, ", c) })
			for range 40 {
				address, body := r.Path, ""
				if r.Method == http.MethodPost {
					fields := map[string]any{}
					for _, name := range names {
						if random.IntN(3) > 0 {
							fields[name] = value(name)
						}
					}
					text, err := json.Marshal(fields)
					if err != nil {
						t.Fatal(err)
					}
					body = string(text)
				} else {
					query := url.Values{}
					for _, name := range names {
						if text, ok := value(name).(string); ok && random.IntN(3) > 0 {
							query.Set(name, text)
						}
					}
					address += "?" + query.Encode()
				}
				a := c.do(r.Method, address, body)
				if codes[a.Code]++; a.Code >= http.StatusInternalServerError && a.Code != http.StatusNotImplemented {
					t.Errorf("%s %.200s with %.300s answers with %d: %.300s", r.Method, address, body, a.Code, a.Body)
				}
			}
		}
		if codes[http.StatusOK] == 0 || codes[http.StatusBadRequest] == 0 || codes[http.StatusNotFound] == 0 {
			t.Errorf("it was answered with %v", codes)
		}
		t.Logf("it was answered with %v", codes)
	})
}
