package workflow

import (
	"strconv"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Place is what an entry is for in its run.
type Place struct {
	Run  string // its id
	Root string // what the ids of the run's entries begin with: another when it is retried
	Step string // "" if the entry is about the whole run
	Item int    // of a map, a round of a loop, or of what the step has added; otherwise -1

	Added bool   // Item is one of those that the step has added
	Undo  bool   // the entry undoes the step
	Cause string // of an entry of the engine's own, to find out how the run goes on; otherwise ""
}

// PlaceOf returns what e is for in the run that it belongs to, and whether it belongs to
// one. It goes by the entry's id alone.
func PlaceOf(e broker.Entry) (Place, bool) {
	rest, ours := strings.CutPrefix(e.ID, e.Home.ID+joint)
	tag, name, tagged := strings.Cut(rest, joint)
	if e.Home.IsZero() || strings.Contains(e.Home.Queue, joint) || !ours || !tagged {
		return Place{}, false
	}
	p := Place{Run: e.Home.ID, Root: e.ID[:len(e.Home.ID)+len(joint)+len(tag)+len(joint)], Item: -1}
	if caused, ok := strings.CutPrefix(name, joint); ok {
		p.Cause, name, _ = strings.Cut(caused, joint)
	}
	if p.Cause == causeUndo {
		p.Cause, p.Undo = "", true
	}
	if ofRuns[p.Cause] || name == plan.EndName {
		return p, true
	}
	step, item, _ := strings.Cut(name, joint)
	p.Step = step
	item, _, _ = strings.Cut(item, ".")
	number, added := strings.CutPrefix(item, "+")
	if i, err := strconv.Atoi(number); err == nil {
		p.Item, p.Added = i, added
	}
	return p, true
}
