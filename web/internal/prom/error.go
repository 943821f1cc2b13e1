package prom

import (
	"fmt"
	"net/http"
)

// An Error is why there is no answer. Its text is for everybody who may look at charts,
// and tells neither where the server is nor what it said; what it wraps does, and is for
// the log.
type Error struct {
	Kind   Kind
	Status int // of the answer, if it was Refused or Redirected
	Cause  error
}

// A Kind is what went wrong.
type Kind int

// The kinds of errors.
const (
	Unreachable Kind = iota + 1
	Slow
	Refused
	Redirected
	TooLarge
	Garbled
)

// Error says what went wrong, in a sentence without a full stop.
func (e *Error) Error() string {
	switch e.Kind {
	case Unreachable:
		return "Prometheus cannot be reached"
	case Slow:
		return "Prometheus does not answer in time; a shorter range or fewer queues may help"
	case Refused:
		return fmt.Sprintf("Prometheus answers with status %d", e.Status)
	case Redirected:
		return fmt.Sprintf("Prometheus answers with status %d, a redirect, which is not followed", e.Status)
	case TooLarge:
		return "Prometheus answers with more than can be shown; take a shorter range or fewer queues"
	case Garbled:
		return "Prometheus answers with what is not understood; is it one?"
	default:
		return "Prometheus gives no answer"
	}
}

// HTTPStatus is what whoever asks over HTTP is told.
func (e *Error) HTTPStatus() int { return http.StatusBadGateway }

// HTTPCode tells that answer from others of its status.
func (e *Error) HTTPCode() string { return "prometheus" }

// Unwrap returns the cause, for a log.
func (e *Error) Unwrap() error { return e.Cause }
