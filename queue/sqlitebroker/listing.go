package sqlitebroker

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	selectTerms = prepared(`SELECT term FROM leat_term WHERE home = ?`)
	deleteTerm  = prepared(`DELETE FROM leat_term WHERE home = ? AND term = ?`)
	putTerm     = prepared(`INSERT INTO leat_term (home, term, queue, at, id) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET at = excluded.at WHERE at <> excluded.at`)

	selectFirstListed = prepared(`SELECT at, id, home FROM leat_term
		WHERE queue = ? AND term = ? AND (at, id) > (?, ?) AND (at, id) < (?, ?) ORDER BY at, id LIMIT ?`)
	selectLastListed = prepared(`SELECT at, id, home FROM leat_term
		WHERE queue = ? AND term = ? AND (at, id) > (?, ?) AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?`)
	selectTerm     = prepared(`SELECT 1 FROM leat_term WHERE home = ? AND term = ?`)
	selectOpenHome = prepared(`SELECT 1 FROM leat_home WHERE num = ? AND queue IS NOT NULL`)
)

// anyTerm is a term of every home that is found by something.
const anyTerm = ""

// list has the home called name be found by l, and by nothing else.
func (t *tx) list(name broker.Home, l *broker.Listing) {
	h := t.madeHome(name)
	stale := make(map[string]bool)
	t.on(selectTerms).int(h.num).each(func(r *row) { stale[r.text()] = true })
	for _, term := range append([]string{anyTerm}, l.Terms...) {
		delete(stale, term)
		t.on(putTerm).int(h.num).text(term).text(name.Queue).int(milli(l.At)).text(name.ID).exec()
	}
	for term := range stale {
		t.on(deleteTerm).int(h.num).text(term).exec()
	}
}

// A listedPlace is where a home stands among those beside the same queue.
type listedPlace struct {
	at int64
	id string
}

func (p listedPlace) compare(other listedPlace) int {
	return cmp.Or(cmp.Compare(p.at, other.at), strings.Compare(p.id, other.id))
}

// mostLookedAt is how many homes with one of the terms are looked at for a page.
const mostLookedAt = 2 * broker.MaxParts

// Homes implements [broker.Broker]. Of several terms, the rarest is best given
// first: it reads the homes that have that, two thousand at most, and looks which
// of them have the others.
func (b *Broker) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	if err := r.Check(); err != nil {
		return broker.HomesPage{}, fmt.Errorf("homes of %s: %w", r.Queue, err)
	}
	above, below, err := between(r)
	if err != nil {
		return broker.HomesPage{}, fmt.Errorf("homes of %s: %w", r.Queue, refused(err))
	}
	var page broker.HomesPage
	err = b.read(ctx, func(c *conn) { page = c.homes(r, above, below) })
	if err != nil {
		return broker.HomesPage{}, fmt.Errorf("homes of %s: %w", r.Queue, err)
	}
	return page, nil
}

// between returns the places between which lies what r asks for.
func between(r broker.HomesRequest) (above, below listedPlace, err error) {
	above, below = listedPlace{at: math.MinInt64}, listedPlace{at: math.MaxInt64}
	if !r.From.IsZero() {
		above.at = milli(r.From)
	}
	if !r.To.IsZero() {
		below.at = milli(r.To)
	}
	if r.After == "" {
		return above, below, nil
	}
	at, id, err := parsePlace("HomesRequest.After", r.After)
	last := listedPlace{at, id}
	switch {
	case r.Newest && last.compare(below) < 0:
		below = last
	case !r.Newest && last.compare(above) > 0:
		above = last
	}
	return above, below, err
}

// homes returns a page of the homes that lie between two places.
func (c *conn) homes(r broker.HomesRequest, above, below listedPlace) (page broker.HomesPage) {
	selection := selectFirstListed
	if r.Newest {
		selection = selectLastListed
	}
	first, others := anyTerm, r.Terms
	if len(r.Terms) > 0 {
		first, others = r.Terms[0], r.Terms[1:]
	}
	var last listedPlace
	looked := 0
	c.on(selection).text(r.Queue).text(first).int(above.at).text(above.id).int(below.at).text(below.id).
		int(mostLookedAt + 1).while(func(row *row) bool {
		if len(page.Homes) == r.Limit || looked == mostLookedAt {
			page.Next = placeOf(last.at, last.id)
			return false
		}
		last = listedPlace{row.int(), row.text()}
		if looked++; c.isFound(row.int(), others) {
			home := broker.Home{Queue: r.Queue, ID: last.id}
			page.Homes = append(page.Homes, broker.ListedHome{Home: home, At: time.UnixMilli(last.at).UTC()})
		}
		return true
	})
	return page
}

// isFound reports whether a home has terms, and has not been closed.
func (c *conn) isFound(home int64, terms []string) bool {
	for _, term := range terms {
		if !c.on(selectTerm).int(home).text(term).first(func(*row) {}) {
			return false
		}
	}
	return c.on(selectOpenHome).int(home).first(func(*row) {})
}
