package plan

import (
	"fmt"
	"strings"
)

// Mermaid returns the graph as a flowchart in the Mermaid language.
func (p *Plan) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	if p.takesInput() {
		b.WriteString("  input([input])\n")
	}
	for _, n := range p.Nodes {
		if n.Kind.Settles() {
			fmt.Fprintf(&b, "  n%d%s\n", n.Index, n.box())
		}
	}
	for _, n := range p.Nodes {
		if !n.Kind.Settles() {
			continue
		}
		if n.TakesInput && len(n.Sources) == 0 {
			fmt.Fprintf(&b, "  input --> n%d\n", n.Index)
		}
		for _, e := range n.Sources {
			fmt.Fprintf(&b, "  n%d %s n%d\n", e.Node, p.arrow(n, e), n.Index)
		}
	}
	return b.String()
}

func (p *Plan) takesInput() bool {
	for _, n := range p.Nodes {
		if n.Kind == Input {
			return true
		}
	}
	return false
}

func (n *Node) box() string {
	label := strings.ReplaceAll(n.Name, `"`, "#quot;")
	switch n.Kind {
	case Map:
		return fmt.Sprintf(`[["%s ×n"]]`, label)
	case Loop:
		return fmt.Sprintf(`[["%s, at most %d times"]]`, label, n.Bound)
	case Choice:
		return fmt.Sprintf(`{"%s"}`, label)
	case Await:
		return fmt.Sprintf(`[/"%s"/]`, label)
	case Sleep:
		return fmt.Sprintf(`[/"%s %s"/]`, label, n.Wait.For)
	case End:
		return "([end])"
	case Step:
		if n.Unit.Workflow {
			return fmt.Sprintf(`[["%s"]]`, label)
		}
		if n.Unit.Undo != "" {
			return fmt.Sprintf(`["%s ⟲ %s"]`, label, n.Unit.Undo)
		}
	}
	return fmt.Sprintf(`["%s"]`, label)
}

// arrow returns the line of an edge: with the arm's name on it from a choice, and
// dashed where a failure is looked at rather than handed on.
func (p *Plan) arrow(n *Node, e Edge) string {
	if n.Guard != nil && n.Guard.Choice == e.Node {
		return fmt.Sprintf("-->|%s|", p.Nodes[e.Node].Arms[n.Guard.Arm].Name)
	}
	if e.Failed {
		return "-.->"
	}
	return "-->"
}
