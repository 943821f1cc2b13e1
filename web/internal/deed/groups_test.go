package deed_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// groupedIn puts n tasks into each of some groups of a queue.
func (w *world) groupedIn(queue string, groups, n int) {
	w.Helper()
	for g := range groups {
		w.fill(queue, n, task.Group(fmt.Sprintf("g%03d", g)))
	}
}

func TestADeedIsDoneToAllGroupsThatAQueryTakes(t *testing.T) {
	inWorlds(t, func(w *world) {
		w.groupedIn("mail", 6, 4)
		w.groupedIn("sms", 2, 3)
		run := deed.Bulk{Kind: deed.Group, Deed: "run", Query: "queue:mail group:g00*"}
		p, err := w.d.Preview(w.Context(), admin, run)
		if err != nil || p.Count != 6 || !p.Exact || p.Within != 0 || len(p.Sample) != 5 || p.Sample[0].Text != "4 tasks" {
			w.Errorf("Preview() = %+v, %v", p, err)
		}
		run.Query = "queue:mail group:g000,g001"
		if end := w.bulk(run); end.State != deed.Ended || end.Done != 2 || w.in("mail", task.Pending) != 8 || w.in("mail", task.Aggregating) != 16 {
			w.Errorf("it has ended as %+v", end)
		}
		if told := w.last(); told.Kind != "group" || told.Target != run.Query || told.Count != 2 || told.Args["bulk"] != "ended" {
			w.Errorf("told was %+v", told)
		}
		remove := deed.Bulk{Kind: deed.Group, Deed: "delete", Query: "queue:mail"}
		if p, err = w.d.Preview(w.Context(), admin, remove); err != nil || p.Count != 4 || p.Within != 16 || p.About() != 16 {
			w.Errorf("Preview() = %+v, %v, want 4 groups with 16 tasks", p, err)
		}
		for _, confirm := range []int{0, 4} {
			remove.Confirm = confirm
			if _, err := w.d.Begin(w.Context(), admin, remove); !errors.Is(err, deed.ErrUnconfirmed) {
				w.Errorf("with %d confirmed of 16 it is answered with %v", confirm, err)
			}
		}
		remove.Confirm = 16
		if _, err := w.d.Begin(w.Context(), access.Identity{Name: "bo", Role: access.Operator}, remove); !errors.Is(err, deed.ErrForbidden) {
			w.Errorf("who may not is answered with %v", err)
		}
		if end := w.bulk(remove); end.State != deed.Ended || end.Done != 4 || w.in("mail", task.Aggregating) != 0 || w.in("sms", task.Aggregating) != 6 {
			w.Errorf("it has ended as %+v", end)
		}
		w.groupedIn("push", 2, 1)
		if end := w.bulk(deed.Bulk{Kind: deed.Group, Deed: "run", Query: "group:g001"}); end.State != deed.Ended || end.Done != 2 || w.in("push", task.Pending) != 1 || w.in("sms", task.Pending) != 3 {
			w.Errorf("it has ended as %+v", end)
		}
		several, err := w.d.Many(w.Context(), admin, w.find(deed.Group, "archive"), []deed.Target{{Queue: "sms", ID: "g000"}, {Queue: "sms", ID: "none"}, {Queue: "none", ID: "none"}}, nil)
		w.need(err)
		if several[0].Err != nil || !errors.Is(several[1].Err, deed.ErrGroupNotFound) || !errors.Is(several[2].Err, deed.ErrGroupNotFound) || w.in("sms", task.Archived) != 3 {
			w.Errorf("of several came %+v", several)
		}
	})
}

func TestABulkOfGroupsIsStopped(t *testing.T) {
	inWorlds(t, func(w *world) {
		w.groupedIn("mail", 2, 6000)
		id, err := w.d.Begin(w.Context(), admin, deed.Bulk{Kind: deed.Group, Deed: "archive"})
		w.need(err)
		w.need(w.d.Stop(admin, id))
		end := w.ended(id)
		if left := w.in("mail", task.Aggregating); end.State != deed.Stopped || left == 0 || end.Done == 2 || left+w.in("mail", task.Archived) != 12_000 {
			w.Errorf("it has ended as %+v, with %d left", end, left)
		}
	})
}
