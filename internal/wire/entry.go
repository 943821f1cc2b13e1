package wire

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// headersField is the number of TaskMessage's headers.
const headersField = 15

// EncodeEntry returns e as asynq's TaskMessage. claimKey is the name of the key
// in Redis that holds e's claim, empty if it has none.
//
// The message keeps times and durations in whole seconds, rounded up; [Words]
// returns the rest. It does not keep when e is due, nor its home, crashes and exit.
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
	var errs [5]error
	errs[0] = task.CheckMadeName("Queue", m.Queue)
	errs[1] = task.CheckMadeName("ID", m.Id)
	errs[2] = task.CheckMadeName("Type", m.Type)
	if m.GroupKey != "" {
		errs[3] = task.CheckMadeName("Group", m.GroupKey)
	}
	if m.Retry < 0 || m.Retried < 0 {
		errs[4] = task.Invalid("Retry", fmt.Sprintf("%d of %d", m.Retried, m.Retry), "must not be negative")
	}
	return errors.Join(errs[:]...)
}

// Words returns what of e has no room in its message, in words: those of its
// times that are not whole seconds, in milliseconds, rounded up, and
// [ClaimWords]: "timeout=1500 start_by=1700000060250". It is empty if there is
// nothing.
func Words(e broker.Entry) string {
	var w words
	w.fraction("timeout", millis(e.Timeout))
	if !e.Deadline.IsZero() {
		w.fraction("deadline", broker.CeilMilli(e.Deadline).UnixMilli())
	}
	w.fraction("retention", millis(e.Retention))
	w.time("start_by", e.StartBy)
	if e.MaxCrashes > 0 {
		w.number("max_crashes", int64(e.MaxCrashes))
	}
	return strings.TrimSpace(strings.Join(w, " ") + " " + ClaimWords(e.Claim))
}

// ClaimWords returns how a claim ends, in words. asynq's need none, and one without
// a key is none.
func ClaimWords(c broker.Claim) string {
	var w words
	if c.Key == "" {
		return ""
	}
	if c.UntilStart {
		w = append(w, "claim=start")
	}
	w.time("hold", c.Hold)
	w.time("since", c.Since)
	return strings.Join(w, " ")
}

type words []string

func (w *words) number(name string, n int64) { *w = append(*w, name+"="+strconv.FormatInt(n, 10)) }

func (w *words) fraction(name string, ms int64) {
	if ms%1000 != 0 {
		w.number(name, ms)
	}
}

func (w *words) time(name string, t time.Time) {
	if !t.IsZero() {
		w.number(name, broker.CeilMilli(t).UnixMilli())
	}
}

// SetWords gives e, which was decoded, what [Words] returned for it. A time that
// the message has, too, counts only if, rounded up, it is that time: asynq leaves
// our words in place when it writes a message anew.
func SetWords(e *broker.Entry, all string) {
	for word := range strings.FieldsSeq(all) {
		name, value, _ := strings.Cut(word, "=")
		if name == "claim" {
			e.Claim.UntilStart = value == "start"
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "timeout":
			e.Timeout = refined(e.Timeout, n)
		case "retention":
			e.Retention = refined(e.Retention, n)
		case "deadline":
			exact := time.UnixMilli(n).UTC()
			if !e.Deadline.IsZero() && broker.CeilSecond(exact).Equal(e.Deadline) {
				e.Deadline = exact
			}
		case "start_by":
			e.StartBy = time.UnixMilli(n).UTC()
		case "max_crashes":
			e.MaxCrashes = int(n)
		case "hold":
			e.Claim.Hold = time.UnixMilli(n).UTC()
		case "since":
			e.Claim.Since = time.UnixMilli(n).UTC()
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

// EncodeHeaders returns the headers of a message as they are encoded in it.
func EncodeHeaders(headers map[string]string) ([]byte, error) {
	return marshal(&TaskMessage{Headers: headers})
}

// EncodeOutcome returns those fields of e's message that the outcome of an attempt
// may have changed. What is appended to a message takes the place of what it says.
func EncodeOutcome(e broker.Entry) []byte {
	number := func(b []byte, field protowire.Number, n int64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(n))
	}
	b := number(make([]byte, 0, 32+len(e.LastErr)), 6, int64(e.Retried))
	b = protowire.AppendString(protowire.AppendTag(b, 7, protowire.BytesType), e.LastErr)
	b = number(b, 11, unix(e.LastFailedAt))
	return number(b, 13, unix(e.CompletedAt))
}
