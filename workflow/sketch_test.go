package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A sketch is a workflow by chance: from int to int, as data, so that it can be
// declared and its end foretold.
type sketch struct {
	name string
	body body
}

// A body is what a graph or an arm of a choice consists of.
type body struct {
	parts []*part
	gives int // the id of its value
}

// A part stands for one value, and the step that it comes from if it has one.
type part struct {
	id    int // 0 is the workflow's input
	kind  kind
	takes []int
	after []int
	salt  int // tells it from others of its kind

	mood    mood
	items   fold
	needs   int // of a loop: rounds
	bound   int
	arms    [2]body
	inner   *sketch
	within  time.Duration // of an await
	signal  int           // which it awaits
	sent    bool          // whether that is sent
	losers  bool
	pausing time.Duration // how long it sleeps
}

type kind string

const (
	isDo    kind = "do"
	isMap   kind = "map"
	isLoop  kind = "until"
	isIf    kind = "if"
	isFirst kind = "first"
	isAwait kind = "await"
	isSleep kind = "sleep"
	isFlow  kind = "workflow"
	isFlows kind = "map of a workflow"

	isTry  kind = "try" // from here on they are no steps
	isJoin kind = "join"
)

// settles reports whether a part has an outcome of its own.
func (k kind) settles() bool { return k != isTry && k != isJoin }

// single reports whether its value is of one step, as First needs it.
func (k kind) single() bool { return k.settles() && k != isIf }

// A mood is how a step goes about its work.
type mood string

const (
	calm   mood = "calm"
	slow   mood = "slow"   // it takes a while
	flaky  mood = "flaky"  // its first attempt fails
	doomed mood = "doomed" // it wants no retry
	weary  mood = "weary"  // all its attempts fail
)

// A fold is how a map goes about its items.
type fold struct {
	width, parallel, tolerate int
	all, try                  bool
	losses                    int // of a hundred items, how many fail
}

// name is that of the part's step in its workflow.
func (p *part) name() string { return fmt.Sprintf("n%d", p.id) }

// An artist draws sketches.
type artist struct {
	*rand.Rand
	name    string
	last    int // id of the last part
	left    int // how many more steps there may be
	depth   int // of workflows within workflows
	signals int
}

// draw returns a workflow by chance.
func draw(r *rand.Rand, name string, depth int) *sketch {
	a := &artist{Rand: r, name: name, left: 1 + r.IntN(12/(1+depth)), depth: depth}
	return &sketch{name, a.body([]int{0}, map[int]bool{}, 0)}
}

// body draws until there are steps enough. seen are the values that it may take,
// singles those of one step each.
func (a *artist) body(seen []int, singles map[int]bool, nested int) body {
	var b body
	most := a.left
	if nested > 0 {
		most = min(a.left, 1+a.IntN(3))
	}
	for a.left > 0 && most > 0 {
		p := a.part(seen, singles, nested)
		if p.kind.settles() {
			most--
		}
		b.parts = append(b.parts, p)
		seen = append(seen[:len(seen):len(seen)], p.id)
		if p.kind.single() {
			singles[p.id] = true
		}
	}
	b.gives = seen[len(seen)-1]
	if a.IntN(10) == 0 {
		b.gives = seen[a.IntN(len(seen))]
	}
	return b
}

// pick picks values, the latest most likely.
func (a *artist) pick(seen []int, n int) (ids []int) {
	for range n {
		back := min(a.IntN(len(seen)), a.IntN(len(seen)))
		ids = append(ids, seen[len(seen)-1-back])
	}
	return ids
}

func (a *artist) part(seen []int, singles map[int]bool, nested int) *part {
	a.last++
	p := &part{id: a.last, salt: 1 + a.IntN(900), kind: a.kind(nested), mood: a.mood()}
	p.takes = a.pick(seen, 1)
	switch p.kind {
	case isJoin:
		p.takes = a.pick(seen, 2+a.IntN(2))
	case isMap, isFlows:
		p.items = a.fold(p.kind)
	case isLoop:
		p.needs, p.bound = 1+a.IntN(5), 6
		if a.IntN(8) == 0 {
			p.bound = p.needs - 1
		}
		p.bound = max(p.bound, 1)
	case isFirst:
		if p.takes = a.candidates(seen, singles); len(p.takes) < 2 {
			p.kind, p.takes = isDo, a.pick(seen, 1)
		}
		p.losers = a.IntN(2) == 0
	case isSleep:
		p.takes, p.pausing = nil, time.Duration(1+a.IntN(300))*time.Millisecond
	case isAwait:
		p.takes = nil
		a.await(p)
	}
	if p.kind.settles() {
		a.left--
		if a.IntN(4) == 0 {
			p.after = a.pick(seen, 1+a.IntN(2))
		}
	}
	switch p.kind { // what takes steps of its own
	case isIf:
		for i := range p.arms {
			inner := make(map[int]bool)
			for id := range singles {
				inner[id] = true
			}
			p.arms[i] = a.body(seen, inner, nested+1)
		}
	case isFlow, isFlows:
		p.inner = draw(a.Rand, fmt.Sprintf("%s-%d", a.name, p.id), a.depth+1)
	}
	return p
}

func (a *artist) candidates(seen []int, singles map[int]bool) (ids []int) {
	for _, i := range a.Perm(len(seen)) {
		if singles[seen[i]] && len(ids) < 2+a.IntN(2) {
			ids = append(ids, seen[i])
		}
	}
	return ids
}

func (a *artist) await(p *part) {
	p.within = time.Duration(20+a.IntN(400)) * time.Millisecond
	if a.depth > 0 || a.signals == len(signals)-1 {
		p.signal = len(signals) - 1 // it is sent to no run
		return
	}
	p.signal, a.signals = a.signals, a.signals+1
	if p.sent = a.IntN(3) > 0; p.sent && a.IntN(3) > 0 {
		p.within = time.Duration(a.IntN(2)) * 24 * time.Hour // 0: without end
	}
}

func (a *artist) kind(nested int) kind {
	kinds := []kind{isDo, isDo, isDo, isDo, isMap, isMap, isLoop, isTry, isTry, isJoin, isJoin, isSleep, isAwait, isFirst, isFirst}
	if nested < 2 {
		kinds = append(kinds, isIf, isIf)
	}
	if a.depth < 2 {
		kinds = append(kinds, isFlow)
	}
	if a.depth < 1 {
		kinds = append(kinds, isFlows)
	}
	return kinds[a.IntN(len(kinds))]
}

func (a *artist) mood() mood {
	switch a.IntN(20) {
	case 0:
		return doomed
	case 1:
		return weary
	case 2, 3, 4:
		return flaky
	case 5, 6, 7:
		return slow
	}
	return calm
}

func (a *artist) fold(k kind) fold {
	f := fold{width: a.IntN(51)}
	if k == isFlows {
		f.width = a.IntN(5)
	}
	if a.IntN(2) == 0 {
		f.parallel = 1 + a.IntN(8)
	}
	if a.IntN(2) == 0 {
		f.losses = []int{2, 10, 50}[a.IntN(3)]
	}
	switch a.IntN(4) {
	case 0:
		f.all = true
	case 1:
		f.tolerate = 1 + a.IntN(10)
	case 2:
		f.try = true
	}
	return f
}

// What sketches are made of.
var (
	signals = func() (all [7]workflow.Signal[int]) {
		for i := range all {
			all[i] = workflow.NewSignal[int](fmt.Sprintf("signal%d", i))
		}
		return all
	}()
	labour = workflow.NewStep("labour", func(ctx context.Context, c chore) (int, error) { return c.do(ctx) }, task.MaxRetry(100))
	lapped = workflow.NewStep("lapped", func(_ context.Context, l lap) (lap, error) {
		return lap{mix(l.Value, l.Round), l.Round + 1}, nil
	}, task.MaxRetry(100))
)

// A chore is what a step is to do.
type chore struct {
	X, Salt int
	Mood    mood
}

var errNoLuck = errors.New("no luck")

func (c chore) do(ctx context.Context) (int, error) {
	switch retried, _ := task.GetRetryCount(ctx); {
	case c.Mood == slow:
		time.Sleep(time.Duration(c.Salt) * time.Millisecond)
	case c.Mood == flaky && retried == 0, c.Mood == weary:
		return 0, errNoLuck
	case c.Mood == doomed:
		return 0, fmt.Errorf("%w: %w", errNoLuck, task.SkipRetry)
	}
	return mix(c.X, c.Salt), nil
}

// A lap is how far a loop has come.
type lap struct{ Value, Round int }

// mix makes a value of two.
func mix(x, y int) int { return (31*x + 7*y + 3) % 997 }

// chores returns the elements of a map whose list is made from x.
func (p *part) chores(x int) []chore {
	chores := make([]chore, (p.items.width+x)%(p.items.width+1))
	for i := range chores {
		chores[i] = chore{X: mix(x, i), Salt: mix(p.salt, i), Mood: calm}
		if mix(x+p.salt, 13*i)%100 < p.items.losses {
			chores[i].Mood = doomed
		}
	}
	return chores
}

func (p *part) inputs(x int) []int {
	inputs := []int{}
	for _, j := range p.chores(x) {
		inputs = append(inputs, j.X)
	}
	return inputs
}

// What an outcome counts for that is no value.
const (
	forFailure  = 701
	forSkip     = 703
	forNoSignal = 1000
)

func worth(o workflow.Outcome[int]) int {
	switch {
	case o.Failure != nil:
		return forFailure
	case o.Skipped:
		return forSkip
	}
	return o.Value
}

func folded(list []int) int {
	sum := len(list)
	for _, x := range list {
		sum = mix(sum, x)
	}
	return sum
}

func foldedOutcomes(list []workflow.Outcome[int]) int {
	var values []int
	for _, o := range list {
		values = append(values, worth(o))
	}
	return folded(values)
}

// A builder declares a sketch.
type builder struct{ vals map[int]dag.Val[int] }

// declare returns the workflow of the sketch.
func (s *sketch) declare() workflow.Workflow[int, int] {
	b := builder{vals: make(map[int]dag.Val[int])}
	return dag.New(s.name, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		b.vals[0] = in
		return b.body(g, s.body)
	}, workflow.Retention(time.Hour), workflow.FailureRetention(time.Hour))
}

func (b *builder) body(g *dag.Graph, of body) dag.Val[int] {
	for _, p := range of.parts {
		b.vals[p.id] = b.part(g, p)
	}
	return b.vals[of.gives]
}

func (b *builder) part(g *dag.Graph, p *part) dag.Val[int] {
	var in dag.Val[int]
	if len(p.takes) > 0 {
		in = b.vals[p.takes[0]]
	}
	opts := []dag.Option{dag.As(p.name())}
	for _, id := range p.after {
		opts = append(opts, dag.After(b.vals[id]))
	}
	switch p.kind {
	case isDo:
		if p.mood == weary {
			opts = append(opts, dag.With(task.MaxRetry(2)))
		}
		return dag.Do(g, labour, dag.Pick(g, in, func(x int) chore { return chore{x, p.salt, p.mood} }), opts...)
	case isMap:
		list := dag.Pick(g, in, p.chores)
		if p.items.try {
			return dag.Pick(g, dag.MapTry(g, labour, list, append(opts, p.items.options()...)...), foldedOutcomes)
		}
		return dag.Pick(g, dag.Map(g, labour, list, append(opts, p.items.options()...)...), folded)
	case isFlow:
		return dag.Do(g, p.inner.declare(), in, opts...)
	case isFlows:
		list := dag.Pick(g, in, p.inputs)
		if p.items.try {
			return dag.Pick(g, dag.MapTry(g, p.inner.declare(), list, append(opts, p.items.options()...)...), foldedOutcomes)
		}
		return dag.Pick(g, dag.Map(g, p.inner.declare(), list, append(opts, p.items.options()...)...), folded)
	case isLoop:
		done := func(l lap) bool { return l.Round >= p.needs }
		l := dag.Until(g, lapped, dag.Pick(g, in, func(x int) lap { return lap{Value: x} }), done, p.bound, opts...)
		return dag.Pick(g, l, func(l lap) int { return l.Value })
	case isIf:
		arm := func(i int) func(*dag.Graph) dag.Val[int] {
			return func(g *dag.Graph) dag.Val[int] { return b.body(g, p.arms[i]) }
		}
		return dag.If(g, dag.Pick(g, in, p.holds), arm(0), arm(1), opts...)
	case isFirst:
		var vals []dag.Val[int]
		for _, id := range p.takes {
			vals = append(vals, b.vals[id])
		}
		if p.losers {
			opts = append(opts, dag.CancelLosers())
		}
		return dag.First(g, vals, opts...)
	case isAwait:
		if p.within == 0 {
			return dag.Await(g, signals[p.signal], 0, opts...)
		}
		return dag.AwaitOr(g, signals[p.signal], p.within, p.salt+forNoSignal, opts...)
	case isSleep:
		return dag.Pick(g, dag.Sleep(g, p.pausing, opts...), func(workflow.None) int { return p.salt })
	case isTry:
		return dag.Pick(g, dag.Try(g, in), worth)
	}
	v := in
	for _, id := range p.takes[1:] {
		v = dag.Join2(g, v, b.vals[id], mix)
	}
	return v
}

// holds is the condition of a choice.
func (p *part) holds(x int) bool { return (x+p.salt)%2 == 0 }

func (f fold) options() (opts []dag.Option) {
	if f.parallel > 0 {
		opts = append(opts, dag.Parallel(f.parallel))
	}
	if f.all {
		opts = append(opts, dag.FinishAll())
	}
	if f.tolerate > 0 {
		opts = append(opts, dag.Tolerate(f.tolerate))
	}
	return opts
}

// String writes a sketch down, for who looks into a failure.
func (s *sketch) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s gives n%d\n", s.name, s.body.gives)
	s.body.write(&b, "  ")
	return b.String()
}

func (b body) write(to *strings.Builder, indent string) {
	for _, p := range b.parts {
		fmt.Fprintf(to, "%s%s = %s of %v after %v, salt %d", indent, p.name(), p.kind, p.takes, p.after, p.salt)
		switch p.kind {
		case isDo:
			fmt.Fprintf(to, ", %s", p.mood)
		case isMap:
			fmt.Fprintf(to, ", %+v", p.items)
		case isFlow, isFlows:
			fmt.Fprintf(to, ", %+v, %s", p.items, strings.ReplaceAll(p.inner.String(), "\n", "\n"+indent+"  "))
		case isLoop:
			fmt.Fprintf(to, ", %d rounds of %d", p.needs, p.bound)
		case isAwait:
			fmt.Fprintf(to, ", sent %t, within %v", p.sent, p.within)
		case isFirst:
			fmt.Fprintf(to, ", losers cancelled %t", p.losers)
		case isIf:
			for i, arm := range p.arms {
				fmt.Fprintf(to, "\n%s arm %d gives n%d", indent, i, arm.gives)
				to.WriteString("\n")
				arm.write(to, indent+"    ")
			}
		}
		to.WriteString("\n")
	}
}
