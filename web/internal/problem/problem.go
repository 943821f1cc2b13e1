package problem

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/workflow"
)

// A Problem is what is told of an error, in the form of RFC 9457.
type Problem struct {
	Type   string `json:"type"`   // always "about:blank": the status says what kind it is
	Title  string `json:"title"`  // what kind of problem it is, in a few words
	Status int    `json:"status"` // of HTTP
	Detail string `json:"detail"`

	Field string `json:"field,omitempty"` // which value is wrong
	Value string `json:"value,omitempty"` // and what it is, if it is short
	Hint  string `json:"hint,omitempty"`  // what might have been meant
	At    *int   `json:"at,omitempty"`    // of a query: the byte at which it is wrong
	Code  string `json:"code,omitempty"`  // which of several problems of one status it is
}

// An Error is an error that knows what is told of it.
type Error struct{ Problem }

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// New returns an error of that status.
func New(status int, code, detail string) *Error {
	return &Error{Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}}
}

// kinds are the errors that are told as they are, the first that matches.
var kinds = []struct {
	err    error
	status int
}{
	{deed.ErrForbidden, http.StatusForbidden},
	{mask.ErrMasked, http.StatusForbidden},
	{deed.ErrUnknown, http.StatusNotFound},
	{deed.ErrGroupNotFound, http.StatusNotFound},
	{deed.ErrWorkNotFound, http.StatusNotFound},
	{deed.ErrUnconfirmed, http.StatusConflict},
	{deed.ErrBusy, http.StatusTooManyRequests},
	{queue.ErrTaskNotFound, http.StatusNotFound},
	{queue.ErrQueueNotFound, http.StatusNotFound},
	{periodic.ErrEntryNotFound, http.StatusNotFound},
	{workflow.ErrRunNotFound, http.StatusNotFound},
	{workflow.ErrStepNotFound, http.StatusNotFound},
	{workflow.ErrNoOutput, http.StatusNotFound},
	{periodic.ErrBackfillNotFound, http.StatusNotFound},
	{broker.ErrNotFound, http.StatusNotFound},
	{queue.ErrTaskIDConflict, http.StatusConflict},
	{queue.ErrDuplicateTask, http.StatusConflict},
	{queue.ErrQueueNotEmpty, http.StatusConflict},
	{workflow.ErrRunExists, http.StatusConflict},
	{workflow.ErrRunState, http.StatusConflict},
	{workflow.ErrInboxFull, http.StatusConflict},
	{periodic.ErrEntryExists, http.StatusConflict},
	{periodic.ErrSource, http.StatusConflict},
	{periodic.ErrTooMany, http.StatusConflict},
	{broker.ErrNotEmpty, http.StatusConflict},
	{broker.ErrClaimed, http.StatusConflict},
	{broker.ErrApart, http.StatusConflict},
	{broker.ErrChanged, http.StatusConflict},
	{broker.ErrState, http.StatusConflict},
	{broker.ErrExists, http.StatusConflict},
	{context.DeadlineExceeded, http.StatusGatewayTimeout},
}

// Of returns what is told of err. That the storage does not answer is told without where
// it is; the whole error is for the log.
func Of(err error) Problem {
	var own *Error
	if errors.As(err, &own) {
		return own.Problem
	}
	p := Problem{Type: "about:blank", Status: statusOf(err), Detail: plain.Name(err.Error())}
	var bad *query.Error
	var invalid *task.InvalidError
	switch {
	case errors.As(err, &bad):
		p.Field, p.Hint, p.At, p.Detail = "q", bad.Hint, &bad.Pos, plain.Name(bad.Reason)
	case errors.As(err, &invalid):
		p.Field, p.Value = invalid.Field, plain.Name(invalid.Value)
	case errors.Is(err, queue.ErrUnknown):
		p.Code, p.Detail = "unknown-outcome", "the storage did not answer: it may have been done, or may be yet"
	case p.Status == http.StatusInternalServerError:
		p.Detail = "this cannot be shown; the log says why"
	case p.Status == http.StatusBadGateway:
		p.Detail = "the storage answers that it cannot: " + plain.Cut(p.Detail, 200)
	case p.Status == http.StatusGatewayTimeout:
		p.Detail = "the storage did not answer in time"
	case p.Status == http.StatusServiceUnavailable:
		p.Detail = "the storage does not answer"
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// Why returns what is told of why a part of an answer is missing. It is the text of err, as
// what is stored may be damaged, unless err is of the network: that tells where the storage
// is.
func Why(err error) string {
	p := Of(err)
	var far net.Error
	if p.Status == http.StatusServiceUnavailable && !errors.As(err, &far) {
		return plain.Name(err.Error())
	}
	return p.Detail
}

// statusOf returns the status of an answer that tells err. What Redis answers is told
// apart from that it does not: a key may be damaged, or a command not allowed.
func statusOf(err error) int {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.status
		}
	}
	if errors.Is(err, task.ErrInvalid) {
		return http.StatusBadRequest
	}
	if _, panicked := errors.AsType[*task.PanicError](err); panicked {
		return http.StatusInternalServerError
	}
	var answer interface{ RedisError() }
	if errors.As(err, &answer) {
		return http.StatusBadGateway
	}
	return http.StatusServiceUnavailable
}
