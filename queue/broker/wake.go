package broker

import (
	"context"
	"strings"
	"time"
)

// A Waker is a broker that wakes those who wait for something to do, as rule 10
// of the package comment has it. It is not part of [Broker]: who waits looks by
// itself, too, only less often.
type Waker interface {
	// Wait returns the next wake of one of queues. It returns an error that
	// matches [errors.ErrUnsupported] if the storage is not to be waited on, the
	// context's if that ends, one that matches ErrClosed if the broker is closed,
	// and any other if the storage cannot be asked.
	Wait(ctx context.Context, queues []string) (Wake, error)
}

// A Wake says that there is something to do in a queue. It reaches one of those
// who wait for the queue; who cannot follow it passes it on with
// [LeaseRequest].Pass.
type Wake struct {
	Queue string

	// At is when Advance has something to do, which may be over. It is zero if
	// entries have become ready: they are to be leased; or if Queue is that of
	// [GroupsOf]: then some have come to wait in groups.
	At time.Time
}

// OfGroups reports whether w is that entries have come to wait in groups, and of
// which queue.
func (w Wake) OfGroups() (queue string, ok bool) { return strings.CutSuffix(w.Queue, groups) }

// CheckWait returns what makes no sense in a call of [Waker].Wait, as rule 6 of
// the package comment has it, or nil.
func CheckWait(queues []string) error {
	var k checker
	if len(queues) == 0 {
		k.refuse("Queues", queues, "must not be empty")
	}
	for _, q := range queues {
		k.made("Queue", strings.TrimSuffix(q, groups))
	}
	return k.refusal()
}
