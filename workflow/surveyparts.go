package workflow

import (
	"context"
	"errors"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file looks at what steps consist of: the items of narrow maps, and the steps that
// were added to a run while it ran.

// narrow is up to how many items of a map are looked at to know when it began and ended.
const narrow = 100

func isNarrow(m mapState) bool { return m.Width <= narrow }

// An addedStep is a step that was added.
type addedStep struct {
	addedUnit
	record record
	task   broker.Stored // of one that has not ended, if it is kept
}

// loadParts looks at the records of what steps consist of, all in one trip: none, if no
// map is narrow and no step has added any. Those of as many items as one page has are read.
func (s *survey) loadParts(ctx context.Context) error {
	var keys []string
	items := 0
	for _, n := range s.Settling() {
		switch n.Kind {
		case plan.Map:
			if m, begun, err := s.mapped(ctx, n); err != nil {
				return err
			} else if begun && isNarrow(m) && items+m.Width <= pageSize {
				items += m.Width
				for i := range m.Width {
					keys = append(keys, s.unitKey(n, i))
				}
			}
		case plan.Step:
			units, err := s.addedUnits(ctx, n)
			if err != nil {
				return err
			}
			for i := range units {
				keys = append(keys, s.addedKey(n, i))
			}
		}
	}
	return s.load(ctx, keys...)
}

// mapTimes finds out when the first item of a map began, and when the last one ended,
// unless its items were not looked at.
func (s *survey) mapTimes(ctx context.Context, n *plan.Node, m mapState, status *StepStatus) error {
	for i := range m.Width {
		key := s.unitKey(n, i)
		if _, looked := s.values.read[key]; !looked {
			return nil
		}
		r, ok, err := s.recorded(ctx, key)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if began := r.ended.Add(-r.took); status.Began.IsZero() || began.Before(status.Began) {
			status.Began = began
		}
		status.EndedAt = later(status.EndedAt, r.ended)
	}
	return nil
}

// readAdded reads how the steps stand that were added.
func (s *survey) readAdded(ctx context.Context) error {
	var refs []broker.EntryRef
	var open []*addedStep
	for _, n := range s.Settling() {
		if n.Kind != plan.Step {
			continue
		}
		units, err := s.addedUnits(ctx, n)
		if err != nil {
			return err
		}
		records, err := s.addedRecords(ctx, n)
		if err != nil {
			return err
		}
		all := make([]addedStep, len(units))
		for i := range all {
			all[i] = addedStep{addedUnit: units[i], record: records[i]}
			if records[i].state == StepWaiting && !s.control.State.Ended() && units[i].Queue != "" {
				refs, open = append(refs, broker.EntryRef{Queue: units[i].Queue, ID: s.root() + addedPart(n, i)}), append(open, &all[i])
			}
		}
		s.added[n.Index] = all
	}
	return abreast(len(refs), func(i int) (err error) {
		if open[i].task, err = s.broker.Entry(ctx, refs[i]); errors.Is(err, broker.ErrNotFound) {
			return nil // it has not begun
		}
		return err
	})
}

// addedStatuses returns how the steps stand that n has added.
func (s *survey) addedStatuses(n *plan.Node, by *StepStatus) (all []StepStatus) {
	for i, a := range s.added[n.Index] {
		part := addedPart(n, i)
		status := StepStatus{
			Name: part, Kind: string(plan.Step), State: a.record.state, After: []string{n.Name}, Choice: by.Choice, Case: by.Case,
			Runs: a.Type, Queue: a.Queue, Known: true, Width: 1, ReadyAt: by.EndedAt,
			EndedAt: a.record.ended, Took: a.record.took, Tries: a.record.tries,
		}
		if status.State.Ended() {
			status.Ended = 1
		}
		if a.record.tries > 0 || a.record.took > 0 {
			status.Began = a.record.ended.Add(-a.record.took)
		}
		if status.State.bad() {
			status.Failed, status.Failure = 1, a.record.failure()
		}
		if a.task.ID != "" {
			storedStatus(a.task, false, &status)
		}
		if g, known := s.then(status.EndedAt); known && (a.task.ID != "" || status.State.Ended()) {
			status.TaskID = g.root() + part
		}
		all = append(all, status)
	}
	return all
}
