package task

import (
	"fmt"
	"time"
)

// A UniqueMode says from when until when a task is the only one with its key in
// its queue.
type UniqueMode int

// The modes, and the options that choose them.
const (
	UntilTTL   UniqueMode = iota + 1 // Unique
	UntilDone                        // UniqueUntilDone
	UntilStart                       // UniqueUntilStart
	ForPeriod                        // UniqueFor
	Debounced                        // Debounce
	RunAgain                         // Rerun
)

var modeNames = [...]string{"", "Unique", "UniqueUntilDone", "UniqueUntilStart", "UniqueFor", "Debounce", "Rerun"}

// String returns the name of the option that chooses the mode, "" for none.
func (m UniqueMode) String() string {
	if m < 0 || m > RunAgain {
		return fmt.Sprintf("UniqueMode(%d)", int(m))
	}
	return modeNames[m]
}

// A Conflict says what becomes of a task that is not the only one.
type Conflict int

// What may become of it.
const (
	Reject  Conflict = iota + 1 // it is refused, with an error that names the holder of the key
	Ignore                      // it is dropped, and the holder stands in for it
	Replace                     // it takes the holder's place, under the holder's id; a holder that does not wait any more is kept, and the task is refused
)

var conflictNames = [...]string{"", "reject", "ignore", "replace"}

// String returns the word: "reject".
func (c Conflict) String() string {
	if c < 0 || c > Replace {
		return fmt.Sprintf("Conflict(%d)", int(c))
	}
	return conflictNames[c]
}

// Uniqueness is what the options about it come to. Its zero value is that a task
// need not be unique.
type Uniqueness struct {
	Mode UniqueMode

	// For is the TTL of Unique, exact; the period of UniqueFor, or how long
	// Debounce waits for quiet, in milliseconds, rounded up.
	For time.Duration

	MaxWait    time.Duration // of Debounce, as For; 0: no limit
	Key        string        // "": the default
	OnConflict Conflict      // never 0 if there is a Mode
}

type (
	uniqueOption           time.Duration
	uniqueUntilDoneOption  struct{}
	uniqueUntilStartOption struct{}
	uniqueForOption        time.Duration
	debounceOption         struct{ quiet, maxWait time.Duration }
	rerunOption            struct{}
	uniqueKeyOption        string
	onConflictOption       Conflict
)

// Unique refuses the task while its queue holds another one of the same type
// and payload that was enqueued with Unique and has not ended, for at most ttl
// from then on. ttl is at least a second; fractions of a second are dropped. The
// claim is asynq's: it is also kept while the holder is archived, and is gone
// when ttl has passed, even if the holder still waits. [UniqueUntilDone] has
// neither.
//
// Unique, UniqueUntilDone, [UniqueUntilStart], [UniqueFor], [Debounce] and
// [Rerun] are of one kind: two of them side by side are refused, and one given
// by a call wins over that of the task.
func Unique(ttl time.Duration) Option { return uniqueOption(ttl) }

// UniqueUntilDone makes the task the only one with its key in its queue, until
// it is done, archived or deleted, however long that takes.
func UniqueUntilDone() Option { return uniqueUntilDoneOption{} }

// UniqueUntilStart makes the task the only one with its key in its queue, until
// a worker begins with it.
func UniqueUntilStart() Option { return uniqueUntilStartOption{} }

// UniqueFor makes the task the only one with its key in its queue, until it has
// ended and at least period has passed since it was enqueued.
func UniqueFor(period time.Duration) Option { return uniqueForOption(period) }

// Debounce has the task run once quiet has passed in which no other one with its
// key was enqueued: each takes the place of the one before and begins the wait
// anew, but never makes it longer than maxWait from the first one on; 0 is no
// limit. The last payload is the one that is run. Its key is the type alone,
// unless [UniqueKey] says otherwise.
func Debounce(quiet, maxWait time.Duration) Option { return debounceOption{quiet, maxWait} }

// Rerun has the task run after the one with its key that is being run, if there
// is one, and at once if there is none. If one waits already, this one takes its
// place: however many are enqueued while one is being run, exactly one is run
// afterwards, with the last payload. Its key is the type alone, unless
// [UniqueKey] says otherwise.
func Rerun() Option { return rerunOption{} }

// UniqueKey sets the key of a task that is to be unique, a name as in
// [CheckName]. The default is the type and a hash of the payload.
func UniqueKey(key string) Option { return uniqueKeyOption(key) }

// OnConflict says what becomes of a task that is to be unique and is not. The
// default is [Reject]; Debounce and Rerun always [Replace].
func OnConflict(c Conflict) Option { return onConflictOption(c) }

func (o uniqueOption) String() string         { return fmt.Sprintf("Unique(%v)", time.Duration(o)) }
func (uniqueUntilDoneOption) String() string  { return "UniqueUntilDone()" }
func (uniqueUntilStartOption) String() string { return "UniqueUntilStart()" }
func (o uniqueForOption) String() string      { return fmt.Sprintf("UniqueFor(%v)", time.Duration(o)) }
func (o debounceOption) String() string       { return fmt.Sprintf("Debounce(%v, %v)", o.quiet, o.maxWait) }
func (rerunOption) String() string            { return "Rerun()" }
func (o uniqueKeyOption) String() string      { return fmt.Sprintf("UniqueKey(%q)", string(o)) }
func (o onConflictOption) String() string     { return fmt.Sprintf("OnConflict(%s)", Conflict(o)) }

func (o uniqueOption) apply(r *resolver) {
	r.mode(UntilTTL, time.Duration(o), 0)
	if o < uniqueOption(time.Second) {
		r.refuse("task.Unique", time.Duration(o), "must be at least 1s")
	}
}

func (uniqueUntilDoneOption) apply(r *resolver)  { r.mode(UntilDone, 0, 0) }
func (uniqueUntilStartOption) apply(r *resolver) { r.mode(UntilStart, 0, 0) }
func (rerunOption) apply(r *resolver)            { r.mode(RunAgain, 0, 0) }

func (o uniqueForOption) apply(r *resolver) {
	r.mode(ForPeriod, r.millis("task.UniqueFor", time.Duration(o)), 0)
	if o == 0 {
		r.refuse("task.UniqueFor", time.Duration(o), "must be positive")
	}
}

func (o debounceOption) apply(r *resolver) {
	r.mode(Debounced, r.millis("task.Debounce", o.quiet), r.millis("task.Debounce", o.maxWait))
	if o.quiet == 0 {
		r.refuse("task.Debounce", o.quiet, "must be positive")
	}
	if o.maxWait != 0 && o.maxWait < o.quiet {
		r.refuse("task.Debounce", o.maxWait, "must not wait for less than for quiet")
	}
}

func (o uniqueKeyOption) apply(r *resolver) {
	r.Unique.Key = string(o)
	r.name("task.UniqueKey", r.Unique.Key)
}

func (o onConflictOption) apply(r *resolver) {
	r.Unique.OnConflict = Conflict(o)
	if o < onConflictOption(Reject) || o > onConflictOption(Replace) {
		r.refuse("task.OnConflict", Conflict(o).String(), "must be Reject, Ignore or Replace")
	}
}

// mode takes in an option that chooses m. Two in one list contradict each other.
func (r *resolver) mode(m UniqueMode, d, maxWait time.Duration) {
	if r.chosen != 0 && r.chosen != m {
		r.refuse("task."+m.String(), r.chosen.String(), "is chosen as well")
	}
	r.chosen = m
	r.Unique.Mode, r.Unique.For, r.Unique.MaxWait = m, d, maxWait
}

// settleUniqueness refuses what contradicts the mode, and fills in the default.
func (r *resolver) settleUniqueness() {
	u := &r.Unique
	if u.Mode == 0 {
		if u.Key != "" {
			r.refuse("task.UniqueKey", u.Key, "is for a task that is to be unique")
		}
		if u.OnConflict != 0 {
			r.refuse("task.OnConflict", u.OnConflict.String(), "is for a task that is to be unique")
		}
		return
	}
	if u.Mode != Debounced && u.Mode != RunAgain {
		if u.OnConflict == 0 {
			u.OnConflict = Reject
		}
		return
	}
	if u.OnConflict != 0 && u.OnConflict != Replace {
		r.refuse("task.OnConflict", u.OnConflict.String(), fmt.Sprintf("must be Replace with %s", u.Mode))
	}
	if r.ProcessAt.After(r.now) {
		r.refuse("task."+u.Mode.String(), r.ProcessAt, "does not go with a time to run at")
	}
	if r.Group != "" {
		r.refuse("task."+u.Mode.String(), r.Group, "does not go with a group")
	}
	u.OnConflict = Replace
}
