package dag

import "github.com/leatwork/leat/task"

// An Option sets what holds for one step of one workflow.
type Option func(*settings)

type settings struct {
	used      allowed // which options were given
	name      string
	options   []task.Option
	after     []Dep
	parallel  int
	tolerate  int
	finishAll bool
	losers    bool
}

// An allowed says which options a call takes; all take [As] and [After].
type allowed int

const (
	allowUnit   allowed = 1 << iota // With
	allowFold                       // Parallel, Tolerate and FinishAll
	allowLosers                     // CancelLosers
)

var optionsFor = []struct {
	allowed allowed
	text    string
}{
	{allowUnit, "With is for what runs steps: dag.Do, dag.Map and dag.Until"},
	{allowFold, "Parallel, Tolerate and FinishAll are for dag.Map"},
	{allowLosers, "CancelLosers is for dag.First"},
}

// As gives the step a name of its own in this workflow: the name under which its
// tasks, its output and its errors go. Without it, steps are called as what they run;
// the second one of that gets ".2" behind it.
func As(name string) Option { return func(s *settings) { s.name = name } }

// With sets options of the step's tasks, over those that the step has itself.
func With(opts ...task.Option) Option {
	return func(s *settings) { s.used, s.options = s.used|allowUnit, append(s.options, opts...) }
}

// After has the step wait for others without taking their values. It does not run if
// one of them fails or is skipped.
func After(deps ...Dep) Option { return func(s *settings) { s.after = append(s.after, deps...) } }

// Parallel has at most n items of a [Map] released at a time.
func Parallel(n int) Option {
	return func(s *settings) { s.used, s.parallel = s.used|allowFold, n }
}

// FinishAll has all items of a [Map] run, also if some fail, before it fails.
func FinishAll() Option { return func(s *settings) { s.used, s.finishAll = s.used|allowFold, true } }

// Tolerate has a [Map] go on although up to n of its items have failed. Their outputs
// are left out of the list.
func Tolerate(n int) Option {
	return func(s *settings) { s.used, s.tolerate = s.used|allowFold, n }
}

// CancelLosers has [First] cancel what was slower.
func CancelLosers() Option { return func(s *settings) { s.used, s.losers = s.used|allowLosers, true } }

// settle returns what the options of a call come to.
func (g *Graph) settle(call string, opts []Option, takes allowed) settings {
	var s settings
	for _, o := range opts {
		if o == nil {
			g.refuse(task.Invalid(call, nil, "has an option that is nil"))
			continue
		}
		o(&s)
	}
	for _, o := range optionsFor {
		if s.used&^takes&o.allowed != 0 {
			g.refuse(task.Invalid(call, s.name, o.text))
		}
	}
	if s.parallel < 0 {
		g.refuse(task.Invalid("dag.Parallel", s.parallel, "must not be negative"))
	}
	if s.tolerate < 0 {
		g.refuse(task.Invalid("dag.Tolerate", s.tolerate, "must not be negative"))
	}
	return s
}

func (g *Graph) after(s settings) (nodes []int) {
	for _, d := range s.after {
		nodes = append(nodes, g.own(d))
	}
	return nodes
}
