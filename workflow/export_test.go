package workflow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// Explain writes down what a workflow's plan does: how a run begins, and what follows
// from what may become of each of its steps.
func Explain(w Registrable) string {
	p := w.Spec().Plan
	g := graph{p, broker.Home{Queue: p.Queue, ID: "r"}, control{Tag: "tag"}}
	var b strings.Builder
	open, ready := g.begin()
	fmt.Fprintln(&b, "begin")
	for _, l := range open {
		fmt.Fprintf(&b, "  open %s of %d, then%s, else%s\n", l.ID, l.Total, partText(l.Then), partText(l.Else))
	}
	fmt.Fprintf(&b, " %s\n", partText(broker.Part{Enqueue: ready}))
	for _, n := range g.Settling() {
		explain(&b, g, n)
	}
	return b.String()
}

func explain(b *strings.Builder, g graph, n *plan.Node) {
	switch {
	case n.Kind == plan.End:
		return
	case g.ends(n):
		fmt.Fprintf(b, "%s done\n  end the run\n", n.Name)
	case n.Kind == plan.Choice:
		for i, arm := range n.Arms {
			skipped, p := g.take(n, i)
			fmt.Fprintf(b, "%s takes %s\n  %s\n", n.Name, arm.Name, partText(p))
			for _, s := range skipped {
				fmt.Fprintf(b, "  skip %s\n", s.Name)
			}
		}
	case n.Kind == plan.Map:
		l := g.fold(n, 3)
		fmt.Fprintf(b, "%s expands to 3\n", n.Name)
		fmt.Fprintf(b, "  open %s of %d, window %d, stop at %d, tolerate %d, then%s, else%s\n", l.ID, l.Total, l.Window, l.StopAt, l.Tolerate, partText(l.Then), partText(l.Else))
		fmt.Fprintf(b, "  feed %s\n", describe(g.itemEntry(n, itemPart(n, 0), nil)))
	case n.Kind == plan.Await || n.Kind == plan.Sleep:
		explainWait(b, g, n)
	case n.Kind == plan.Loop:
		fmt.Fprintf(b, "%s begins\n  %s\n", n.Name, describe(g.itemEntry(n, itemPart(n, 0), nil)))
		fmt.Fprintf(b, "%s has gone round\n  put %s, %s\n", n.Name, g.loopKey(n), describe(g.itemEntry(n, itemPart(n, 1), nil)))
		fallthrough
	default:
		fmt.Fprintf(b, "%s done\n %s\n", n.Name, partText(g.follow(n, StepDone)))
	}
	if n.Kind == plan.Sleep || n.Kind == plan.Await && (n.Wait.For == 0 || n.Wait.Fallback != nil) {
		return // it does not fail
	}
	if n.Fatal {
		fmt.Fprintf(b, "%s failed\n  close the run\n", n.Name)
	} else {
		fmt.Fprintf(b, "%s failed\n %s\n", n.Name, partText(g.follow(n, StepFailed)))
	}
}

func explainWait(b *strings.Builder, g graph, n *plan.Node) {
	fmt.Fprintf(b, "%s begins\n  put %s\n", n.Name, g.waitKey(n))
	if n.Wait.For > 0 {
		fmt.Fprintf(b, "  in %s %s\n", n.Wait.For, describe(g.timer(n, time.Time{})))
	}
	switch n.Kind {
	case plan.Await:
		fmt.Fprintf(b, "%s gets %s\n %s\n", n.Name, inboxKey(n.Wait.Signal), partText(g.follow(n, StepDone)))
		if n.Wait.Fallback != nil {
			fmt.Fprintf(b, "%s done with %s\n %s\n", n.Name, n.Wait.Fallback, partText(g.follow(n, StepDone)))
		}
	default:
		fmt.Fprintf(b, "%s done\n %s\n", n.Name, partText(g.follow(n, StepDone)))
	}
}

func partText(p broker.Part) string {
	var b strings.Builder
	for _, e := range p.Enqueue {
		fmt.Fprintf(&b, " %s", describe(e))
	}
	for _, a := range p.Arrive {
		mark := ""
		if a.Mark {
			mark = " marked"
		}
		fmt.Fprintf(&b, " arrive %s.%d%s", a.Latch, a.Member, mark)
	}
	if b.Len() == 0 {
		return " nothing"
	}
	return b.String()
}

func describe(e broker.Entry) string {
	group := ""
	if e.Group != "" {
		group = ", group " + e.Group
	}
	return fmt.Sprintf("%s in %s%s (%s)", e.ID, e.Queue, group, strings.Join(e.Reads, " "))
}

// SweepTwice has the runs of a workflow looked after, as a server does now and then, with
// so much time in between that what was missing at first is believed to be. It returns
// how much was.
func SweepTwice(ctx context.Context, b broker.Broker, w Registrable) (mended int, err error) {
	e := newEngine()
	e.adopt(w.Spec())
	s := newSweeper(e, b, w.Spec().Plan)
	for range 2 {
		if err := s.look(ctx); err != nil {
			return mended, err
		}
		mended += (&Registration{e}).Sweeps()[0].Mended
		for ref := range s.suspects {
			s.suspects[ref] = time.Now().Add(-time.Minute)
		}
		for home := range s.still {
			s.still[home] = time.Now().Add(-time.Minute)
		}
	}
	return mended, nil
}
