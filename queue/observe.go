package queue

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// An Observer is told what happens. It is called from many goroutines at once,
// synchronously, so it must return soon and not wait for anything. A panic or
// runtime.Goexit in it is logged and does no harm. ctx is that of the call or of the handler that
// the event is about, and may have ended; for the other events it is the
// server's.
type Observer func(ctx context.Context, e Event)

// An EventKind says what happened.
type EventKind int

// The kinds of events, and which fields of [Event] they have besides Entry.
const (
	EventEnqueued   EventKind = iota + 1 // a client has enqueued the entry
	EventStarted                         // a handler is about to be called
	EventSettled                         // the outcome was recorded: Outcome, Failed, Err, Took
	EventLeaseLost                       // the outcome was not recorded, another worker's counts: Err says why, Took
	EventStuck                           // the handler goes on after its context ended, every minute: Err, Took
	EventRecovered                       // Count entries of dead workers are ready again; no Entry
	EventParked                          // the entry cannot be read and was archived: only its name, and Err
	EventTrimmed                         // Count archived entries were deleted because the archive is limited; no Entry
	EventBatched                         // a batch of Count entries was run: Err, Took; of Entry only its Queue and its Group
	EventTicked                          // a periodic entry, named Name, has enqueued Entry, Took after the tick was due
	EventRunStarted                      // a run of the workflow Name was started; of Entry only its Home
	EventRunEnded                        // a run of the workflow Name has ended, in State, after Took; of Entry only its Home
)

var eventNames = [...]string{
	EventEnqueued:   "enqueued",
	EventStarted:    "started",
	EventSettled:    "settled",
	EventLeaseLost:  "lease lost",
	EventStuck:      "stuck",
	EventRecovered:  "recovered",
	EventParked:     "parked",
	EventTrimmed:    "trimmed",
	EventBatched:    "batched",
	EventTicked:     "ticked",
	EventRunStarted: "run started",
	EventRunEnded:   "run ended",
}

// String returns the kind in words: "lease lost".
func (k EventKind) String() string {
	if k < EventEnqueued || k > EventRunEnded {
		return fmt.Sprintf("EventKind(%d)", int(k))
	}
	return eventNames[k]
}

// An Event is something that happened to an entry. Its Payload, Headers and
// other shared parts must not be modified.
type Event struct {
	Kind    EventKind
	Entry   broker.Entry   // as leased; for EventSettled as settled
	Outcome broker.Outcome // how it was settled
	Failed  bool           // that counts as a failure
	Err     error          // what the handler returned, or why its context ended
	Took    time.Duration  // since the handler was called
	Waited  time.Duration  // for EventStarted: since it was ready, at least 1 ns; 0 if that is not known
	Count   int            // how many entries, if there is no single one
	Name    string         // of a workflow or a periodic entry
	State   string         // how a run has ended, in the words of package workflow
}

// Observers returns an observer that tells all of observers, in that order; those that
// are nil are left out. One that panics or calls runtime.Goexit does the others no harm.
// It returns nil if there is nobody to tell.
func Observers(observers ...Observer) Observer {
	all := slices.DeleteFunc(slices.Clone(observers), func(o Observer) bool { return o == nil })
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return func(ctx context.Context, e Event) { tellInTurn(ctx, e, all) }
}

func tellInTurn(ctx context.Context, e Event, observers []Observer) {
	if len(observers) > 1 {
		defer tellInTurn(ctx, e, observers[1:]) // however the first one ends
	}
	observers[0](ctx, e)
}

// observe tells o about e, if there is an observer.
func (o Observer) observe(ctx context.Context, log *slog.Logger, e Event) {
	if o == nil {
		return
	}
	o.tell(ctx, log, e)
}

// tell tells the server's observer of e, or the client's that an entry was enqueued.
func (c Config) tell(ctx context.Context, e Event) {
	o := c.Observer
	if e.Kind == EventEnqueued {
		o = c.Client.Observer
	}
	o.observe(ctx, c.Logger, e)
}

// Tell tells the client's Observer of e. It is for packages that build on this one.
func (c *Client) Tell(ctx context.Context, e Event) { c.Observer.observe(ctx, slog.Default(), e) }

// tell is not part of observe, so that an event which nobody observes costs nothing.
func (o Observer) tell(ctx context.Context, log *slog.Logger, e Event) {
	callBack(ctx, log, "Observer", func() { o(ctx, e) })
}
