package task

import "time"

// An Info describes a stored task as it was at one moment.
type Info struct {
	ID      string
	Queue   string
	Type    string
	Payload []byte
	Headers map[string]string

	State State

	MaxRetry     int       // retries that are allowed
	Retried      int       // retries that were used
	LastErr      string    // text of the last failure, "" if there was none
	LastFailedAt time.Time // zero if it never failed

	Timeout  time.Duration // for one attempt; 0: none
	Deadline time.Time     // for all attempts; zero: none
	StartBy  time.Time     // when it is too late to begin; zero: never
	Group    string        // where it waits to be folded into a batch; "": in none

	MaxCrashes int    // how often its worker may be lost, one time after another; 0: as the server says
	Crashes    int    // how often it was, since an outcome was last recorded
	End        string // why it was archived, if not for failures: "cancelled", "expired", "poison" or "undecodable"; "" otherwise
	UniqueKey  string // what it is, or was, the only one with in its queue; "": nothing

	// CancelAsked says of an active task that somebody has asked for it to be
	// cancelled.
	CancelAsked bool

	Progress []byte          // what its handler reported last, nil if nothing
	Attempts []AttemptRecord // those that were recorded last, at most ten, the last one last

	// NextProcessAt is when the task is due: for a pending one the moment of
	// the question, zero in states that have no such time.
	NextProcessAt time.Time

	// IsOrphaned says of an active task that its lease has run out, so that no
	// worker has it any more. A server of its queue takes it back.
	IsOrphaned bool

	Retention   time.Duration // how long it is kept once completed; 0: not at all
	CompletedAt time.Time     // zero unless it is completed
	Result      []byte        // what its handler wrote, nil if nothing
}

// An AttemptRecord says what came of one attempt to run a task.
type AttemptRecord struct {
	Started time.Time // zero if it is not known
	Ended   time.Time
	Worker  string // who ran it, as "host:pid"; "" if it is not known
	Err     string // what came of it; "": it was done
	Stack   string // where the handler panicked, if it did, as [PanicError.Trace] tells it, at most 4 KiB; else ""
}
