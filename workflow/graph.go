package workflow

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file gives names to what belongs to a run: its documents, latches and
// entries. No step has a name with a joint in it, so that none is taken for
// another.

const joint = string(task.Joint)

// Documents that every run has.
const (
	controlKey = joint + "run"
	inputKey   = joint + "input"
	resultKey  = joint + "result"
)

// A graph is one run's plan, with the names that its parts get.
type graph struct {
	*plan.Plan
	home    broker.Home
	control control
}

// root is what the ids of the run's entries begin with: run~tag~.
func (g graph) root() string { return g.home.ID + joint + g.control.Tag + joint }

// epoch is what the names end with of that which an epoch has for itself.
func (g graph) epoch() string { return suffix(g.control.Epoch) }

func suffix(epoch int) string {
	if epoch == 0 {
		return ""
	}
	return joint + joint + strconv.Itoa(epoch)
}

// key names the document that records n's outcome.
func (g graph) key(n *plan.Node) string { return n.Name + suffix(g.control.Resets[n.Name]) }

// unitKey names the document that records the outcome of n's i-th item, or of n
// if i is negative. Items that are done stay so when the rest of a map is retried.
func (g graph) unitKey(n *plan.Node, i int) string {
	if i < 0 {
		return g.key(n)
	}
	return n.Name + suffix(g.control.Items[n.Name]) + joint + strconv.Itoa(i)
}

func (g graph) of(what string, n *plan.Node) string { return joint + what + joint + g.key(n) }

func (g graph) widthKey(n *plan.Node) string   { return g.of("width", n) }   // how wide a map is
func (g graph) missingKey(n *plan.Node) string { return g.of("missing", n) } // which items of a map are run again
func (g graph) waitKey(n *plan.Node) string    { return g.of("wait", n) }    // until when it waits

// loopKey names the document of how far a loop has come. Its rounds stay done when it is
// retried, as the items of maps do.
func (g graph) loopKey(n *plan.Node) string {
	return joint + "loop" + joint + n.Name + suffix(g.control.Items[n.Name])
}

func (g graph) cursorKey(what string) string { return joint + "cursor" + joint + what + g.epoch() } // how far something is fed

func (g graph) doubtKey(n *plan.Node, i int) string {
	return joint + "doubt" + joint + g.unitKey(n, i)
} // it may have taken effect

// inboxKey names the document of the signals of a name.
func inboxKey(signal string) string { return joint + "signal" + joint + signal }

func (g graph) joinLatch(n *plan.Node) string  { return joint + "join" + joint + n.Name + g.epoch() }  // over what n waits for
func (g graph) addedLatch(n *plan.Node) string { return joint + "added" + joint + n.Name + g.epoch() } // over what n has added
func (g graph) undoLatch() string              { return joint + "undo" + g.epoch() }

// itemLatch names the latch over a map's items, opened in an epoch.
func itemLatch(n *plan.Node, epoch int) string { return n.Name + suffix(epoch) }

// A part is what an entry of a run is for.
type part struct {
	cause  string     // of a decide; "" for a task
	node   *plan.Node // the end, if it is about the whole run
	name   string     // of the node, its item, what it added, or a signal
	item   int        // otherwise -1
	member int        // of the latch over the items; it is not item where only some are run
	added  bool       // item is one of those that the step added
}

// againPart names an item of a map of which only some are run: the i-th, or n itself if
// i is negative, which is the member of the latch over these.
func againPart(n *plan.Node, i, member int) string {
	if i < 0 {
		return n.Name + joint + "." + strconv.Itoa(member)
	}
	return itemPart(n, i) + "." + strconv.Itoa(member)
}

// itemPart names an item of a node, or the node if i is negative.
func itemPart(n *plan.Node, i int) string {
	if i < 0 {
		return n.Name
	}
	return n.Name + joint + strconv.Itoa(i)
}

// addedPart names a step that a step added.
func addedPart(n *plan.Node, i int) string { return n.Name + joint + "+" + strconv.Itoa(i) }

// place finds out what an entry of the run is for, from its id: root~part, or
// root~~cause~part. A nil node means that the plan has none of that name.
func (g graph) place(id string) part {
	p := part{item: -1, name: strings.TrimPrefix(id, g.root())}
	if rest, ok := strings.CutPrefix(p.name, joint); ok {
		p.cause, p.name, _ = strings.Cut(rest, joint)
	}
	if ofRuns[p.cause] {
		p.node = g.End()
		return p
	}
	if p.node = g.Node(p.name); p.node != nil {
		return p
	}
	i := strings.LastIndex(p.name, joint)
	if i < 0 {
		return p
	}
	index, member, again := strings.Cut(p.name[i+1:], ".")
	p.added = strings.HasPrefix(index, "+")
	var err, fault error
	if index != "" || !again {
		p.item, err = strconv.Atoi(strings.TrimPrefix(index, "+"))
	}
	if err != nil {
		p.item = -1
		return p
	}
	if p.member = p.item; again {
		p.member, fault = strconv.Atoi(member)
	}
	if fault == nil {
		p.node = g.Node(p.name[:i])
	}
	return p
}

// entry returns the entry that begins n.
func (g graph) entry(n *plan.Node) broker.Entry {
	switch n.Kind {
	case plan.Step:
		return g.unitEntry(n)
	case plan.Map:
		return g.decide(causeExpand, n)
	case plan.Loop:
		return g.decide(causeLoop, n)
	case plan.Choice:
		return g.decide(causeChoose, n)
	case plan.Await, plan.Sleep:
		return g.decide(causeWait, n)
	case plan.End:
		return g.decide(causeEnd, n)
	default: // a gate
		return g.decide(causeResolve, n)
	}
}

// unitEntry returns the entry that runs what n runs.
func (g graph) unitEntry(n *plan.Node) broker.Entry {
	e := g.itemEntry(n, n.Name, nil)
	e.Reads = g.reads(n)
	return e
}

// itemEntry returns the entry that runs what n runs for one of its items, whose input is
// element.
func (g graph) itemEntry(n *plan.Node, part string, element []byte) broker.Entry {
	var e broker.Entry
	if n.Unit.Workflow {
		e = g.decision(causeChild, part)
	} else {
		e = g.task(n.Unit, g.root()+part)
	}
	e.Payload, e.Exit = element, g.lost(part)
	return e
}

func (g graph) task(u *plan.Unit, id string) broker.Entry {
	e := broker.Entry{
		EntryRef:   broker.EntryRef{Queue: u.Queue, ID: id},
		Type:       u.Type,
		Headers:    g.headers(u.Headers),
		MaxRetry:   u.MaxRetry,
		MaxCrashes: u.MaxCrashes,
		Timeout:    u.Timeout,
		Retention:  u.Retention,
		Deadline:   earliest(u.Deadline, g.control.Deadline),
		Home:       g.home,
		Reads:      onlyControl,
	}
	if u.Batch != nil {
		e.Group = u.Type
	}
	return e
}

var onlyControl = []string{controlKey}

// earliest returns the earlier of two times, either of which may be zero: none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// decide returns an entry of the engine's own about n: one id for each cause, in
// the queue that is reserved for the workflow.
func (g graph) decide(cause string, n *plan.Node) broker.Entry {
	e := g.decision(cause, n.Name)
	e.Reads, e.Exit = g.reads(n), g.lost(n.Name)
	return e
}

// about returns a decide about the whole run.
func (g graph) about(cause string) broker.Entry { return g.decision(cause, plan.EndName) }

// anew returns a decide about the whole run under an id that no other has.
func (g graph) anew(cause string) broker.Entry {
	e := g.about(cause)
	e.ID += joint + newTag()
	return e
}

// lost returns the decide about an entry that has ended otherwise than by its own
// settlement: one that was deleted or archived by hand, cancelled, too late, or
// poison. It is enqueued by whatever ends the entry, so that the run does not wait
// for an outcome that nobody sends. part is the name of a node, or of an item.
func (g graph) lost(part string) *broker.Entry {
	e := g.decision(causeLost, part)
	return &e
}

func (g graph) decision(cause, part string) broker.Entry {
	name := decideName(g.Name)
	return broker.Entry{
		EntryRef: broker.EntryRef{Queue: name, ID: g.root() + joint + cause + joint + part},
		Type:     name,
		MaxRetry: task.DefaultMaxRetry,
		Timeout:  task.DefaultTimeout,
		Home:     g.home,
		Reads:    onlyControl,
	}
}

// decideName is the type of a workflow's decides, and the queue reserved for them.
func decideName(workflow string) string { return workflow + joint + "decide" }

// reads names the documents that beginning n needs: the control document and the
// values it takes. The outputs of a map's items are left out: they are many, and
// are read in pages.
func (g graph) reads(n *plan.Node) []string {
	keys := append(make([]string, 0, len(n.Reads)+2), controlKey)
	if n.TakesInput {
		keys = append(keys, inputKey)
	}
	for _, dep := range n.Reads {
		keys = append(keys, g.key(dep))
		if dep.Kind == plan.Map {
			keys = append(keys, g.widthKey(dep))
		}
	}
	return keys
}

// String names the run in messages.
func (g graph) String() string { return fmt.Sprintf("run %s of %s", g.home.ID, g.Name) }
