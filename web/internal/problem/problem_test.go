package problem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// answer is an error with which Redis answers.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestAProblemTellsWhatTheErrorIs(t *testing.T) {
	dialed := fmt.Errorf("counts: %w", &net.OpError{Op: "dial 10.0.0.7:6379", Err: context.DeadlineExceeded})
	_, bad := query.Tasks.Parse("nothing:1")
	for _, c := range []struct {
		err    error
		status int
		detail string
	}{
		{fmt.Errorf("run mail/1: %w", queue.ErrTaskNotFound), http.StatusNotFound, "task not found"},
		{fmt.Errorf("delete: %w", queue.ErrQueueNotEmpty), http.StatusConflict, "not empty"},
		{task.Invalid("queue", "a b", "must be a name"), http.StatusBadRequest, "a b"},
		{bad, http.StatusBadRequest, "nothing"},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, "in time"},
		{dialed, http.StatusGatewayTimeout, "in time"},
		{fmt.Errorf("counts: %w", answer("WRONGTYPE it is no list")), http.StatusBadGateway, "WRONGTYPE"},
		{&net.OpError{Op: "dial", Err: errors.New("10.0.0.7:6379 refused")}, http.StatusServiceUnavailable, "does not answer"},
		{fmt.Errorf("queues: %w", &task.PanicError{Value: "10.0.0.7"}), http.StatusInternalServerError, "the log says why"},
		{New(http.StatusTeapot, "tea", "no coffee"), http.StatusTeapot, "no coffee"},
	} {
		p := Of(c.err)
		if p.Status != c.status || !strings.Contains(p.Detail, c.detail) || p.Title != http.StatusText(c.status) {
			t.Errorf("%v: %+v, want status %d and %q", c.err, p, c.status, c.detail)
		}
		if strings.Contains(p.Detail, "10.0.0.7") {
			t.Errorf("the detail tells where the storage is: %s", p.Detail)
		}
	}
}

func TestWhatIsDamagedIsToldAndWhereTheStorageIsIsNot(t *testing.T) {
	for want, err := range map[string]error{
		"counts: the document is no JSON":               errors.New("counts: the document is no JSON"),
		"the storage does not answer":                   fmt.Errorf("counts: %w", &net.OpError{Op: "dial 10.0.0.7:6379", Err: errors.New("refused")}),
		"the storage did not answer in time":            fmt.Errorf("counts: %w", &net.OpError{Op: "dial 10.0.0.7:6379", Err: context.DeadlineExceeded}),
		"the storage answers that it cannot: WRONGTYPE": answer("WRONGTYPE"),
	} {
		if got := Why(err); got != want {
			t.Errorf("%v is told as %q, want %q", err, got, want)
		}
	}
}

func TestWhatIsBeforeAnErrorIsToldWithIt(t *testing.T) {
	dialed := &net.OpError{Op: "dial", Err: errors.New("10.0.0.7:6379 refused")}
	own := Kind(http.StatusTooManyRequests, "too many at once")
	for want, err := range map[string]error{
		"3 are done: the storage does not answer": Behind("3 are done", dialed),
		"3 are done: task not found":              Behind("3 are done", queue.ErrTaskNotFound),
		"bulk: too many at once":                  fmt.Errorf("bulk: %w", own),
	} {
		if got := Of(err).Detail; got != want {
			t.Errorf("%v is told as %q, want %q", err, got, want)
		}
	}
	if !errors.Is(Behind("done", dialed), dialed) || Of(Behind("done", own)).Status != http.StatusTooManyRequests {
		t.Error("what is behind it is not found any more")
	}
}

func TestWhatMayTellWhereTheStorageIsIsNotTold(t *testing.T) {
	for _, text := range []string{
		"dial tcp [fe80::1]:6379: refused", "redis.shop.internal:6379 hung up", "unable to open database file: /data/leat.db", `open "C:\leat.db": denied`, "lookup redis: no such host", "unix socket", "MOVED 1 10.0.0.7:6379",
	} {
		for _, err := range []error{errors.New(text), answer(text)} {
			if got := Why(err); strings.Contains(got, text) {
				t.Errorf("%q is told as %q", text, got)
			}
		}
	}
	for _, text := range []string{"counts: the document is no JSON", "document head at version 12 makes no sense: {12:30}", "entry mail/7 is damaged"} {
		if got := Why(errors.New(text)); got != text {
			t.Errorf("%q is told as %q", text, got)
		}
	}
}
