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
	Group    string        // where it waits to be folded into a batch; "": in none

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
