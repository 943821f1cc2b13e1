package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// homes is beside which the homes of months are kept. No task is ever in a queue of that
// name.
const homes = "leat~audit"

// A month is what was done in it: a home with a document for each of the latest entries,
// in a ring, and one that says where its end is. It closes some time after its end, so
// that nothing is kept for ever.
type month struct{ begins time.Time }

const (
	room    = 2000 // entries that are kept of a month
	headKey = "head"
)

// A head is where the ring of a month ends.
type head struct {
	Written int64 `json:"written"` // entries so far, those included that others have replaced
}

func monthOf(t time.Time) month {
	year, m, _ := t.UTC().Date()
	return month{time.Date(year, m, 1, 0, 0, 0, 0, time.UTC)}
}

func (m month) before() month { return month{m.begins.AddDate(0, -1, 0)} }

func (m month) closes() time.Time { return m.begins.AddDate(0, 1, 0).Add(keep) }

func (m month) home() broker.Home {
	return broker.Home{Queue: homes, ID: m.begins.Format("2006-01")}
}

// slot returns the key of the i-th entry of a month.
func slot(i int64) string { return strconv.FormatInt(i%room, 10) }

// write keeps e.
func (l *Log) write(ctx context.Context, e Entry) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	m := monthOf(e.At)
	docs, err := l.broker.Documents(ctx, m.home(), headKey)
	if err != nil {
		return err
	}
	at := docs[0]
	for range tries {
		outcome, err := l.put(ctx, m, at, body)
		if err != nil {
			return err
		}
		lost, ok := errors.AsType[*broker.ConflictError](outcome)
		if !ok {
			return outcome
		}
		at = lost.Document
	}
	return fmt.Errorf("%d times others were faster: %w", tries, broker.ErrConflict)
}

// put writes an entry behind where at says that the month ends, if that is still so.
func (l *Log) put(ctx context.Context, m month, at broker.Document, body []byte) (outcome, err error) {
	end, err := headOf(at)
	if err != nil {
		return nil, err
	}
	next, err := json.Marshal(head{Written: end.Written + 1})
	if err != nil {
		return nil, err
	}
	applied, err := l.broker.Apply(ctx, l.clock(), []broker.Change{{
		Home: m.home(),
		Put: []broker.Put{
			{Key: headKey, Body: next, If: at.Version},
			{Key: slot(end.Written), Body: body, If: broker.AnyVersion},
		},
		Close: m.closes(),
	}}, broker.LeaseRequest{})
	if err != nil {
		return nil, err
	}
	return applied.Outcomes[0], nil
}

// read returns the latest n entries of a month, the last one first.
func (l *Log) read(ctx context.Context, m month, n int) ([]Entry, error) {
	docs, err := l.broker.Documents(ctx, m.home(), headKey)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	end, err := headOf(docs[0])
	if err != nil {
		return nil, err
	}
	keys := make([]string, min(int64(n), end.Written, room))
	for i := range keys {
		keys[i] = slot(end.Written - 1 - int64(i))
	}
	if len(keys) == 0 {
		return nil, nil
	}
	if docs, err = l.broker.Documents(ctx, m.home(), keys...); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var entries []Entry
	for _, d := range docs {
		if d.Version == 0 {
			break // the month has been deleted meanwhile
		}
		var e Entry
		if err := json.Unmarshal(d.Body, &e); err != nil {
			e.Err = "this entry cannot be read: " + err.Error()
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func headOf(d broker.Document) (h head, err error) {
	if d.Version == 0 {
		return h, nil
	}
	if err := json.Unmarshal(d.Body, &h); err != nil || h.Written < 0 {
		return h, fmt.Errorf("audit: document %s at version %d makes no sense: %q", d.Key, d.Version, d.Body)
	}
	return h, nil
}
