package wire

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// headersField is the number of TaskMessage's headers.
const headersField = 15

// EncodeEntry returns e as asynq's TaskMessage. claimKey is the name of the key
// in Redis that holds e's claim, empty if it has none.
//
// The message keeps times and durations in whole seconds, rounded up;
// [Fractions] returns the rest. It does not keep when e is due, nor its home.
func EncodeEntry(e broker.Entry, claimKey string) ([]byte, error) {
	retry, retryErr := fits("MaxRetry", e.MaxRetry)
	retried, retriedErr := fits("Retried", e.Retried)
	if err := errors.Join(retryErr, retriedErr); err != nil {
		return nil, fmt.Errorf("encode %s: %w", e, err)
	}
	if len(e.Headers) > maxPairs {
		return nil, task.Invalid("Headers", len(e.Headers), fmt.Sprintf("are more than %d", maxPairs))
	}
	b, err := marshal(&TaskMessage{
		Type:         e.Type,
		Payload:      e.Payload,
		Id:           e.ID,
		Queue:        e.Queue,
		Retry:        retry,
		Retried:      retried,
		ErrorMsg:     e.LastErr,
		Timeout:      seconds(e.Timeout),
		Deadline:     unix(broker.CeilSecond(e.Deadline)),
		UniqueKey:    claimKey,
		LastFailedAt: unix(e.LastFailedAt),
		Retention:    seconds(e.Retention),
		CompletedAt:  unix(e.CompletedAt),
		GroupKey:     e.Group,
		Headers:      e.Headers,
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", e, err)
	}
	return b, nil
}

// DecodeEntry returns the entry in a TaskMessage, and the name of the key that
// holds its claim. It returns an error for what [EncodeEntry] would not have
// written: bytes that are no message, or names and numbers out of bounds.
func DecodeEntry(b []byte) (e broker.Entry, claimKey string, err error) {
	var m TaskMessage
	if err := unmarshal(b, &m, headersField); err != nil {
		return broker.Entry{}, "", fmt.Errorf("decode task message: %w", err)
	}
	if err := checkTask(&m); err != nil {
		return broker.Entry{}, "", fmt.Errorf("decode task message: %w", err)
	}
	e = broker.Entry{
		EntryRef: broker.EntryRef{Queue: m.Queue, ID: m.Id},
		Type:     m.Type,
		Payload:  m.Payload,
		Headers:  maps.Clone(m.Headers),
		MaxRetry: int(m.Retry),
		Retried:  int(m.Retried),
		LastErr:  m.ErrorMsg,
		Group:    m.GroupKey,
	}
	var errs [5]error
	e.Timeout, errs[0] = duration("Timeout", m.Timeout)
	e.Deadline, errs[1] = fromUnix("Deadline", m.Deadline)
	e.LastFailedAt, errs[2] = fromUnix("LastFailedAt", m.LastFailedAt)
	e.Retention, errs[3] = duration("Retention", m.Retention)
	e.CompletedAt, errs[4] = fromUnix("CompletedAt", m.CompletedAt)
	if err := errors.Join(errs[:]...); err != nil {
		return broker.Entry{}, "", fmt.Errorf("decode task message: %w", err)
	}
	return e, m.UniqueKey, nil
}

func checkTask(m *TaskMessage) error {
	errs := []error{
		task.CheckMadeName("Queue", m.Queue),
		task.CheckMadeName("ID", m.Id),
		task.CheckMadeName("Type", m.Type),
	}
	if m.GroupKey != "" {
		errs = append(errs, task.CheckMadeName("Group", m.GroupKey))
	}
	if m.Retry < 0 || m.Retried < 0 {
		errs = append(errs, task.Invalid("Retry", fmt.Sprintf("%d of %d", m.Retried, m.Retry), "must not be negative"))
	}
	return errors.Join(errs...)
}

// Fractions returns in words those times of e that are not whole seconds, in
// milliseconds, rounded up: "timeout=1500 deadline=1700000060250". It is empty
// if there are none.
func Fractions(e broker.Entry) string {
	var words []string
	add := func(word string, ms int64) {
		if ms%1000 != 0 {
			words = append(words, word+"="+strconv.FormatInt(ms, 10))
		}
	}
	add("timeout", millis(e.Timeout))
	if !e.Deadline.IsZero() {
		add("deadline", broker.CeilMilli(e.Deadline).UnixMilli())
	}
	add("retention", millis(e.Retention))
	return strings.Join(words, " ")
}

// SetFractions gives e, which was decoded, the times that [Fractions] returned
// for it. Each counts only if, rounded up, it is the time in the message: asynq
// leaves ours in place when it writes a message anew.
func SetFractions(e *broker.Entry, fractions string) {
	for word := range strings.FieldsSeq(fractions) {
		name, digits, _ := strings.Cut(word, "=")
		ms, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "timeout":
			e.Timeout = refined(e.Timeout, ms)
		case "retention":
			e.Retention = refined(e.Retention, ms)
		case "deadline":
			exact := time.UnixMilli(ms).UTC()
			if !e.Deadline.IsZero() && broker.CeilSecond(exact).Equal(e.Deadline) {
				e.Deadline = exact
			}
		}
	}
}

// refined returns ms milliseconds if that, in seconds rounded up, is d.
func refined(d time.Duration, ms int64) time.Duration {
	if whole := int64(d / time.Millisecond); ms > 0 && ms <= whole && whole-ms < 1000 {
		return time.Duration(ms) * time.Millisecond
	}
	return d
}

// millis returns d in milliseconds, rounded up.
func millis(d time.Duration) int64 {
	ms := d / time.Millisecond
	if d%time.Millisecond > 0 {
		ms++
	}
	return int64(ms)
}
