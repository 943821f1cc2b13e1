package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// between stands between the cursors of worlds in one of all.
const between = ","

// Events implements [broker.Streamer]. Events of several worlds are merged by
// their times; a cursor is one of each.
func (b *Broker) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	names := b.layout.Ears()
	if len(names) == 1 {
		return b.layout.World(names[0]).Events(ctx, after, limit)
	}
	cursors := make([]string, len(names))
	if after != "" {
		cursors = strings.Split(after, between)
	}
	if len(cursors) != len(names) {
		return nil, fmt.Errorf("events: %w: %w", broker.ErrRefused, task.Invalid("after", after, "is no cursor of an event"))
	}
	at := make(map[string]int, len(names))
	for i, name := range names {
		at[name] = i
	}
	found, errs := parallel(names, func(name string) ([]broker.Event, error) {
		return b.layout.World(name).Events(ctx, cursors[at[name]], limit)
	})
	for _, err := range errs {
		silent := errors.Is(err, errors.ErrUnsupported) && slices.Contains(errs, nil)
		if err != nil && !silent { // where nothing has happened yet, nobody knows whether events are kept
			return nil, err
		}
	}
	var all []broker.Event
	for len(all) < limit {
		first := -1
		for i, events := range found {
			if len(events) > 0 && (first < 0 || events[0].At.Before(found[first][0].At)) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		e := found[first][0]
		found[first] = found[first][1:]
		cursors[first] = e.Cursor
		e.Cursor = strings.Join(cursors, between)
		all = append(all, e)
	}
	return all, nil
}
