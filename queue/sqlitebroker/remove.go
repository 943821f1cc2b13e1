package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	selectHomeOf = prepared(`SELECT id FROM leat_home WHERE queue = ? LIMIT 1`)
	unnameHomes  = prepared(`UPDATE leat_home SET queue = NULL, id = NULL, close = NULL WHERE queue = ?`)
	deleteQueue  = prepared(`DELETE FROM leat_queue WHERE num = ?`)
	deleteAll    = []query{
		prepared(`DELETE FROM leat_day WHERE queue = ?`),
		prepared(`DELETE FROM leat_claim WHERE queue = ?`),
		prepared(`DELETE FROM leat_group WHERE queue = ?`),
		prepared(`DELETE FROM leat_batch WHERE queue = ?`),
	}
)

// Remove implements [broker.Operator]. The queue and the names of the homes
// beside it are gone in one commit, and what belonged to the homes is deleted
// in steps after it.
func (b *Broker) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	if err := broker.CheckQueue(queue); err != nil {
		return fmt.Errorf("remove %s: %w", queue, err)
	}
	var refusal error
	err := b.writer.write(ctx, func(t *tx) { refusal = t.removeQueue(queue, force) })
	if err == nil {
		err = refusal
	}
	if err == nil {
		b.writer.board.Forget(queue)
		b.writer.board.Forget(broker.GroupsOf(queue))
	}
	for more := true; err == nil && more; {
		err = b.writer.write(ctx, func(t *tx) {
			t.purge()
			more = t.on(selectUnnamed).first(func(*row) {})
		})
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", queue, err)
	}
	return nil
}

// removeQueue removes a queue, or says why not.
func (t *tx) removeQueue(name string, force bool) error {
	t.flush() // what other calls have done in this transaction
	q := t.queue(name)
	if q == nil {
		return broker.ErrNotFound
	}
	for _, state := range counted {
		if n := q.count[state]; n > 0 {
			return fmt.Errorf("%w: it holds %d %s entries", broker.ErrNotEmpty, n, state)
		}
	}
	home := ""
	if !force && t.on(selectHomeOf).text(name).first(func(r *row) { home = r.text() }) {
		return fmt.Errorf("%w: home %s lies beside it", broker.ErrNotEmpty, home)
	}
	t.on(unnameHomes).text(name).exec()
	for _, deletion := range deleteAll {
		t.on(deletion).int(q.num).exec()
	}
	t.on(resumeQueue).text(name).exec()
	t.on(deleteQueue).int(q.num).exec()
	delete(t.queues, name)
	clear(t.homes)
	return nil
}
