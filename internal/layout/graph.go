package layout

import (
	"errors"
	"fmt"
	"strings"
)

// A Graph is what is to be drawn.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// A Node is a box.
type Node struct {
	ID            string
	Width, Height int
}

// An Edge goes from one node to another. Of several that are equal one is drawn.
type Edge struct{ From, To string }

// Options say how a graph is drawn.
type Options struct {
	Down    bool // ranks go from top to bottom, and not from left to right
	RankGap int  // between ranks, at least, where edges turn; at least 2
	NodeGap int  // between nodes of a rank
	EdgeGap int  // between an edge that passes a rank, and its neighbours there
	LaneGap int  // from one lane to the next; at least 1
}

// A Point is a place in a drawing.
type Point struct{ X, Y int }

// A Drawing is a graph with places. All of it lies from 0 to before Width and Height.
type Drawing struct {
	Width, Height int
	Nodes         []Box   // in the order of the graph's
	Edges         []Route // in the order of the graph's

	Ranks     int
	Crossings int // of edges between neighbouring ranks
	Before    int // the same, before they were ordered
}

// A Box is a node with its place.
type Box struct {
	Node
	X, Y  int // its upper left corner
	Rank  int
	Order int // in its rank
}

// A Route is the way of an edge: from the middle of a side of one node to that of
// another, by points between which it is straight, along one axis. The first and the last
// point are those outside of the nodes that are next to them.
type Route struct {
	Edge
	Points []Point
}

// What is wrong with a graph; a [GraphError] says where.
var (
	ErrCycle   = errors.New("nodes lie on a cycle, or behind one")
	ErrUnknown = errors.New("an edge has an end that is no node")
	ErrTwice   = errors.New("several nodes have one id")
	ErrSize    = errors.New("a node has no size")
)

// A GraphError says what keeps a graph from being drawn. It unwraps to one of the errors
// of the package.
type GraphError struct {
	Err error
	IDs []string // of the nodes that are to blame
}

// Error names the nodes.
func (e *GraphError) Error() string { return fmt.Sprintf("%v: %s", e.Err, strings.Join(e.IDs, ", ")) }

// Unwrap returns what is wrong.
func (e *GraphError) Unwrap() error { return e.Err }

// Draw returns a drawing of g, or a [GraphError].
func Draw(g Graph, o Options) (Drawing, error) {
	o.RankGap, o.LaneGap = max(o.RankGap, 2), max(o.LaneGap, 1)
	n, err := newNet(g, o)
	if err != nil {
		return Drawing{}, err
	}
	if err := n.rank(); err != nil {
		return Drawing{}, err
	}
	n.subdivide()
	n.order()
	n.place()
	n.route()
	return n.drawing(g), nil
}
