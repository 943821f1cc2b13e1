package view

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// An Event is that a task came to a state.
type Event struct {
	Cursor string    `json:"cursor"` // what to ask with for what comes after
	At     time.Time `json:"at"`
	Queue  string    `json:"queue"`
	ID     string    `json:"id"`
	State  string    `json:"state"` // "deleted" if it is no more
}

// deleted is the state of a task that is no more.
const deleted = "deleted"

// EventOf returns what is shown of an event.
func EventOf(e broker.Event) Event {
	shown := Event{Cursor: e.Cursor, At: utc(e.At), Queue: e.Entry.Queue, ID: e.Entry.ID, State: deleted}
	if e.State != 0 {
		shown.State = e.State.String()
	}
	return shown
}
