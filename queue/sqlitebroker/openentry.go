package sqlitebroker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// unended are entries that belong to a home and have not ended: they have an index.
const unended = `home_queue IS NOT NULL AND (state NOT IN (5, 6) OR ended = 4)`

var selectOpen = prepared(`SELECT e.num, q.name, e.id FROM leat_entry e JOIN leat_queue q ON q.num = e.queue
	WHERE home_queue = ? AND home_id = ? AND ` + unended + ` AND e.num > ? ORDER BY e.num LIMIT ?`)

// OpenEntries implements [broker.Broker].
func (b *Broker) OpenEntries(ctx context.Context, r broker.OpenRequest) (broker.OpenPage, error) {
	if err := r.Check(); err != nil {
		return broker.OpenPage{}, fmt.Errorf("open entries of %s: %w", r.Home, err)
	}
	last, err := parseNumber(r.After)
	if err != nil {
		return broker.OpenPage{}, fmt.Errorf("open entries of %s: %w", r.Home, refused(err))
	}
	var page broker.OpenPage
	err = b.read(ctx, func(c *conn) { page = c.openEntries(r, last) })
	if err != nil {
		return broker.OpenPage{}, fmt.Errorf("open entries of %s: %w", r.Home, err)
	}
	return page, nil
}

// openEntries returns those open entries of a home whose number is above last.
func (c *conn) openEntries(r broker.OpenRequest, last int64) (page broker.OpenPage) {
	c.on(selectOpen).text(r.Home.Queue).text(r.Home.ID).int(last).int(int64(r.Limit) + 1).each(func(row *row) {
		if len(page.Entries) == r.Limit {
			page.Next = strconv.FormatInt(last, 10)
			return
		}
		last = row.int()
		page.Entries = append(page.Entries, broker.EntryRef{Queue: row.text(), ID: row.text()})
	})
	return page
}

// parseNumber returns the number of the entry at which a page has ended, 0 if
// there was none.
func parseNumber(after string) (num int64, err error) {
	if after == "" {
		return 0, nil
	}
	if num, err = strconv.ParseInt(after, 10, 64); err != nil {
		return 0, task.Invalid("OpenRequest.After", after, "is not the end of a page")
	}
	return num, nil
}
