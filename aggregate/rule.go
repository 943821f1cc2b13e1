package aggregate

import (
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What a [Rule] says where it is silent.
const (
	DefaultGrace    = time.Minute
	DefaultMaxSize  = broker.MaxBatch
	DefaultParallel = 4
)

// A Rule says when the tasks that wait in a group become a batch: as soon as one of its
// fields says so. The oldest are taken, as many as MaxSize and MaxBytes allow; the
// others go on waiting, and if there are enough of them they are the next batch, at once.
// Negative values are refused.
type Rule struct {
	// Grace is how long a group waits for more once something has joined it. It is
	// kept in whole seconds, rounded up, and must be at least one. 0: DefaultGrace.
	Grace time.Duration

	// MaxDelay is how long a task waits at most, whatever joins its group meanwhile. It
	// is kept as Grace is. 0: no limit.
	MaxDelay time.Duration

	// MaxSize is how many tasks a batch has at most, and enough for one. 0:
	// DefaultMaxSize, which is also the largest.
	MaxSize int

	// MaxBytes is how large the payloads of a batch are at most together, and enough for
	// one; a single one may be larger. It has the storage asked more often. 0: no limit.
	MaxBytes int64

	// Parallel is how many batches are run at once, of all groups together that go by
	// this rule. 0: DefaultParallel.
	Parallel int

	// Timeout is how long the handler may take for a batch. Its context ends with
	// [github.com/leatwork/leat/queue.ErrTimeout] then. 0: as long as each of the tasks may, as [task.Timeout] says it.
	Timeout time.Duration
}

// withDefaults returns r with every default filled in.
func (r Rule) withDefaults() Rule {
	if r.Grace == 0 {
		r.Grace = DefaultGrace
	}
	if r.MaxSize == 0 {
		r.MaxSize = DefaultMaxSize
	}
	if r.Parallel == 0 {
		r.Parallel = DefaultParallel
	}
	return r
}

// check returns all that is wrong with r.
func (r Rule) check() error {
	var faults []error
	refuse := func(field string, value any, reason string) {
		faults = append(faults, task.Invalid("Rule."+field, value, reason))
	}
	if r.Grace != 0 && r.Grace < time.Second {
		refuse("Grace", r.Grace, "must be at least 1s")
	}
	if r.MaxDelay != 0 && r.MaxDelay < time.Second {
		refuse("MaxDelay", r.MaxDelay, "must be at least 1s")
	}
	if r.MaxSize < 0 || r.MaxSize > broker.MaxBatch {
		refuse("MaxSize", r.MaxSize, fmt.Sprintf("must be at most %d", broker.MaxBatch))
	}
	if r.MaxBytes < 0 {
		refuse("MaxBytes", r.MaxBytes, "must not be negative")
	}
	if r.Parallel < 0 {
		refuse("Parallel", r.Parallel, "must not be negative")
	}
	if r.Timeout < 0 {
		refuse("Timeout", r.Timeout, "must not be negative")
	}
	return errors.Join(faults...)
}
