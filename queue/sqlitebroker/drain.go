package sqlitebroker

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	putDrain = prepared(`INSERT OR REPLACE INTO leat_drain (home, body) VALUES (?, ?)`)

	// takeDrain looks for what is open of a home only if that has a drain.
	takeDrain = prepared(`DELETE FROM leat_drain WHERE home = (SELECT num FROM leat_home WHERE queue = ?1 AND id = ?2)
		AND NOT EXISTS (SELECT 1 FROM leat_home h JOIN leat_entry ON home_queue = h.queue AND home_id = h.id
			WHERE h.num = leat_drain.home AND ` + unended + `) RETURNING body`)
)

// drainWith has entries be enqueued once nothing of the home called name is open.
func (t *tx) drainWith(name broker.Home, entries []broker.Entry) {
	recorded := recordedPart{Entries: recordEntries(entries)}
	t.on(putDrain).int(t.madeHome(name).num).text(t.json(1, recorded)).exec()
	t.closer(name)
}

// closer notes that less may be open of a home than was.
func (t *tx) closer(name broker.Home) {
	if name.IsZero() {
		return
	}
	if t.shrunk == nil {
		t.shrunk = make(map[broker.Home]bool)
	}
	t.shrunk[name] = true
}

// drain does the drains of those homes of which nothing is open any more.
func (t *tx) drain(now time.Time) {
	if len(t.shrunk) == 0 {
		return
	}
	homes := slices.SortedFunc(maps.Keys(t.shrunk), compareHomes)
	clear(t.shrunk)
	for _, name := range homes {
		var drained recordedPart
		t.on(takeDrain).text(name.Queue).text(name.ID).first(func(r *row) { t.note(r.json("drain", &drained)) })
		for i := range drained.Entries {
			e := drained.Entries[i].entry()
			t.enqueue(now, &e)
		}
	}
}

func compareHomes(a, b broker.Home) int {
	return cmp.Or(strings.Compare(a.Queue, b.Queue), strings.Compare(a.ID, b.ID))
}
