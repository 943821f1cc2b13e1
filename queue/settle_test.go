package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// settleWith returns what a server with c records of an attempt that returned
// err, in which the handler wrote a result.
func settleWith(t *testing.T, c Config, e broker.Entry, err error) broker.Settlement {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	c, fault := c.withDefaults()
	if fault != nil {
		t.Fatal(fault)
	}
	w := task.NewResultWriter(t.Context(), e.ID, 0)
	if _, fault := w.Write([]byte("result")); fault != nil {
		t.Fatal(fault)
	}
	return c.settlement(t.Context(), noon, broker.Lease{Entry: e, Token: "token"}, task.Received(e.Type, nil, nil, w), sound(err))
}

func TestWhatAHandlersErrorComesTo(t *testing.T) {
	c := Config{
		RetryDelayFunc: func(retried int, _ error, _ *task.Task) time.Duration { return time.Duration(retried+1) * time.Minute },
		IsFailure:      func(err error) bool { return !strings.Contains(err.Error(), "soft") },
	}
	failed := func(retried int, text string) broker.Entry {
		return broker.Entry{Retried: retried, MaxRetry: 3, LastErr: text, LastFailedAt: noon}
	}
	for _, test := range []struct {
		name  string
		entry broker.Entry
		err   error
		want  broker.Settlement
	}{
		{"nil is done", broker.Entry{}, nil, broker.Settlement{To: broker.Done}},
		{"nil is completed, if the task is to be kept", broker.Entry{Retention: time.Hour}, nil, broker.Settlement{
			To: broker.Completed, At: noon.Add(time.Hour), Entry: broker.Entry{Retention: time.Hour, CompletedAt: noon}}},
		{"an error is a retry", broker.Entry{Retried: 2, MaxRetry: 3}, errors.New("boom"), broker.Settlement{
			To: broker.Retry, At: noon.Add(3 * time.Minute), Failed: true, Entry: failed(3, "boom")}},
		{"an error with no retries left is archived", broker.Entry{Retried: 3, MaxRetry: 3}, errors.New("boom"), broker.Settlement{
			To: broker.Archived, Entry: failed(3, "boom")}},
		{"an error that is no failure costs nothing", broker.Entry{Retried: 2, MaxRetry: 3}, errors.New("soft"), broker.Settlement{
			To: broker.Retry, At: noon.Add(3 * time.Minute), Entry: failed(2, "soft")}},
		{"an error that is no failure is archived if no retries are left", broker.Entry{Retried: 3, MaxRetry: 3}, errors.New("soft"),
			broker.Settlement{To: broker.Archived, Entry: failed(3, "soft")}},
		{"a missing handler costs nothing, even if no retries are left", broker.Entry{Retried: 3, MaxRetry: 3},
			task.NotFound(t.Context(), task.New("zz", nil)), broker.Settlement{
				To: broker.Retry, At: noon.Add(15 * time.Second), Entry: failed(3, `handler not found for task "zz"`)}},
		{"SkipRetry is archived", broker.Entry{Retried: 1, MaxRetry: 3}, fmt.Errorf("bad: %w", task.SkipRetry), broker.Settlement{
			To: broker.Archived, Entry: failed(1, "bad: skip retry for the task")}},
		{"Revoke is done, and not kept", broker.Entry{Retention: time.Hour}, fmt.Errorf("old: %w", task.Revoke), broker.Settlement{
			To: broker.Done, Entry: broker.Entry{Retention: time.Hour}}},
		{"Snooze comes again, costs nothing and says why", broker.Entry{Retried: 3, MaxRetry: 3, LastErr: "before", LastFailedAt: noon.Add(-time.Hour)},
			fmt.Errorf("wait: %w", task.Snooze(time.Hour)), broker.Settlement{
				To: broker.Retry, At: noon.Add(time.Hour),
				Entry: broker.Entry{Retried: 3, MaxRetry: 3, LastErr: "wait: snooze for 1h0m0s", LastFailedAt: noon.Add(-time.Hour)}}},
	} {
		test.want.Token, test.want.Result = "token", []byte("result")
		if diff := cmp.Diff(test.want, settleWith(t, c, test.entry, test.err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestANegativeDelayIsReplacedByTheDefault(t *testing.T) {
	c := Config{RetryDelayFunc: func(int, error, *task.Task) time.Duration { return -time.Hour }}
	s := settleWith(t, c, broker.Entry{MaxRetry: 3}, errors.New("boom"))
	if d := s.At.Sub(noon); d < 15*time.Second || d > 44*time.Second {
		t.Errorf("retry after %v, want 15s to 44s", d)
	}
}

func TestTheTextOfAnErrorIsStoredCutAndValid(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"invalid UTF-8": {"a\xffb\xc3", "a\uFFFDb\uFFFD"},
		"too long":      {strings.Repeat("x", 5000), strings.Repeat("x", 4096)},
		"cut in a rune": {strings.Repeat("x", 4095) + "é", strings.Repeat("x", 4095)},
		"empty":         {"", ""},
	} {
		got := settleWith(t, Config{}, broker.Entry{MaxRetry: 3}, errors.New(test.text)).Entry.LastErr
		if got != test.want || !utf8.ValidString(got) {
			t.Errorf("%s: stored %d bytes %.20q…, want %d bytes %.20q…", name, len(got), got, len(test.want), test.want)
		}
	}
}

// A nilError panics when its methods are called, as a nil pointer in an error
// does.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func TestAnErrorWhoseMethodsPanicIsAFailure(t *testing.T) {
	s := settleWith(t, Config{}, broker.Entry{MaxRetry: 3}, (*nilError)(nil))
	if s.To != broker.Retry || !s.Failed || !strings.Contains(s.Entry.LastErr, "nil pointer") {
		t.Errorf("settled as %s with %q, want a retry that names the nil pointer", s.To, s.Entry.LastErr)
	}
}

func TestTimeoutsMatchDeadlineExceeded(t *testing.T) {
	if !errors.Is(ErrTimeout, context.DeadlineExceeded) || errors.Is(ErrTimeout, context.Canceled) {
		t.Errorf("ErrTimeout matches DeadlineExceeded: %t, Canceled: %t, want true, false",
			errors.Is(ErrTimeout, context.DeadlineExceeded), errors.Is(ErrTimeout, context.Canceled))
	}
}
