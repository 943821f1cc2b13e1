package broker

import (
	"context"
	"time"

	"github.com/leatwork/leat/task"
)

// A Listener is a broker that tells at once of some things that happen. It is
// not part of [Broker]: who listens asks in another way, too, only less often.
type Listener interface {
	// Listen calls hear for what happens from then on, from one goroutine and
	// one after another, until ctx ends or the storage cannot be listened to;
	// then it returns why. What happens meanwhile is not told later: a signal is
	// a hint. hear must return soon.
	Listen(ctx context.Context, hear func(Signal)) error
}

// A Signal says what happened to which entry.
type Signal struct {
	Kind  SignalKind
	Entry EntryRef // its Queue is empty if the one who sent it did not name one, as asynq does
}

// A SignalKind says what happened.
type SignalKind int

// What is told.
const (
	// Listening: from now on, what happens is told. It comes first, and again
	// after an interruption; it has no entry.
	Listening SignalKind = iota + 1

	// CancelSent: somebody has asked for an active entry to be cancelled.
	CancelSent

	// EndSeen: an entry that is watched ([Change].Watch) was completed, archived
	// or deleted.
	EndSeen

	// ProgressSeen: an entry that is watched has new progress.
	ProgressSeen
)

// A Streamer is a broker that was told to keep what happens to entries. It is not
// part of [Broker]: most storages keep nothing.
type Streamer interface {
	// Events returns up to limit of the events after a cursor, the oldest first:
	// those that are kept, from the oldest on if after is empty or is kept no
	// more. It returns none if there are none, and an error that matches
	// ErrRefused, and may match [errors.ErrUnsupported], if the storage was not told to keep any.
	// A broker that keeps none itself may return those that others keep in its storage.
	Events(ctx context.Context, after string, limit int) ([]Event, error)
}

// An Event is that an entry has come into a state. It is written in the commit
// that brings it there. The oldest are forgotten when there are too many.
type Event struct {
	Cursor string // of this event: means nothing else to a caller
	At     time.Time
	Entry  EntryRef
	State  task.State // 0: it was deleted
}
