package tracing

import (
	"context"
	"errors"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// outcome says in a word what came of an attempt.
func outcome(s broker.Settlement, err error) string {
	switch {
	case s.End != 0:
		return s.End.String()
	case s.To == broker.Retry && isSnooze(err):
		return outcomeSnoozed
	case s.To == broker.Done && is(err, task.Revoke):
		return outcomeRevoked
	default:
		return s.To.String()
	}
}

// faultOf returns why an attempt has failed: it has not if the handler only wants
// something, or its worker goes down.
func faultOf(s broker.Settlement, err error) fault {
	switch {
	case s.End != 0:
		return fault{s.End.String(), err}
	case err == nil, s.To == broker.Released, isSnooze(err), is(err, task.Revoke):
		return fault{}
	default:
		return fault{errorKind(err), err}
	}
}

// errorKind names the type of an error, of which there are few.
func errorKind(err error) (kind string) {
	defer func() {
		if recover() != nil { // in a method of err
			kind = semconv.ErrorTypeOther.Value.AsString()
		}
	}()
	if _, ok := errors.AsType[*task.PanicError](err); ok {
		return errorPanic
	}
	switch {
	case errors.Is(err, queue.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return errorTimeout
	case errors.Is(err, queue.ErrCancelled), errors.Is(err, context.Canceled):
		return errorCancelled
	case errors.Is(err, task.ErrHandlerNotFound):
		return errorNoHandler
	default:
		return semconv.ErrorType(err).Value.AsString()
	}
}

func isSnooze(err error) (yes bool) {
	defer func() { _ = recover() }()
	if err == nil {
		return false
	}
	_, yes = errors.AsType[*task.SnoozeError](err)
	return yes
}

func isUnhandled(err error) bool { return is(err, task.ErrHandlerNotFound) }

// is is [errors.Is] for errors whose methods may panic.
func is(err, target error) (yes bool) {
	defer func() { _ = recover() }()
	return errors.Is(err, target)
}

func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	return err.Error()
}
