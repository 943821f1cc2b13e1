package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var extendLease = prepared(`UPDATE leat_entry SET at = ? WHERE num = ?`)

// Extend implements [broker.Broker].
func (b *Broker) Extend(ctx context.Context, _, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	if err := broker.CheckExtend(leases); err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}
	if len(leases) == 0 {
		return nil, refused(ctx.Err())
	}
	end := milli(broker.CeilSecond(until))
	var held []broker.Held
	err := b.writer.write(ctx, func(t *tx) {
		held = make([]broker.Held, 0, len(leases))
		for _, l := range leases {
			h, kept := t.lookUp(l)
			if !kept {
				held = append(held, broker.Lost)
				continue
			}
			t.on(extendLease).int(end).int(h.num).exec()
			held = append(held, broker.Kept)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("extend %d leases: %w", len(leases), err)
	}
	return held, nil
}
