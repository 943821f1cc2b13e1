package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	extendLease = prepared(`UPDATE leat_entry SET at = ? WHERE num = ?`)
	reportEntry = prepared(`UPDATE leat_entry SET progress = ? WHERE num = ?`)
)

// Extend implements [broker.Broker]. The lease of one member extends its batch.
func (b *Broker) Extend(ctx context.Context, _, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	if err := broker.CheckExtend(leases); err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}
	end := ceilSecond(until)
	held, err := b.eachLease(ctx, leases, func(t *tx, _ int, k *known) {
		if k.frozen() {
			t.on(extendBatch).int(end).text(k.token).exec()
		} else {
			t.on(extendLease).int(end).int(k.num).exec()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("extend %d leases: %w", len(leases), err)
	}
	return held, nil
}

// Report implements [broker.Operator].
func (b *Broker) Report(ctx context.Context, _ time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	if err := broker.CheckReport(reports); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	leases := make([]broker.LeaseRef, len(reports))
	for i, r := range reports {
		leases[i] = r.LeaseRef
	}
	held, err := b.eachLease(ctx, leases, func(t *tx, i int, k *known) {
		t.on(reportEntry).blob(reports[i].Data).int(k.num).exec()
		if k.watched {
			t.signal(broker.ProgressSeen, k.ref())
		}
	})
	if err != nil {
		return nil, fmt.Errorf("report of %d entries: %w", len(reports), err)
	}
	return held, nil
}

// eachLease runs f for each of leases that is held, in one transaction, and says
// of each whether it is.
func (b *Broker) eachLease(ctx context.Context, leases []broker.LeaseRef, f func(t *tx, i int, k *known)) ([]broker.Held, error) {
	if len(leases) == 0 {
		return nil, refused(ctx.Err())
	}
	var held []broker.Held
	err := b.writer.write(ctx, func(t *tx) {
		held = make([]broker.Held, 0, len(leases))
		for i, l := range leases {
			k, kept := t.lookUp(l)
			if kept {
				f(t, i, &k)
			}
			held = append(held, heldAs(kept, k.asked))
		}
	})
	return held, err
}

func heldAs(kept, asked bool) broker.Held {
	switch {
	case !kept:
		return broker.Lost
	case asked:
		return broker.Asked
	default:
		return broker.Kept
	}
}
