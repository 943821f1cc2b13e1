package plan

import (
	"strings"
	"testing"
)

type (
	before struct{ Items []struct{ SKU string } }
	after  struct{ Items []struct{ Code string } }
)

// flat returns a plan with a function called name.
func flat[T any](name string) *Plan {
	m := &Mapping{Name: name, Takes: []Shape{ShapeOf[T]()}, Gives: ShapeOf[int]()}
	p := &Plan{Name: "w", Nodes: []*Node{{Kind: Input}, {Index: 1, Kind: Bind, Name: "bind", Deps: []int{0}, Mapping: m}}}
	if err := p.Compile(1); err != nil {
		panic(err)
	}
	return p
}

func TestLinkFindsFunctions(t *testing.T) {
	for name, c := range map[string]struct {
		stored, now *Plan
		want        string // of the error; "": none
	}{
		"the same":                   {flat[before]("main.f"), flat[before]("main.f"), ""},
		"a field more":               {flat[struct{}]("main.f"), flat[before]("main.f"), ""},
		"a field renamed":            {flat[before]("main.f"), flat[after]("main.f"), "main.f takes plan.after{Items []struct { Code string }} now, and plan.before{Items []struct { SKU string }} when the run began"},
		"another name":               {flat[before]("main.f"), flat[before]("main.g"), "no workflow that is registered has its function, main.f"},
		"a literal":                  {flat[before]("main.init.func1"), flat[before]("main.init.func1"), "has no name"},
		"a method of a value":        {flat[before]("main.T.M-fm"), flat[before]("main.T.M-fm"), "has no name"},
		"a literal within a literal": {flat[before]("main.f.func1.2"), flat[before]("main.f.func1.2"), "has no name"},
		"a package with an odd name": {flat[before]("example.com/x.functions/y.F"), flat[before]("example.com/x.functions/y.F"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Link(c.stored.Encode(), Program{Plans: []*Plan{c.now}})
			switch {
			case c.want == "" && err != nil:
				t.Errorf("Link() = %v, want nil", err)
			case c.want == "" && p.Hash != c.stored.Hash:
				t.Errorf("Link() has the hash %s, want %s", p.Hash, c.stored.Hash)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("Link() = %v, want an error that says %s", err, c.want)
			}
		})
	}
}

func TestAChoiceTakesTheArmOfAnEqualValue(t *testing.T) {
	n := &Node{Kind: Choice, Arms: []Arm{{Case: []byte(`"a\u003cb"`)}, {Name: "default"}, {Case: []byte(`{"A":1,"B":2}`)}}}
	for value, want := range map[string]int{`"a<b"`: 0, `"a\u003cb"`: 0, `{ "B":2, "A" : 1 }`: 2, `7`: 1, `null`: 1} {
		if got, err := n.Take([]byte(value)); got != want || err != nil {
			t.Errorf("Take(%s) = %d, %v, want %d", value, got, err, want)
		}
	}
	if _, err := n.Take([]byte(`{`)); err == nil {
		t.Error("Take of half a value = nil, want an error")
	}
}
