package pages_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

func TestWhatIsCopiedOfGroupsConfirmsTheTasksInThem(t *testing.T) {
	w := newWorld(t, nil, nil)
	var c broker.Change
	for n := range 6 {
		c.Enqueue = append(c.Enqueue, broker.Entry{EntryRef: broker.EntryRef{Queue: "folded", ID: fmt.Sprint(n)}, Type: "t", Group: fmt.Sprint("g", n%2)})
	}
	if _, err := w.broker.Apply(t.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{}); err != nil {
		t.Fatal(err)
	}
	w.shows("/deed/group/delete?all=1&q=queue:folded", "Type 6 to confirm", "2 groups", "with <b>6 tasks", `"confirm":6}`)
}
