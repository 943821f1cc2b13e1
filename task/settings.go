package task

import (
	"errors"
	"math"
	"time"
	"unicode/utf8"
)

// What applies where no option says otherwise.
const (
	DefaultQueue    = "default"
	DefaultMaxRetry = 25
	DefaultTimeout  = 30 * time.Minute // if there is neither a Timeout nor a Deadline
)

// Settings are what options come to. Durations and times are whole
// milliseconds, fractions rounded up, except the TTL of Unique.
type Settings struct {
	ID         string // "": none was given
	MaxRetry   int
	Queue      string
	Timeout    time.Duration // for one attempt; 0: none, only the Deadline
	Deadline   time.Time     // for all attempts; zero: none
	StartBy    time.Time     // when it is too late to begin; zero: never
	MaxCrashes int           // 0: whatever the server says
	Unique     Uniqueness
	ProcessAt  time.Time     // always in the future; zero: at once
	Retention  time.Duration // 0: deleted when done
	Group      string        // "": none
	Headers    map[string]string
}

// Resolve returns what lists of options come to at the time now. The lists
// stand in the order of their weight: the defaults of the task's [Kind], the
// client's defaults, the task's own, the call's. A later option wins over an
// earlier one of its kind.
//
// It returns one [InvalidError] for each option that is nil, has a bad value or
// contradicts others, all of them joined. The lists are not modified.
func Resolve(now time.Time, lists ...[]Option) (Settings, error) {
	r := resolver{now: now, Settings: Settings{Queue: DefaultQueue, MaxRetry: DefaultMaxRetry}}
	for _, list := range lists {
		r.chosen = 0
		for _, o := range list {
			if o == nil {
				r.refuse("task.Option", nil, "must not be nil")
				continue
			}
			o.apply(&r)
		}
	}
	r.settleUniqueness()
	if !r.StartBy.IsZero() && r.ProcessAt.After(r.StartBy) {
		r.refuse("task.StartBy", r.StartBy, "is before the time to run at")
	}
	if len(r.faults) > 0 {
		return Settings{}, errors.Join(r.faults...)
	}
	if r.Timeout == 0 && r.Deadline.IsZero() && !r.noTimeout {
		r.Timeout = DefaultTimeout
	}
	r.Deadline, r.StartBy = ceilMilli(r.Deadline), ceilMilli(r.StartBy)
	if r.ProcessAt.After(now) {
		r.ProcessAt = ceilMilli(r.ProcessAt)
	} else {
		r.ProcessAt = time.Time{}
	}
	return r.Settings, nil
}

// A resolver collects what options say, and what is wrong with them.
type resolver struct {
	Settings
	now       time.Time
	noTimeout bool       // NoTimeout was the last of its kind
	chosen    UniqueMode // by the list that is being taken in
	faults    []error
}

func (o idOption) apply(r *resolver) {
	r.ID = string(o)
	r.name("task.ID", r.ID)
}

func (o maxRetryOption) apply(r *resolver) {
	r.MaxRetry = int(o)
	if o < 0 || o > math.MaxInt32 {
		r.refuse("task.MaxRetry", r.MaxRetry, "must be 0 to 2147483647")
	}
}

func (o queueOption) apply(r *resolver) {
	r.Queue = string(o)
	r.name("task.Queue", r.Queue)
}

func (o timeoutOption) apply(r *resolver) {
	r.Timeout, r.noTimeout = r.millis("task.Timeout", time.Duration(o)), false
}

func (noTimeoutOption) apply(r *resolver) { r.Timeout, r.noTimeout = 0, true }

func (o maxCrashesOption) apply(r *resolver) {
	r.MaxCrashes = int(o)
	if o < 1 || o > math.MaxInt32 {
		r.refuse("task.MaxCrashes", r.MaxCrashes, "must be 1 to 2147483647")
	}
}

func (o retentionOption) apply(r *resolver) {
	r.Retention = r.millis("task.Retention", time.Duration(o))
}

func (o deadlineOption) apply(r *resolver) {
	r.Deadline = r.limit("task.Deadline", time.Time(o))
}

func (o startByOption) apply(r *resolver) { r.StartBy = r.limit("task.StartBy", time.Time(o)) }

func (o processAtOption) apply(r *resolver) { r.ProcessAt = r.instant("task.ProcessAt", time.Time(o)) }
func (o processInOption) apply(r *resolver) { r.ProcessAt = r.now.Add(time.Duration(o)) }

func (o groupOption) apply(r *resolver) {
	r.Group = string(o)
	r.name("task.Group", r.Group)
}

func (o headerOption) apply(r *resolver) {
	r.Headers = o.addTo(r.Headers)
	if o.key == "" {
		r.refuse("task.Header", o.key, "must have a key")
	}
	if !utf8.ValidString(o.key) {
		r.refuse("task.Header", o.key, "is not valid UTF-8")
	}
	if !utf8.ValidString(o.value) {
		r.refuse("task.Header", o.value, "is not valid UTF-8")
	}
}

func (r *resolver) refuse(field string, value any, reason string) {
	r.faults = append(r.faults, Invalid(field, value, reason))
}

func (r *resolver) name(field, name string) {
	if err := CheckName(field, name); err != nil {
		r.faults = append(r.faults, err)
	}
}

// millis returns d in whole milliseconds.
func (r *resolver) millis(field string, d time.Duration) time.Duration {
	if d < 0 {
		r.refuse(field, d, "must not be negative")
	}
	whole := d.Truncate(time.Millisecond)
	if whole < d && whole+time.Millisecond > 0 {
		whole += time.Millisecond
	}
	return whole
}

// instant returns t. Years of more than four digits can be written neither in
// JSON nor, if they are long enough, as milliseconds. Some are stored as seconds,
// rounded up.
func (r *resolver) instant(field string, t time.Time) time.Time {
	if t.UTC().Add(time.Second-1).Year() > 9999 {
		r.refuse(field, t, "must be before the year 10000")
	}
	return t
}

// limit returns t, zero for none. Stored as milliseconds since 1970, an earlier
// time would read as none.
func (r *resolver) limit(field string, t time.Time) time.Time {
	if !t.IsZero() && t.UnixMilli() <= 0 {
		r.refuse(field, t, "must be after 1970-01-01")
	}
	return r.instant(field, t)
}

func ceilMilli(t time.Time) time.Time {
	whole := t.Truncate(time.Millisecond)
	if whole.Before(t) {
		whole = whole.Add(time.Millisecond)
	}
	return whole
}
