package sqlitebroker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	putServer     = prepared(`INSERT OR REPLACE INTO leat_server (id, until, record) VALUES (?, ?, ?)`)
	deleteServer  = prepared(`DELETE FROM leat_server WHERE id = ?`)
	forgetServers = prepared(`DELETE FROM leat_server WHERE id IN
		(SELECT id FROM leat_server WHERE until <= ? ORDER BY until LIMIT ?)`)
	selectServers = prepared(`SELECT record FROM leat_server WHERE until > ? ORDER BY id`)
)

// Beat implements [broker.Broker]. It also deletes records that are forgotten.
func (b *Broker) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, err)
	}
	record, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, refused(err))
	}
	const most = 100
	err = b.writer.write(ctx, func(t *tx) {
		if s.Gone {
			t.on(deleteServer).text(s.ID).exec()
		} else {
			t.on(putServer).text(s.ID).int(milli(now.Add(broker.ServerTTL))).text(string(record)).exec()
		}
		t.on(forgetServers).int(now.UnixMilli()).int(most).exec()
	})
	if err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, err)
	}
	return nil
}

// Servers implements [broker.Broker].
func (b *Broker) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	var alive []broker.Server
	err := b.read(ctx, func(c *conn) {
		c.on(selectServers).int(now.UnixMilli()).each(func(r *row) {
			var s broker.Server
			c.note(r.json("record", &s))
			alive = append(alive, s)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	return alive, nil
}
