package history

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Keeper counts what a server does, and writes it into the history. Of is for any number
// of goroutines, the other methods are for one at a time.
type Keeper struct {
	broker broker.Broker
	tally  *tally
	minute time.Time        // that was taken last
	drafts map[place]*draft // what is to be written
	led    bool             // somebody else looks at the queues, and sooner
	fresh  bool             // a document was begun
	tidied time.Time        // when what is kept no longer was deleted
}

// A draft is what is to be added to a document.
type draft struct {
	place
	by      *resolution
	since   time.Time // when there began to be anything to add
	adds    *sheet
	there   *sheet // what it is to be added to
	version int64  // of that
}

// NewKeeper returns a keeper of what is done in queues.
func NewKeeper(b broker.Broker, queues []string) *Keeper {
	return &Keeper{broker: b, tally: newTally(queues), drafts: map[place]*draft{}, tidied: time.Now()}
}

// Of returns what counts the tasks of a type in a queue: the same for as long as the
// keeper is there, nil if the queue is none of its own. A nil Keeper has none.
func (k *Keeper) Of(queue, name string) *Count {
	if k == nil {
		return nil
	}
	return k.tally.of(queue, name)
}

// Take takes what was counted since the last call as what was done in the minute in which
// at lies, to be written by Write.
func (k *Keeper) Take(at time.Time) {
	k.minute = at.UTC().Truncate(time.Minute)
	for queue, s := range k.tally.take() {
		k.draft(queue, s)
	}
}

// draft has s added to what is written of the minute.
func (k *Keeper) draft(queue string, s *slot) {
	for _, by := range []*resolution{minutes, hours} {
		p, i := by.place(queue, k.minute)
		if k.drafts[p] == nil {
			k.drafts[p] = &draft{place: p, by: by, since: k.minute, adds: newSheet(), there: newSheet()}
		}
		k.drafts[p].adds.add(i, s)
	}
}
