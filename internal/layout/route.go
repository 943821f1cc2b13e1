package layout

import (
	"cmp"
	"slices"
)

// A bundle is what goes from a spot to the next rank: all of it turns in one lane, together
// with what goes from others to the same spots.
type bundle struct {
	spot     int
	outs     []int
	row      int // where it comes from, across
	low, top int // where the lane begins and ends, across
	rows     []int
	lane     int
}

func (n *net) bundleOf(i int) bundle {
	s := &n.spots[i]
	b := bundle{spot: i, outs: slices.Sorted(slices.Values(s.outs)), row: s.middle(), low: s.middle(), top: s.middle()}
	for _, to := range s.outs {
		row := n.spots[to].middle()
		b.rows = append(b.rows, row)
		b.low, b.top = min(b.low, row), max(b.top, row)
	}
	return b
}

// route finds the lanes between the ranks, and where the ranks are along.
func (n *net) route() {
	n.lanes = make([]map[int]int, len(n.ranks))
	for rank, spots := range n.ranks {
		n.starts = append(n.starts, n.length)
		depth := 0
		for _, i := range spots {
			depth = max(depth, n.spots[i].along)
		}
		n.depths = append(n.depths, depth)
		n.length += depth
		if rank == len(n.ranks)-1 {
			break
		}
		var bundles []*bundle
		for _, i := range spots {
			if b := n.bundleOf(i); b.low < b.top {
				bundles = append(bundles, &b)
			}
		}
		lanes := assign(bundles)
		n.lanes[rank] = make(map[int]int, len(bundles))
		gap := max(n.options.RankGap, 2+(lanes-1)*n.options.LaneGap+1)
		for _, b := range bundles {
			n.lanes[rank][b.spot] = n.length + (gap-1-(lanes-1)*n.options.LaneGap)/2 + b.lane*n.options.LaneGap
		}
		n.length += gap
	}
}

// assign gives bundles lanes in which they do not overlap, and returns how many there are.
// One that comes from the row to which another goes turns before that, if it can: else
// the two would look like one.
func assign(bundles []*bundle) (lanes int) {
	slices.SortStableFunc(bundles, func(a, b *bundle) int {
		return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.top, b.top))
	})
	after := make([][]int, len(bundles))
	for i, b := range bundles {
		for j, other := range bundles {
			if i != j && slices.Contains(b.rows, other.row) {
				after[i] = append(after[i], j)
			}
		}
	}
	state := make([]int, len(bundles)) // 0: not seen, 1: being given a lane, 2: has one
	taken := make([][]*bundle, 0, len(bundles))
	var give func(i int)
	give = func(i int) {
		if state[i] != 0 {
			return
		}
		state[i] = 1
		lane := 0
		for _, j := range after[i] {
			if give(j); state[j] == 2 {
				lane = max(lane, bundles[j].lane+1)
			}
		}
		for ; lane < len(taken) && slices.ContainsFunc(taken[lane], bundles[i].meets); lane++ {
			continue
		}
		for len(taken) <= lane {
			taken = append(taken, nil)
		}
		taken[lane], bundles[i].lane, state[i] = append(taken[lane], bundles[i]), lane, 2
	}
	for i := range bundles {
		give(i)
	}
	return len(taken)
}

// meets reports whether two bundles cannot turn in one lane.
func (b *bundle) meets(other *bundle) bool {
	return b.low <= other.top && other.low <= b.top && !slices.Equal(b.outs, other.outs)
}

// drawing returns what was found of g.
func (n *net) drawing(g Graph) Drawing {
	width := 0
	for i := range n.spots {
		width = max(width, n.spots[i].at+n.spots[i].across)
	}
	d := Drawing{Width: n.length, Height: width, Ranks: len(n.ranks), Crossings: n.crossings, Before: n.before}
	for i, node := range g.Nodes {
		s := &n.spots[i]
		at := n.point(n.starts[s.rank]+(n.depths[s.rank]-s.along)/2, s.at)
		d.Nodes = append(d.Nodes, Box{Node: node, X: at.X, Y: at.Y, Rank: s.rank, Order: s.index})
	}
	for _, e := range n.edges {
		d.Edges = append(d.Edges, Route{Edge{g.Nodes[e[0]].ID, g.Nodes[e[1]].ID}, n.way(e[0], e[1])})
	}
	if n.options.Down {
		d.Width, d.Height = d.Height, d.Width
	}
	return d
}

func (n *net) point(along, across int) Point {
	if n.options.Down {
		return Point{across, along}
	}
	return Point{along, across}
}

// way returns the points of an edge.
func (n *net) way(from, to int) []Point {
	s := &n.spots[from]
	along, row := n.starts[s.rank]+(n.depths[s.rank]-s.along)/2+s.along, s.middle()
	points := []Point{n.point(along, row)}
	for at := from; at != to; {
		next := n.next(at, to)
		if target := n.spots[next].middle(); target != row {
			lane := n.lanes[n.spots[at].rank][at]
			points = append(points, n.point(lane, row), n.point(lane, target))
			row = target
		}
		at = next
	}
	t := &n.spots[to]
	return append(points, n.point(n.starts[t.rank]+(n.depths[t.rank]-t.along)/2-1, row))
}

// next returns the spot behind at on the way to a node.
func (n *net) next(at, to int) int {
	for _, i := range n.spots[at].outs {
		if i == to || n.spots[to].rank > n.spots[i].rank && !n.isNode(i) {
			return i
		}
	}
	return to
}
