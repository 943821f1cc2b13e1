package task

import (
	"encoding/json"
	"fmt"
	"time"
)

// An Option says how a task is to be run. It is a value that can be compared
// with ==, and prints as asynq writes it down: MaxRetry(3), Queue("low").
//
// Where several options of one kind meet, the later one wins. One with a bad
// value is refused when the task is enqueued, even if a later one wins over it.
type Option interface {
	String() string
	apply(*resolver)
}

type (
	idOption        string
	maxRetryOption  int
	queueOption     string
	timeoutOption   time.Duration
	deadlineOption  time.Time
	processAtOption time.Time
	processInOption time.Duration
	retentionOption time.Duration
	groupOption     string
	headerOption    struct{ key, value string }

	startByOption    time.Time
	noTimeoutOption  struct{}
	maxCrashesOption int
)

// ID gives the task an id of the caller's choice, a name as in [CheckName], in
// place of a random one. A task whose id is taken in its queue is refused.
func ID(id string) Option { return idOption(id) }

// MaxRetry allows n attempts after the first failed one. The default is
// [DefaultMaxRetry].
func MaxRetry(n int) Option { return maxRetryOption(n) }

// Queue names the queue, a name as in [CheckName]. The default is
// [DefaultQueue].
func Queue(name string) Option { return queueOption(name) }

// Timeout ends the handler's context once an attempt has taken d. 0 is the same
// as no such option: [DefaultTimeout] applies, or only the [Deadline] if there
// is one.
func Timeout(d time.Duration) Option { return timeoutOption(d) }

// Deadline ends the handler's context at t, whichever attempt it is, or earlier
// if there is a [Timeout]. The zero time is the same as no such option.
func Deadline(t time.Time) Option { return deadlineOption(t) }

// NoTimeout lets an attempt take as long as it may, until the [Deadline] if there
// is one. It and [Timeout] are of one kind.
func NoTimeout() Option { return noTimeoutOption{} }

// StartBy has the task archived as expired, without a call of its handler, if no
// worker has begun with an attempt by t. That is no failure. The zero time is
// the same as no such option.
func StartBy(t time.Time) Option { return startByOption(t) }

// MaxCrashes has the task archived as poison once its workers have been lost
// with it more than n times, one after another, where n is at least 1. Otherwise
// the server decides. A shutdown does not count.
func MaxCrashes(n int) Option { return maxCrashesOption(n) }

// ProcessAt has the task run at t, or at once if t has passed. It and
// [ProcessIn] are of one kind.
func ProcessAt(t time.Time) Option { return processAtOption(t) }

// ProcessIn has the task run once d has passed from the moment in which it is
// enqueued, or at once if d is not positive.
func ProcessIn(d time.Duration) Option { return processInOption(d) }

// Retention keeps the task as completed, with its result, for d after it was
// done. By default it is deleted then.
func Retention(d time.Duration) Option { return retentionOption(d) }

// Group has the task wait in the group of that name, a name as in [CheckName],
// to be folded into a batch with the others there.
func Group(name string) Option { return groupOption(name) }

// Header sends a header along with the task. Options with different keys add
// up: to at most 64, and 64 KiB. The key must not be empty, and both must be
// valid UTF-8.
func Header(key, value string) Option { return headerOption{key, value} }

func (o idOption) String() string        { return fmt.Sprintf("TaskID(%q)", string(o)) }
func (o maxRetryOption) String() string  { return fmt.Sprintf("MaxRetry(%d)", int(o)) }
func (o queueOption) String() string     { return fmt.Sprintf("Queue(%q)", string(o)) }
func (o timeoutOption) String() string   { return fmt.Sprintf("Timeout(%v)", time.Duration(o)) }
func (o deadlineOption) String() string  { return printTime("Deadline", o) }
func (o processAtOption) String() string { return printTime("ProcessAt", o) }
func (o processInOption) String() string { return fmt.Sprintf("ProcessIn(%v)", time.Duration(o)) }
func (o retentionOption) String() string { return fmt.Sprintf("Retention(%v)", time.Duration(o)) }
func (o groupOption) String() string     { return fmt.Sprintf("Group(%q)", string(o)) }

func (o startByOption) String() string    { return printTime("StartBy", o) }
func (noTimeoutOption) String() string    { return "NoTimeout()" }
func (o maxCrashesOption) String() string { return fmt.Sprintf("MaxCrashes(%d)", int(o)) }

func (o headerOption) String() string {
	pair, _ := json.Marshal([2]string{o.key, o.value}) // strings always encode
	return fmt.Sprintf("Header(%s)", pair)
}

func printTime[T deadlineOption | processAtOption | startByOption](name string, t T) string {
	return fmt.Sprintf("%s(%s)", name, time.Time(t).Format(time.UnixDate))
}

// headersOf returns what the headers among options come to, nil if there are
// none.
func headersOf(options []Option) map[string]string {
	var headers map[string]string
	for _, o := range options {
		if h, ok := o.(headerOption); ok {
			headers = h.addTo(headers)
		}
	}
	return headers
}

func (o headerOption) addTo(headers map[string]string) map[string]string {
	if headers == nil {
		headers = make(map[string]string)
	}
	headers[o.key] = o.value
	return headers
}
