package layout_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/leatwork/leat/internal/layout"
)

// graphs draws a graph of up to most nodes, whose edges go from earlier to later ones.
func graphs(most int) *rapid.Generator[layout.Graph] {
	return rapid.Custom(func(t *rapid.T) layout.Graph {
		var g layout.Graph
		n := rapid.IntRange(1, most).Draw(t, "nodes")
		for i := range n {
			g.Nodes = append(g.Nodes, layout.Node{
				ID: fmt.Sprint(i), Width: rapid.IntRange(1, 20).Draw(t, "width"), Height: rapid.IntRange(1, 5).Draw(t, "height"),
			})
		}
		if n == 1 {
			return g
		}
		for range rapid.IntRange(0, 2*n).Draw(t, "edges") {
			from := rapid.IntRange(0, n-2).Draw(t, "from")
			g.Edges = append(g.Edges, layout.Edge{From: fmt.Sprint(from), To: fmt.Sprint(rapid.IntRange(from+1, n-1).Draw(t, "to"))})
		}
		return g
	})
}

func options(t *rapid.T) layout.Options {
	gap := rapid.IntRange(0, 3)
	return layout.Options{
		Down: rapid.Bool().Draw(t, "down"), RankGap: gap.Draw(t, "rank gap"), NodeGap: gap.Draw(t, "node gap"),
		EdgeGap: gap.Draw(t, "edge gap"), LaneGap: gap.Draw(t, "lane gap"),
	}
}

func TestADrawingKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, o := graphs(25).Draw(t, "graph"), options(t)
		d, err := layout.Draw(g, o)
		if err != nil {
			t.Fatal(err)
		}
		boxes := make(map[string]layout.Box)
		for i, b := range d.Nodes {
			boxes[b.ID] = b
			if b.X < 0 || b.Y < 0 || b.X+b.Width > d.Width || b.Y+b.Height > d.Height {
				t.Errorf("node %+v lies outside of %d by %d", b, d.Width, d.Height)
			}
			for _, other := range d.Nodes[:i] {
				if b.X < other.X+other.Width && other.X < b.X+b.Width && b.Y < other.Y+other.Height && other.Y < b.Y+b.Height {
					t.Errorf("nodes %+v and %+v overlap", b, other)
				}
			}
		}
		if d.Crossings > d.Before {
			t.Errorf("%d crossings, and %d before they were ordered", d.Crossings, d.Before)
		}
		for _, r := range d.Edges {
			checkRoute(t, d, boxes, r)
		}
		again, err := layout.Draw(g, o)
		if diff := cmp.Diff(d, again); diff != "" || err != nil {
			t.Errorf("drawn again, %v (-first +second):\n%s", err, diff)
		}
	})
}

// checkRoute demands that an edge goes forward, within the drawing, along the axes, and
// through no node.
func checkRoute(t *rapid.T, d layout.Drawing, boxes map[string]layout.Box, r layout.Route) {
	if boxes[r.From].Rank >= boxes[r.To].Rank {
		t.Errorf("edge %v goes back", r.Edge)
	}
	for i, p := range r.Points {
		if p.X < 0 || p.Y < 0 || p.X >= d.Width || p.Y >= d.Height {
			t.Errorf("edge %v has point %v outside of %d by %d", r.Edge, p, d.Width, d.Height)
		}
		if i == 0 {
			continue
		}
		q := r.Points[i-1]
		if p.X != q.X && p.Y != q.Y {
			t.Errorf("edge %v is not along an axis from %v to %v", r.Edge, q, p)
		}
		for _, b := range boxes {
			if max(p.X, q.X) >= b.X && min(p.X, q.X) < b.X+b.Width && max(p.Y, q.Y) >= b.Y && min(p.Y, q.Y) < b.Y+b.Height {
				t.Errorf("edge %v from %v to %v goes through node %+v", r.Edge, q, p, b)
			}
		}
	}
}

func TestAGraphThatCannotBeDrawnIsRefused(t *testing.T) {
	nodes := []layout.Node{{"a", 1, 1}, {"b", 1, 1}, {"c", 1, 1}}
	for name, test := range map[string]struct {
		graph layout.Graph
		want  error
		ids   []string
	}{
		"a cycle":            {layout.Graph{nodes, []layout.Edge{{"a", "b"}, {"b", "c"}, {"c", "b"}}}, layout.ErrCycle, []string{"b", "c"}},
		"an edge to itself":  {layout.Graph{nodes, []layout.Edge{{"a", "a"}}}, layout.ErrCycle, []string{"a"}},
		"an unknown end":     {layout.Graph{nodes, []layout.Edge{{"a", "d"}}}, layout.ErrUnknown, []string{"d"}},
		"an unknown start":   {layout.Graph{nodes, []layout.Edge{{"d", "a"}}}, layout.ErrUnknown, []string{"d"}},
		"one id twice":       {layout.Graph{append(slices.Clip(nodes), nodes[0]), nil}, layout.ErrTwice, []string{"a"}},
		"a node of no width": {layout.Graph{[]layout.Node{{"a", 0, 1}}, nil}, layout.ErrSize, []string{"a"}},
	} {
		_, err := layout.Draw(test.graph, layout.Options{})
		e, ok := errors.AsType[*layout.GraphError](err)
		if !ok || !errors.Is(err, test.want) || !slices.Equal(e.IDs, test.ids) {
			t.Errorf("%s: Draw() = %v, want %v of %v", name, err, test.want, test.ids)
		}
	}
}

func TestAChainIsStraight(t *testing.T) {
	g := layout.Graph{Nodes: []layout.Node{{"a", 3, 3}, {"b", 5, 3}, {"c", 4, 3}}, Edges: []layout.Edge{{"a", "b"}, {"b", "c"}}}
	d, err := layout.Draw(g, layout.Options{})
	if err != nil || d.Width != 3+2+5+2+4 || d.Height != 3 {
		t.Errorf("Draw() is %d by %d, %v, want 16 by 3", d.Width, d.Height, err)
	}
	for _, r := range d.Edges {
		if len(r.Points) != 2 {
			t.Errorf("edge %v has bends: %v", r.Edge, r.Points)
		}
	}
}

// BenchmarkDraw draws graphs of steps each of which comes after one or two of those before it.
func BenchmarkDraw(b *testing.B) {
	for _, size := range [][2]int{{100, 150}, {500, 700}, {1000, 1443}} {
		b.Run(fmt.Sprintf("%d nodes, %d edges", size[0], size[1]), func(b *testing.B) {
			g := workflowOf(size[0], size[1])
			for b.Loop() {
				if _, err := layout.Draw(g, layout.Options{NodeGap: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func workflowOf(nodes, edges int) (g layout.Graph) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range nodes {
		g.Nodes = append(g.Nodes, layout.Node{ID: fmt.Sprint(i), Width: 12, Height: 3})
		if i > 0 {
			g.Edges = append(g.Edges, layout.Edge{From: fmt.Sprint(max(0, i-1-random.IntN(30))), To: fmt.Sprint(i)})
		}
	}
	for len(g.Edges) < edges {
		to := 1 + random.IntN(nodes-1)
		g.Edges = append(g.Edges, layout.Edge{From: fmt.Sprint(max(0, to-1-random.IntN(60))), To: fmt.Sprint(to)})
	}
	return g
}
