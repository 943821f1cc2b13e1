package queue

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// How many bytes of an error's text are stored: as a task's last one, and with the
// record of an attempt, beside which may lie where its handler panicked.
const (
	maxLastErr      = 4 << 10
	maxAttemptErr   = 1 << 10
	maxAttemptStack = 4 << 10
)

// unhandledDelay is how long a task waits that a server without a handler for it
// has leased.
const unhandledDelay = 15 * time.Second

// settlement returns how the lease l of t ends if its handler returned err,
// which is sound, at now. ctx is for the log.
func (c Config) settlement(ctx context.Context, now time.Time, l broker.Lease, t *task.Task, err error) broker.Settlement {
	s := broker.Settlement{Token: l.Token, Entry: l.Entry, Result: t.ResultWriter().Result()}
	snooze, snoozed := errors.AsType[*task.SnoozeError](err)
	switch {
	case err == nil && s.Entry.Retention > 0:
		s.To, s.At, s.Entry.CompletedAt = broker.Completed, now.Add(s.Entry.Retention), now
		return s
	case err == nil, errors.Is(err, task.Revoke):
		s.To = broker.Done
		return s
	case snoozed:
		s.To, s.At = broker.Retry, now.Add(max(snooze.Delay, 0))
		s.Entry.LastErr = errorText(err)
		return s
	}
	retried := s.Entry.Retried
	s.Entry.LastErr, s.Entry.LastFailedAt = errorText(err), now
	switch {
	case errors.Is(err, task.ErrHandlerNotFound), errors.Is(err, errIgnoresRun):
		// Another server may have the handler, now or after the next deploy.
		s.To, s.At = broker.Retry, now.Add(unhandledDelay)
		return s
	case errors.Is(err, task.SkipRetry) || retried >= s.Entry.MaxRetry:
		s.To = broker.Archived
		return s
	}
	s.To, s.At = broker.Retry, now.Add(c.retryDelay(ctx, retried, err, t))
	if s.Failed = c.failed(ctx, t, err); s.Failed {
		s.Entry.Retried++
	}
	return s
}

// released returns the settlement that puts the entry of l back as it was.
func released(l broker.Lease) broker.Settlement {
	return broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Released}
}

// endedAs returns the settlement that has the entry of l archived in a way that is not
// its handler's.
func endedAs(l broker.Lease, how broker.End, why error) broker.Settlement {
	s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Archived, End: how}
	s.Entry.LastErr = errorText(why)
	return s
}

// asksFor reports whether err is a wish rather than a mishap.
func asksFor(err error) bool {
	_, snoozed := errors.AsType[*task.SnoozeError](err)
	return snoozed || errors.Is(err, task.Revoke) || errors.Is(err, task.SkipRetry)
}

// sound returns err, or a [task.PanicError] if its methods panic, as those of a
// nil pointer may.
func sound(err error) (checked error) {
	if err == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			checked = &task.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	_ = err.Error()
	_ = asksFor(err)
	return err
}

// errorText returns what is stored of err: valid UTF-8, and not too long.
func errorText(err error) string { return cut(err.Error(), maxLastErr) }

// cut returns the beginning of text, as valid UTF-8 of at most end bytes.
func cut(text string, end int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= end {
		return text
	}
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// settles returns the settlement in c of the lease that s is about, if there is
// exactly one, or else nil.
func settles(c broker.Change, s *broker.Settlement) (found *broker.Settlement) {
	for i := range c.Settle {
		other := &c.Settle[i]
		if other.Entry.EntryRef != s.Entry.EntryRef || other.Token != s.Token {
			continue
		}
		if found != nil {
			return nil
		}
		found = other
	}
	return found
}
