package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// cursor matches the id of an event in a stream.
var cursor = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{1,20}-\d{1,20}$`) })

// Events implements [broker.Streamer]. Where [Options].Events is not set, it returns those
// that other brokers keep, and refuses if there are none.
func (b *world) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	if err := b.started(ctx); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	from := "-"
	switch {
	case limit < 0:
		return nil, fmt.Errorf("events: %w: %w", broker.ErrRefused, task.Invalid("limit", limit, "must not be negative"))
	case after != "" && !cursor().MatchString(after):
		return nil, fmt.Errorf("events: %w: %w", broker.ErrRefused, task.Invalid("after", after, "is no cursor of an event"))
	case after != "":
		from = "(" + after
	}
	if b.kept == 0 {
		if found, err := b.client.Exists(ctx, b.keys.events()).Result(); err != nil {
			return nil, fmt.Errorf("events: %w", refusal(err))
		} else if found == 0 {
			return nil, fmt.Errorf("events: %w: %w: none are kept, Options.Events is 0", broker.ErrRefused, errors.ErrUnsupported)
		}
	}
	if limit == 0 {
		return nil, nil
	}
	entries, err := b.client.XRangeN(ctx, b.keys.events(), from, "+", int64(limit)).Result()
	if err != nil {
		return nil, fmt.Errorf("events: %w", refusal(err))
	}
	var events []broker.Event
	for _, e := range entries {
		values := []any{e.Values["at"], e.Values["queue"], e.Values["id"], e.Values["state"]}
		state, _ := task.ParseState(textAt(values, 3)) // none if it was deleted
		events = append(events, broker.Event{
			Cursor: e.ID,
			At:     time.UnixMilli(numberAt(values, 0)).UTC(),
			Entry:  broker.EntryRef{Queue: textAt(values, 1), ID: textAt(values, 2)},
			State:  state,
		})
	}
	return events, nil
}
