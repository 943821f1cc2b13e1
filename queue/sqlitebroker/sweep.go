package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectState = prepared(`SELECT ` + knownColumns + ` FROM leat_entry WHERE queue = ? AND state = ? ORDER BY at, id LIMIT ?`)
	selectGroup = prepared(`SELECT ` + knownColumns + ` FROM ` + ofGroups + ` WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at, id LIMIT ?`)
)

// Sweep implements [broker.Operator].
func (b *Broker) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	if err := r.Check(); err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	swept := 0
	err := b.writer.write(ctx, func(t *tx) { swept = t.sweep(now, r) })
	if err != nil {
		return 0, fmt.Errorf("sweep %s of %s: %w", r.State, r.Queue, err)
	}
	return swept, nil
}

func (t *tx) sweep(now time.Time, r broker.SweepRequest) int {
	q := t.queue(r.Queue)
	if q == nil {
		return 0
	}
	s := t.on(selectState).int(q.num).int(int64(r.State))
	if r.State == task.Aggregating {
		s = t.on(selectGroup).int(q.num).text(r.Group)
	}
	var all []known
	s.int(int64(r.Limit)).each(func(r *row) { all = append(all, r.known(q)) })
	for i := range all {
		// One may have moved another, such as the one that waits behind it.
		if k, found := t.find(all[i].ref()); found {
			t.do(now, &k, r.Do, time.Time{})
		}
	}
	t.drain(now)
	return len(all)
}
