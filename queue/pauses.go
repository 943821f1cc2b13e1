package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Pause says who has paused a queue, when and why.
type Pause struct {
	By  string    `json:"by,omitempty"`
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at"`
}

func (p Pause) equal(o Pause) bool { return p.By == o.By && p.Why == o.Why && p.At.Equal(o.At) }

// pauses are who has paused queues, by the queue's name: the one document of a home of
// its own. Whether a queue is paused is not asked of it.
type pauses map[string]Pause

const (
	pausesKey   = "pauses"
	maxWords    = 200  // bytes, of who and of why
	mostPauses  = 1000 // that are kept; the oldest goes first
	pausesTries = 50   // how often a change is tried while others are faster
)

// pausesHome is where that document lies. No task is ever in a queue of that name.
func pausesHome() broker.Home { return broker.Home{Queue: "leat~pauses", ID: "all"} }

func pausesDocument(ctx context.Context, b broker.Broker) (broker.Document, error) {
	docs, err := b.Documents(ctx, pausesHome(), pausesKey)
	if err != nil {
		return broker.Document{}, err
	}
	return docs[0], nil
}

func parsePauses(d broker.Document) (all pauses, err error) {
	if d.Version == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(d.Body, &all); err != nil {
		return nil, fmt.Errorf("document %s of %s at version %d makes no sense: %w", d.Key, pausesHome(), d.Version, err)
	}
	return all, nil
}

// changePauses writes what edit makes of what is kept, if that reports that it is another.
func changePauses(ctx context.Context, b broker.Broker, now time.Time, edit func(pauses) bool) error {
	at, err := pausesDocument(ctx, b)
	if err != nil {
		return err
	}
	return changePausesFrom(ctx, b, now, at, edit)
}

// changePausesFrom does what changePauses does, where at is what was kept.
func changePausesFrom(ctx context.Context, b broker.Broker, now time.Time, at broker.Document, edit func(pauses) bool) error {
	for range pausesTries {
		all, err := parsePauses(at)
		if err != nil || all == nil {
			all = pauses{} // what is damaged is begun anew: a queue is paused in spite of it
		}
		if !edit(all) {
			return nil
		}
		outcome, err := writePauses(ctx, b, now, all, at.Version)
		if err != nil {
			return err
		}
		lost, beaten := errors.AsType[*broker.ConflictError](outcome)
		if !beaten {
			return outcome
		}
		at = lost.Document
	}
	return fmt.Errorf("%d times others were faster: %w", pausesTries, broker.ErrConflict)
}

func writePauses(ctx context.Context, b broker.Broker, now time.Time, all pauses, version int64) (outcome, err error) {
	all.trim()
	body, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	put := broker.Put{Key: pausesKey, Body: body, If: version}
	applied, err := b.Apply(ctx, now, []broker.Change{{Home: pausesHome(), Put: []broker.Put{put}}}, broker.LeaseRequest{})
	if err != nil {
		return nil, err
	}
	return applied.Outcomes[0], nil
}

// trim drops the oldest while there are too many: of queues that others have resumed
// nobody else forgets it.
func (all pauses) trim() {
	for len(all) > mostPauses {
		oldest, found := "", false
		for name, p := range all {
			if !found || p.At.Before(all[oldest].At) {
				oldest, found = name, true
			}
		}
		delete(all, oldest)
	}
}
