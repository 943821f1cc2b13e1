package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// An Addition is a step with its input, to be run beside those of a workflow.
// [Step.With] makes one.
type Addition struct {
	spec  plan.Spec
	input []byte
	err   error
}

// ErrNoStep is returned where a context is not that of a step of a run that goes on.
var ErrNoStep = errors.New("not in a step of a run")

// MaxAdditions is how many steps one step may add.
const MaxAdditions = 400

// Add adds steps to the run from within a step of it, whose context ctx is. They
// begin when it is done, in the commit that records that, and not at all if it fails;
// what waits for it waits for them, too. The run fails if one of them does. They must
// be registered where the run is carried out; they have the names of the step that
// adds them, numbered: "plan~+0".
//
// The error is [ErrNoStep], of a step that was added, too, or a [task.InvalidError] for
// what cannot be run. Items of a map and rounds of a loop add nothing, either.
func Add(ctx context.Context, steps ...Addition) error {
	o, ok := ctx.Value(stepKey{}).(*stepOutcome)
	switch {
	case !ok || o.added:
		return fmt.Errorf("workflow.Add: %w", ErrNoStep)
	case o.item >= 0:
		return fmt.Errorf("workflow.Add: %w", task.Invalid("step", o.name, "is an item of a map or a round of a loop, which add nothing; have it run a workflow"))
	}
	if err := o.additions.add(o.Plan, steps); err != nil {
		return fmt.Errorf("workflow.Add: %w", err)
	}
	return nil
}

// additions are what a step has added so far.
type additions struct {
	mu     sync.Mutex
	units  []plan.Unit
	inputs [][]byte
	sealed bool // the step has returned
}

func (a *additions) add(p *plan.Plan, steps []Addition) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sealed {
		return ErrNoStep
	}
	if n := len(a.units) + len(steps); n > MaxAdditions {
		return task.Invalid("number of added steps", n, fmt.Sprintf("is more than %d", MaxAdditions))
	}
	var units []plan.Unit
	for _, s := range steps {
		u := s.spec.Unit
		err := s.err
		if u.Undo != "" {
			err = task.Invalid("added step", u.Type, "is reversible, which only steps of the workflow are")
		}
		if err == nil {
			err = plan.CheckSize("the input of step "+u.Type, len(s.input), p.Terms.MaxOutput)
		}
		if err == nil {
			err = u.Resolve(p.Queue, s.spec.Options)
		}
		if err != nil {
			return fmt.Errorf("step %s: %w", u.Type, err)
		}
		u.Batch = nil
		units = append(units, u)
	}
	for i, s := range steps {
		a.units, a.inputs = append(a.units, units[i]), append(a.inputs, s.input)
	}
	return nil
}

func (a *additions) seal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sealed = true
}

func (a *additions) made() []plan.Unit {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.units
}

// addedQueue is the header in which the decide about a lost step that was added
// says which queue that was in.
const addedQueue = "leat-queue"

func (g graph) addedKey(n *plan.Node, i int) string {
	return g.of("added", n) + joint + strconv.Itoa(i)
}

// addsKey names the document that says which steps n has added.
func (g graph) addsKey(n *plan.Node) string { return g.of("adds", n) }

// openAdditions adds to c the steps that the step has added. What follows from it
// follows from the last of them.
func (o *stepOutcome) openAdditions(c *broker.Change) {
	n, units := o.node, o.additions.made()
	latch := broker.Latch{ID: o.addedLatch(n), Total: len(units), Then: o.follow(n, StepDone)}
	latch.Else.Enqueue = []broker.Entry{o.decide(causeAdded, n)}
	feed := broker.Feed{Latch: latch.ID}
	for i := range units {
		part := addedPart(n, i)
		e := o.task(&units[i], o.root()+part)
		e.Payload, e.Exit = o.additions.inputs[i], o.lost(part)
		e.Exit.Headers = map[string]string{addedQueue: e.Queue}
		feed.Entries = append(feed.Entries, e)
	}
	c.Open, c.Feed = append(c.Open, latch), append(c.Feed, feed)
	o.noteAdditions(c)
}

// An addedUnit is what is noted of a step that was added.
type addedUnit struct {
	Type  string `json:"type"`
	Queue string `json:"queue"`
}

// noteAdditions adds to c which steps the step has added. In a run that closes they
// do not begin, and so the step is not done if it is retried.
func (o *stepOutcome) noteAdditions(c *broker.Change) {
	var noted []addedUnit
	for _, u := range o.additions.made() {
		noted = append(noted, addedUnit{u.Type, u.Queue})
	}
	if len(noted) == 0 || o.added {
		return
	}
	b, err := json.Marshal(noted)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode additions: %v", err)) // plain values: it cannot fail
	}
	c.Put = append(c.Put, broker.Put{Key: o.addsKey(o.node), Body: b, If: broker.AnyVersion})
}

// settleAdded adds to c what has come of a step that was added.
func (v *visit) settleAdded(c *broker.Change, r record) {
	c.Put = append(c.Put, broker.Put{Key: v.addedKey(v.node, v.item), Body: r.encode()})
	if v.goesOn() {
		c.Arrive = append(c.Arrive, broker.Arrival{Latch: v.addedLatch(v.node), Member: v.item, Mark: r.state.bad()})
	}
}

// failAdded fails the run because a step that was added has failed.
func (v *visit) failAdded(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	records, err := v.values.addedRecords(ctx, v.node)
	if err != nil {
		return c, err
	}
	failure := &StepError{Step: v.node.Name, Item: -1, Message: "a step that it added has failed"}
	for i, r := range records {
		if r.state.bad() {
			failure = r.failure()
			failure.Step, failure.Item = addedPart(v.node, i), -1
			break
		}
	}
	v.close(&c, Failed, failure)
	return c, nil
}

// addedUnits returns the steps that n has added. Earlier it was noted only how many they
// are: then nothing more is known of them.
func (v *values) addedUnits(ctx context.Context, n *plan.Node) (units []addedUnit, err error) {
	d, err := v.document(ctx, v.addsKey(n))
	if err != nil || d.Version == 0 {
		return nil, err
	}
	var many int
	if json.Unmarshal(d.Body, &many) == nil && many >= 0 && many <= MaxAdditions {
		return make([]addedUnit, many), nil
	}
	if err := json.Unmarshal(d.Body, &units); err != nil {
		return nil, fmt.Errorf("document %s of %s: %w", d.Key, v.graph, err)
	}
	return units, nil
}

// addedRecords returns what has come of each of the steps that n has added;
// StepWaiting: nothing yet. There are none if it has added none.
func (v *values) addedRecords(ctx context.Context, n *plan.Node) ([]record, error) {
	units, err := v.addedUnits(ctx, n)
	if err != nil {
		return nil, err
	}
	var keys []string
	for i := range units {
		keys = append(keys, v.addedKey(n, i))
	}
	if err := v.load(ctx, keys...); err != nil {
		return nil, err
	}
	records := make([]record, len(units))
	for i, key := range keys {
		if records[i], _, err = v.recorded(ctx, key); err != nil {
			return nil, err
		}
	}
	return records, nil
}
