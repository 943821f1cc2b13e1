package sqlitebroker

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// storedColumns are what row.stored reads.
const storedColumns = `at, version, num, attempts, ended, asked, progress, result,
	CASE WHEN state = 7 THEN (SELECT until FROM leat_batch b WHERE b.token = leat_entry.token) END, ` + entryColumns

var (
	selectStored = prepared(`SELECT ` + storedColumns + ` FROM leat_entry WHERE queue = ? AND id = ?`)

	selectFirst = prepared(`SELECT ` + storedColumns + ` FROM leat_entry
		WHERE queue = ? AND state = ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT ? OFFSET ?`)
	selectLast = prepared(`SELECT ` + storedColumns + ` FROM leat_entry
		WHERE queue = ? AND state = ? AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ? OFFSET ?`)
	selectFirstOfGroup = prepared(`SELECT ` + storedColumns + ` FROM ` + ofGroups + `
		WHERE queue = ? AND group_name = ? AND ` + waiting + ` AND (at, id) > (?, ?) ORDER BY at, id LIMIT ? OFFSET ?`)
	selectLastOfGroup = prepared(`SELECT ` + storedColumns + ` FROM ` + ofGroups + `
		WHERE queue = ? AND group_name = ? AND ` + waiting + ` AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ? OFFSET ?`)
)

// stored reads storedColumns. What cannot be read of a parked entry is left out:
// LastErr says what that is. With the entry comes its number if attempts of it
// were recorded, and where it stands.
func (r *row) stored(queue string) (s broker.Stored, tried, at int64) {
	at = r.int()
	version, num := strconv.FormatInt(r.int(), 10), r.int()
	if r.int() > 0 {
		tried = num
	}
	end, asked, progress, result, until := broker.End(r.int()), r.flag(), r.blob(), r.blob(), r.milli()
	s, _ = r.entry(queue)
	s.Version, s.End, s.CancelAsked, s.Progress, s.Result = version, end, asked, progress, result
	if !until.IsZero() {
		s.Until = until
	}
	return s, tried, at
}

// Entry implements [broker.Broker].
func (b *Broker) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := broker.CheckEntry(ref); err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	var s broker.Stored
	found := false
	err := b.read(ctx, func(c *conn) {
		var tried int64
		found = c.on(selectStored).int(c.queueNum(ref.Queue)).text(ref.ID).first(func(r *row) { s, tried, _ = r.stored(ref.Queue) })
		if tried != 0 {
			s.Attempts = c.attempts(tried)
		}
	})
	if err == nil && !found {
		err = broker.ErrNotFound
	}
	if err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	return s, nil
}

// List implements [broker.Broker].
func (b *Broker) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	at, id, err := startOf(r)
	if err != nil {
		return nil, fmt.Errorf("list: %w", refused(err))
	}
	var page []broker.Stored
	err = b.read(ctx, func(c *conn) {
		s := c.on(pageQuery(r))
		s.int(c.queueNum(r.Queue))
		if r.State == task.Aggregating {
			s.text(r.Group)
		} else {
			s.int(int64(r.State))
		}
		s.int(at).text(id).int(int64(r.Limit)).int(int64(r.Offset)).each(func(row *row) {
			stored, _, at := row.stored(r.Queue)
			stored.Place = placeOf(at, stored.ID)
			page = append(page, stored)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list %s of %s: %w", r.State, r.Queue, err)
	}
	return page, nil
}

// pageQuery returns what selects a page that r asks for.
func pageQuery(r broker.ListRequest) query {
	grouped := r.State == task.Aggregating
	switch {
	case grouped && r.Newest:
		return selectLastOfGroup
	case grouped:
		return selectFirstOfGroup
	case r.Newest:
		return selectLast
	default:
		return selectFirst
	}
}

// placeOf returns the place of an entry in the order of its state, or of a home.
func placeOf(at int64, id string) string { return strconv.FormatInt(at, 10) + " " + id }

// startOf returns the place behind which the page begins that r asks for.
func startOf(r broker.ListRequest) (at int64, id string, err error) {
	switch {
	case r.After != "":
		return parsePlace("ListRequest.After", r.After)
	case r.Newest:
		return math.MaxInt64, "", nil
	default:
		return math.MinInt64, "", nil
	}
}

// parsePlace is the inverse of placeOf, for the place that field holds.
func parsePlace(field, place string) (at int64, id string, err error) {
	number, id, _ := strings.Cut(place, " ")
	if at, err = strconv.ParseInt(number, 10, 64); err != nil {
		return 0, "", task.Invalid(field, place, "is no place")
	}
	return at, id, nil
}
