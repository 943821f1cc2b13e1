package sqlitebroker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var _ broker.Mender = (*Broker)(nil)

const (
	beginMend = `SAVEPOINT leat_mend`
	keepMend  = `RELEASE leat_mend`
	undoMend  = `ROLLBACK TO leat_mend; RELEASE leat_mend`
)

// Mend implements [broker.Mender]. All is mended in one commit, in which everything is
// read: whoever wants to write waits. A dry one does the same, and undoes it.
func (b *Broker) Mend(ctx context.Context, now time.Time, dry bool) ([]broker.Mended, error) {
	var all []broker.Mended
	err := b.writer.write(ctx, func(t *tx) { all = t.mend(dry) })
	if err != nil {
		return nil, fmt.Errorf("mend: %w", err)
	}
	left, err := b.Verify(ctx, now)
	if err != nil {
		return all, fmt.Errorf("mend: %w", err)
	}
	for _, sentence := range left {
		mended := slices.ContainsFunc(all, func(m broker.Mended) bool { return m.Fault == sentence })
		if !mended { // or it would be, if this were not dry
			all = append(all, broker.Mended{Fault: sentence})
		}
	}
	return all, nil
}

// mend puts right what contradicts the rules.
func (t *tx) mend(dry bool) (all []broker.Mended) {
	t.flush() // what other calls have done in this transaction
	t.run(beginMend)
	for _, r := range slices.Concat(rules, countRules()) {
		all = append(all, t.obey(r)...)
	}
	end := keepMend
	if dry {
		end = undoMend
	}
	t.run(end)
	clear(t.queues)
	clear(t.homes)
	return all
}

// obey has the tables keep to a rule, if there is a remedy, and returns what was mended.
func (t *tx) obey(r rule) (all []broker.Mended) {
	if r.mend == "" {
		return nil
	}
	found := t.breaches(r)
	if len(found) == 0 {
		return nil
	}
	t.run(r.mend)
	left := t.breaches(r)
	for _, sentence := range found {
		if !slices.Contains(left, sentence) {
			all = append(all, broker.Mended{Fault: sentence, Done: r.done})
		}
	}
	return all
}

// breaches returns what contradicts a rule.
func (c *conn) breaches(r rule) (sentences []string) {
	c.read(r.find, func(r *row) { sentences = append(sentences, r.text()) })
	return sentences
}

// run runs statements that are not among the prepared queries.
func (c *conn) run(sql string) {
	if c.err == nil {
		c.note(c.db.Exec(sql))
	}
}
