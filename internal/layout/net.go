package layout

import "slices"

// A net is a graph in work. Its spots are the nodes, and the places where edges pass
// through ranks between; along is the axis on which ranks follow one another, across the
// other one.
type net struct {
	options Options
	spots   []spot
	named   map[string]int // the nodes
	edges   [][2]int       // of the graph, each once
	ranks   [][]int        // spots by rank, in order
	starts  []int          // of ranks, along
	depths  []int          // of ranks, along
	length  int            // of all, along
	lanes   []map[int]int  // by rank: where a spot's edges turn behind it, along

	before, crossings int
}

// A spot is a node, or where the edges of a node pass a rank.
type spot struct {
	owner         int // the node whose edges pass; the node itself
	rank          int
	across, along int // its size
	at            int // its first unit, across
	ins, outs     []int
	index         int // in its rank
}

// middle is where its edges are, across.
func (s *spot) middle() int { return s.at + (s.across-1)/2 }

func (n *net) isNode(i int) bool { return n.spots[i].owner == i }

func newNet(g Graph, o Options) (*net, error) {
	n := &net{options: o, named: make(map[string]int, len(g.Nodes))}
	for i, node := range g.Nodes {
		if _, known := n.named[node.ID]; known {
			return nil, &GraphError{ErrTwice, []string{node.ID}}
		}
		if node.Width < 1 || node.Height < 1 {
			return nil, &GraphError{ErrSize, []string{node.ID}}
		}
		n.named[node.ID] = i
		s := spot{owner: i, across: node.Height, along: node.Width}
		if o.Down {
			s.across, s.along = s.along, s.across
		}
		n.spots = append(n.spots, s)
	}
	seen := make(map[[2]int]bool, len(g.Edges))
	for _, e := range g.Edges {
		from, known := n.named[e.From]
		if !known {
			return nil, &GraphError{ErrUnknown, []string{e.From}}
		}
		to, known := n.named[e.To]
		if !known {
			return nil, &GraphError{ErrUnknown, []string{e.To}}
		}
		edge := [2]int{from, to}
		if seen[edge] {
			continue
		}
		seen[edge] = true
		n.edges = append(n.edges, edge)
		n.join(from, to)
	}
	for i := range n.spots {
		if slices.Contains(n.spots[i].outs, i) {
			return nil, &GraphError{ErrCycle, []string{g.Nodes[i].ID}}
		}
	}
	return n, nil
}

func (n *net) join(from, to int) {
	n.spots[from].outs = append(n.spots[from].outs, to)
	n.spots[to].ins = append(n.spots[to].ins, from)
}

// rank gives each node the first rank behind those before it; one that has more behind it
// than before it goes as near to these as it can.
func (n *net) rank() error {
	var order []int
	missing := make([]int, len(n.spots))
	for i := range n.spots {
		if missing[i] = len(n.spots[i].ins); missing[i] == 0 {
			order = append(order, i)
		}
	}
	for k := 0; k < len(order); k++ {
		s := &n.spots[order[k]]
		for _, to := range s.outs {
			n.spots[to].rank = max(n.spots[to].rank, s.rank+1)
			if missing[to]--; missing[to] == 0 {
				order = append(order, to)
			}
		}
	}
	if len(order) < len(n.spots) {
		return &GraphError{ErrCycle, n.cyclic(missing)}
	}
	for _, i := range slices.Backward(order) {
		s := &n.spots[i]
		if len(s.outs) > len(s.ins) {
			nearest := n.spots[s.outs[0]].rank
			for _, to := range s.outs {
				nearest = min(nearest, n.spots[to].rank)
			}
			s.rank = max(s.rank, nearest-1)
		}
	}
	return nil
}

// cyclic returns the ids of nodes that wait for others for ever.
func (n *net) cyclic(missing []int) (ids []string) {
	for id, i := range n.named {
		if missing[i] > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// subdivide has edges pass through a spot in each rank between their ends: one for all
// edges of a node.
func (n *net) subdivide() {
	nodes := len(n.spots)
	for i := range nodes {
		n.spots[i].ins, n.spots[i].outs = nil, nil
	}
	last := make([]int, nodes) // the foremost spot of each node's edges
	byEnd := slices.Clone(n.edges)
	slices.SortStableFunc(byEnd, func(a, b [2]int) int { return n.spots[a[1]].rank - n.spots[b[1]].rank })
	for i := range last {
		last[i] = i
	}
	for _, e := range byEnd {
		from, to := e[0], e[1]
		for n.spots[last[from]].rank < n.spots[to].rank-1 {
			rank := n.spots[last[from]].rank + 1
			n.spots = append(n.spots, spot{owner: from, rank: rank, across: 1, along: 1})
			passing := len(n.spots) - 1
			n.join(last[from], passing)
			last[from] = passing
		}
		n.join(last[from], to)
	}
	for i := range n.spots {
		for len(n.ranks) <= n.spots[i].rank {
			n.ranks = append(n.ranks, nil)
		}
	}
}
