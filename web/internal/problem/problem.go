package problem

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"regexp"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
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
	{mask.ErrMasked, http.StatusForbidden},
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

// Of returns what is told of err. What the storage says when it does not answer, or cannot,
// is not told, as that may be where it is: then the status is 500 or more, and the whole
// error is for the log.
func Of(err error) Problem {
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Problem
	}
	if behind, ok := errors.AsType[*behindError](err); ok {
		p := Of(behind.err)
		p.Detail = plain.Name(behind.before) + ": " + p.Detail
		return p
	}
	status, isOurs := statusOf(err)
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: plain.Name(err.Error())}
	var bad *query.Error
	var invalid *task.InvalidError
	switch {
	case isOurs:
		var coded interface{ HTTPCode() string }
		if errors.As(err, &coded) {
			p.Code = coded.HTTPCode()
		}
	case errors.As(err, &bad):
		p.Field, p.Hint, p.At, p.Detail = "q", bad.Hint, &bad.Pos, plain.Name(bad.Reason)
	case errors.As(err, &invalid):
		p.Field, p.Value = invalid.Field, plain.Name(invalid.Value)
	case errors.Is(err, queue.ErrUnknown):
		p.Code, p.Detail = "unknown-outcome", "the storage did not answer: it may have been done, or may be yet"
	case status >= http.StatusInternalServerError:
		p.Detail = ofStorage(status, p.Detail)
	}
	return p
}

// ofStorage returns what is told of a storage that fails, of what it says itself.
func ofStorage(status int, says string) string {
	switch {
	case status == http.StatusInternalServerError:
		return "this cannot be shown; the log says why"
	case status == http.StatusBadGateway && whereabouts.MatchString(says):
		return "the storage answers that it cannot; the log says why"
	case status == http.StatusBadGateway:
		return "the storage answers that it cannot: " + plain.Cut(says, 200)
	case status == http.StatusGatewayTimeout:
		return "the storage did not answer in time"
	default:
		return "the storage does not answer"
	}
}

// whereabouts matches texts that may tell where the storage is: an address of the network,
// or the path of a file.
var whereabouts = regexp.MustCompile(`[0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:]+\]:[0-9]|://|\b(dial|lookup|tcp|unix) |\b[\w.-]+:[0-9]{4,5}\b|(^|[\s"'(=:])(/|[A-Za-z]:\\)[^\s/]`)

// Why returns what is told of why a part of an answer is missing. It is the text of err, as
// what is stored may be damaged, unless that may tell where the storage is.
func Why(err error) string {
	p := Of(err)
	if p.Status != http.StatusServiceUnavailable {
		return p.Detail
	}
	var far net.Error
	text := plain.Name(err.Error())
	if _, isFile := errors.AsType[*fs.PathError](err); isFile || errors.As(err, &far) || whereabouts.MatchString(text) {
		return p.Detail
	}
	return text
}

// statusOf returns the status of an answer that tells err, and whether err is one of [Kind]
// or like it. What Redis answers is told apart from that it does not: a key may be damaged,
// or a command not allowed.
func statusOf(err error) (status int, isOurs bool) {
	var ours interface{ HTTPStatus() int }
	if errors.As(err, &ours) {
		return ours.HTTPStatus(), true
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.status, false
		}
	}
	if errors.Is(err, task.ErrInvalid) {
		return http.StatusBadRequest, false
	}
	if _, panicked := errors.AsType[*task.PanicError](err); panicked {
		return http.StatusInternalServerError, false
	}
	var answer interface{ RedisError() }
	if errors.As(err, &answer) {
		return http.StatusBadGateway, false
	}
	return http.StatusServiceUnavailable, false
}
