package workflow

import (
	"fmt"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// Explain writes down what the plan does: how a run begins, and what follows when
// each of its nodes has ended.
func Explain(w Registrable) string {
	g := graph{w.Plan(), broker.Home{Queue: w.Plan().Queue, ID: "r"}, "tag"}
	var b strings.Builder
	open, ready := g.begin()
	fmt.Fprintln(&b, "begin")
	for _, l := range open {
		fmt.Fprintf(&b, "  open %s of %d, then%s\n", l.ID, l.Total, part(l.Then))
	}
	fmt.Fprintf(&b, " %s\n", part(broker.Part{Enqueue: ready}))
	for _, n := range g.Nodes {
		switch n.Kind {
		case plan.Step:
			fmt.Fprintf(&b, "%s ends\n ", n.Name)
			if g.ends(n) {
				fmt.Fprintln(&b, " end the run")
				continue
			}
			fmt.Fprintln(&b, part(g.follow(n)))
		case plan.Map:
			l := g.latch(n, 3)
			fmt.Fprintf(&b, "%s expands to 3\n", n.Name)
			fmt.Fprintf(&b, "  open %s of %d, window %d, stop at %d, then%s, else%s\n", l.ID, l.Total, l.Window, l.StopAt, part(l.Then), part(l.Else))
			fmt.Fprintf(&b, "  feed %s\n", describe(g.item(n, 0, nil)))
		}
	}
	return b.String()
}

func part(p broker.Part) string {
	var b strings.Builder
	for _, e := range p.Enqueue {
		fmt.Fprintf(&b, " %s", describe(e))
	}
	for _, a := range p.Arrive {
		fmt.Fprintf(&b, " arrive %s.%d", a.Latch, a.Member)
	}
	if b.Len() == 0 {
		return " nothing"
	}
	return b.String()
}

func describe(e broker.Entry) string {
	return fmt.Sprintf("%s in %s (%s)", e.ID, e.Queue, strings.Join(e.Reads, " "))
}
