package layout

import (
	"cmp"
	"slices"
)

// idleSweeps is after how many sweeps that saved nothing ordering ends, and maxSweeps
// after how many in any case.
const (
	idleSweeps = 6
	maxSweeps  = 40
)

// order finds an order in each rank with few crossings.
func (n *net) order() {
	n.firstOrder()
	n.before = n.count()
	best, least := n.copyRanks(), n.before
	for sweep, idle := 0, 0; sweep < maxSweeps && idle < idleSweeps && least > 0; sweep++ {
		n.sweep(sweep%2 == 0)
		n.swap()
		idle++
		if now := n.count(); now < least {
			best, least, idle = n.copyRanks(), now, 0
		}
	}
	n.ranks = best
	for rank := range n.ranks {
		n.number(rank)
	}
	n.crossings = least
}

// firstOrder is that in which a walk from the first nodes on comes to them.
func (n *net) firstOrder() {
	seen := make([]bool, len(n.spots))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		s := &n.spots[i]
		s.index = len(n.ranks[s.rank])
		n.ranks[s.rank] = append(n.ranks[s.rank], i)
		for _, to := range s.outs {
			visit(to)
		}
	}
	for i := range n.spots {
		if len(n.spots[i].ins) == 0 {
			visit(i)
		}
	}
}

func (n *net) copyRanks() [][]int {
	c := make([][]int, len(n.ranks))
	for i, r := range n.ranks {
		c[i] = slices.Clone(r)
	}
	return c
}

func (n *net) number(rank int) {
	for k, i := range n.ranks[rank] {
		n.spots[i].index = k
	}
}

// sweep orders each rank by the middle of the neighbours in the one before, from the first
// rank on; or from the last on by those in the one behind.
func (n *net) sweep(forward bool) {
	for k := range n.ranks {
		rank := k
		if !forward {
			rank = len(n.ranks) - 1 - k
		}
		keys := make(map[int]float64, len(n.ranks[rank]))
		for place, i := range n.ranks[rank] {
			near := n.spots[i].ins
			if !forward {
				near = n.spots[i].outs
			}
			keys[i] = n.centre(near, place)
		}
		slices.SortStableFunc(n.ranks[rank], func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
		n.number(rank)
	}
}

// centre returns the mean place of some spots, or else place.
func (n *net) centre(spots []int, place int) float64 {
	if len(spots) == 0 {
		return float64(place)
	}
	sum := 0
	for _, i := range spots {
		sum += n.spots[i].index
	}
	return float64(sum) / float64(len(spots))
}

// swap exchanges neighbours as far as that saves crossings.
func (n *net) swap() {
	for rank := range n.ranks {
		for k := 0; k+1 < len(n.ranks[rank]); k++ {
			a, b := n.ranks[rank][k], n.ranks[rank][k+1]
			as, bs := &n.spots[a], &n.spots[b]
			if len(as.ins)*len(bs.ins)+len(as.outs)*len(bs.outs) > 64 {
				continue // sweeps are better at these, and faster
			}
			if n.pair(as.ins, bs.ins)+n.pair(as.outs, bs.outs) > n.pair(bs.ins, as.ins)+n.pair(bs.outs, as.outs) {
				n.ranks[rank][k], n.ranks[rank][k+1] = b, a
				as.index, bs.index = k+1, k
			}
		}
	}
}

// pair counts the crossings of edges to a with those to b, of spots of which the first
// stands before the second.
func (n *net) pair(a, b []int) (crossings int) {
	for _, i := range a {
		for _, j := range b {
			if n.spots[i].index > n.spots[j].index {
				crossings++
			}
		}
	}
	return crossings
}

// count counts the crossings between neighbouring ranks.
func (n *net) count() (crossings int) {
	var ends []int
	for rank := 0; rank+1 < len(n.ranks); rank++ {
		ends = ends[:0]
		for _, i := range n.ranks[rank] {
			from := len(ends)
			for _, to := range n.spots[i].outs {
				ends = append(ends, n.spots[to].index)
			}
			slices.Sort(ends[from:])
		}
		crossings += inversions(ends, len(n.ranks[rank+1]))
	}
	return crossings
}

// inversions counts pairs that stand in the wrong order, of numbers below width.
func inversions(list []int, width int) (count int) {
	tree := make([]int, width+1) // how many have come, as a binary indexed tree
	for k, x := range list {
		smaller := 0
		for i := x + 1; i > 0; i -= i & -i {
			smaller += tree[i]
		}
		count += k - smaller
		for i := x + 1; i <= width; i += i & -i {
			tree[i]++
		}
	}
	return count
}
