package workflow_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/leatwork/leat/workflow"
)

// An end is what a run may come to.
type end struct {
	value  int                           // if it is done
	blamed map[string]bool               // if it is not: the steps of which one has failed it
	states map[string]workflow.StepState // of the steps that its end waits for, if it is done
	firsts map[string]bool               // those that were first of several, whose latches stay open
}

// String says it in a message.
func (e end) String() string {
	if e.blamed == nil {
		return fmt.Sprint(e.value)
	}
	return fmt.Sprintf("a failure of %s", slices.Sorted(maps.Keys(e.blamed)))
}

// ends returns all that a run of s with an input may come to: there are several
// where it is a matter of time which of two things is first.
// There are mostEnds at most, and one more.
func (s *sketch) ends(input int) (ends []end) {
	var turns []turn
	for len(ends) <= mostEnds {
		at := 0
		ends = append(ends, s.foretell(input, func(n int) int {
			if at == len(turns) {
				turns = append(turns, turn{0, n})
			}
			at++
			return turns[at-1].taken
		}))
		for len(turns) > 0 && turns[len(turns)-1].taken+1 == turns[len(turns)-1].ways {
			turns = turns[:len(turns)-1]
		}
		if len(turns) == 0 {
			return ends
		}
		turns[len(turns)-1].taken++
	}
	return ends
}

// mostEnds is how many ends there may be to a run.
const mostEnds = 500

// A turn is one of several ways that was taken.
type turn struct{ taken, ways int }

// A fate is what comes of a value or of a step.
type fate struct {
	state workflow.StepState
	value int
}

func (f fate) done() bool { return f.state == workflow.StepDone }

// An oracle foretells one run.
type oracle struct {
	choose  func(ways int) int
	parts   map[int]*part
	guards  map[int]int // the choice on whose arm a part is; none: 0
	values  map[int]fate
	steps   map[int]workflow.StepState
	arms    map[int]int // which a choice has taken
	blamed  map[string]bool
	awaited map[int]bool // some step waits for it
}

// foretell returns what a run comes to, if what is a matter of time goes as choose
// says.
func (s *sketch) foretell(input int, choose func(ways int) int) end {
	o := &oracle{
		choose: choose, parts: make(map[int]*part), guards: make(map[int]int), values: map[int]fate{0: {workflow.StepDone, input}},
		steps: make(map[int]workflow.StepState), arms: make(map[int]int), blamed: make(map[string]bool), awaited: make(map[int]bool),
	}
	o.body(s.body, 0, workflow.StepDone)
	needed := o.needed(s.body.gives)
	last := o.values[s.body.gives]
	if !last.done() {
		return end{blamed: o.blamed}
	}
	e := end{value: last.value, states: make(map[string]workflow.StepState), firsts: make(map[string]bool)}
	for id := range needed {
		if !o.awaited[id] && o.steps[id] == workflow.StepFailed {
			return end{blamed: o.blamed}
		}
		p := o.parts[id]
		e.states[p.name()], e.firsts[p.name()] = o.steps[id], p.kind == isFirst
	}
	return e
}

// body foretells what comes of the parts of a graph, or of an arm of a choice whose
// being taken has a state.
func (o *oracle) body(b body, guard int, state workflow.StepState) {
	for _, p := range b.parts {
		o.parts[p.id], o.guards[p.id] = p, guard
		f := fate{state: state}
		if f.done() || !p.kind.settles() {
			f = o.part(p)
		}
		o.values[p.id] = f
		if p.kind.settles() {
			o.steps[p.id] = f.state
		}
		if p.kind == isIf {
			o.choice(p, f)
		}
	}
}

// worst returns what comes of several values together.
func (o *oracle) worst(ids ...int) workflow.StepState {
	worst := workflow.StepDone
	for _, id := range ids {
		if s := o.values[id].state; s == workflow.StepFailed || s == workflow.StepSkipped && worst == workflow.StepDone {
			worst = s
		}
	}
	return worst
}

func (o *oracle) part(p *part) fate {
	switch p.kind {
	case isTry:
		return o.try(p)
	case isFirst:
		return o.first(p)
	}
	if state := o.worst(append(slices.Clone(p.takes), p.after...)...); state != workflow.StepDone {
		return fate{state: state}
	}
	x := 0
	if len(p.takes) > 0 {
		x = o.values[p.takes[0]].value
	}
	switch p.kind {
	case isDo:
		return o.verdict(p, p.mood != doomed && p.mood != weary, mix(x, p.salt))
	case isMap, isFlows:
		return o.items(p, x)
	case isLoop:
		for round := range min(p.needs, p.bound) {
			x = mix(x, round)
		}
		return o.verdict(p, p.needs <= p.bound, x)
	case isIf:
		return fate{workflow.StepDone, x}
	case isAwait:
		return fate{workflow.StepDone, o.await(p)}
	case isSleep:
		return fate{workflow.StepDone, p.salt}
	case isFlow:
		e := o.within(p.inner, x)
		return o.verdict(p, e.blamed == nil, e.value)
	}
	for _, id := range p.takes[1:] {
		x = mix(x, o.values[id].value)
	}
	return fate{workflow.StepDone, x}
}

// verdict is the fate of a step that has begun. If it fails it may be blamed.
func (o *oracle) verdict(p *part, well bool, value int) fate {
	if !well {
		o.blamed[p.name()] = true
		return fate{state: workflow.StepFailed}
	}
	return fate{workflow.StepDone, value}
}

func (o *oracle) within(s *sketch, x int) end { return s.foretell(x, o.choose) }

func (o *oracle) try(p *part) fate {
	f := o.values[p.takes[0]]
	switch f.state {
	case workflow.StepFailed:
		f.value = forFailure
	case workflow.StepSkipped:
		f.value = forSkip
	}
	return fate{workflow.StepDone, f.value}
}

func (o *oracle) first(p *part) fate {
	if state := o.worst(p.after...); state != workflow.StepDone {
		return fate{state: state}
	}
	var well []fate
	for _, id := range p.takes {
		if f := o.values[id]; f.done() {
			well = append(well, f)
		}
	}
	if len(well) == 0 {
		return o.verdict(p, false, 0)
	}
	return well[o.choose(len(well))]
}

func (o *oracle) await(p *part) int {
	inTime := p.within == 0 || p.within > sentWithin
	if p.sent && (inTime || o.choose(2) == 0) {
		return p.salt
	}
	return p.salt + forNoSignal
}

// items foretells a map.
func (o *oracle) items(p *part, x int) fate {
	var values []int
	failed := 0
	for _, j := range p.chores(x) {
		well, value := j.Mood != doomed, mix(j.X, j.Salt)
		if p.kind == isFlows {
			e := o.within(p.inner, j.X)
			well, value = e.blamed == nil, e.value
		}
		switch {
		case well:
			values = append(values, value)
		case p.items.try:
			values = append(values, forFailure)
		default:
			failed++
		}
	}
	return o.verdict(p, failed <= p.items.tolerate, folded(values))
}

// choice foretells the arms of a choice that has come to f.
func (o *oracle) choice(p *part, f fate) {
	taken := -1
	if f.done() {
		if taken = 1; p.holds(f.value) {
			taken = 0
		}
	}
	o.arms[p.id] = taken
	for i, arm := range p.arms {
		state := f.state
		if f.done() && i != taken {
			state = workflow.StepSkipped
		}
		o.body(arm, p.id, state)
	}
	if f.done() {
		o.values[p.id] = o.values[p.arms[taken].gives]
	}
}

// needed returns the steps whose outcomes the end waits for: those that its value
// comes from, those that nobody else waits for, and all that these need. What is only
// to be first of several is not needed, nor what only a step needs that is skipped.
func (o *oracle) needed(gives int) map[int]bool {
	await := func(id int) { o.awaited[id] = true }
	for _, p := range o.parts {
		if p.kind.settles() {
			o.eachNeed(p, true, await)
		}
	}
	o.eachStep(gives, true, await)
	needed := make(map[int]bool)
	var add func(id int)
	add = func(id int) {
		if needed[id] {
			return
		}
		needed[id] = true
		if o.steps[id] != workflow.StepSkipped {
			o.eachNeed(o.parts[id], false, add)
		}
	}
	o.eachStep(gives, false, add)
	for id := range o.steps {
		if !o.awaited[id] {
			add(id)
		}
	}
	return needed
}

// eachNeed calls f with each step that a step waits for.
func (o *oracle) eachNeed(p *part, maybe bool, f func(id int)) {
	if p.kind != isFirst || maybe {
		for _, id := range p.takes {
			o.eachStep(id, maybe, f)
		}
	}
	for _, id := range p.after {
		o.eachStep(id, maybe, f)
	}
	if choice := o.guards[p.id]; choice != 0 {
		f(choice)
	}
}

// eachStep calls f with each step that a value is computed from; with maybe set also
// with those on the arm of a choice that is not taken.
func (o *oracle) eachStep(id int, maybe bool, f func(id int)) {
	p := o.parts[id]
	switch {
	case p == nil: // the input
	case p.kind == isIf:
		f(id)
		for i, arm := range p.arms {
			if maybe || o.arms[id] == i {
				o.eachStep(arm.gives, maybe, f)
			}
		}
	case p.kind.settles():
		f(id)
	default:
		for _, taken := range p.takes {
			o.eachStep(taken, maybe, f)
		}
	}
}
