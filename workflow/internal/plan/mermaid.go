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
			fmt.Fprintf(&b, "  %s%s\n", n.id(), n.box())
		}
	}
	for _, n := range p.Nodes {
		if !n.Kind.Settles() {
			continue
		}
		if n.TakesInput && len(n.Sources) == 0 {
			fmt.Fprintf(&b, "  input --> %s\n", n.id())
		}
		for _, e := range n.Sources {
			fmt.Fprintf(&b, "  %s %s %s\n", p.Nodes[e.Node].id(), p.arrow(n, e), n.id())
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

// id is what the node is called in a picture. It depends on its name only, so that a
// step more changes as few lines as it can; what Mermaid might take for a word of its
// own, or for no word, does not occur.
func (n *Node) id() string {
	if n.Kind == End {
		return "ended"
	}
	var b strings.Builder
	b.WriteString("n_")
	for _, c := range []byte(n.Name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
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
