package layout

import "math"

// placings is how often all ranks are placed.
const placings = 8

// place finds where the spots are across: near to their neighbours, in order, and no
// nearer to one another than they may be.
func (n *net) place() {
	for rank := range n.ranks {
		at := 0
		for k, i := range n.ranks[rank] {
			if k > 0 {
				at += n.apart(n.ranks[rank][k-1], i)
			}
			n.spots[i].at = at
		}
	}
	for round := range placings {
		both := round >= placings-2
		for rank := range n.ranks {
			n.settle(rank, func(i int) (float64, float64) { return n.wish(i, true, both) })
		}
		if round == placings-1 {
			break
		}
		for rank := len(n.ranks) - 1; rank >= 0; rank-- {
			n.settle(rank, func(i int) (float64, float64) { return n.wish(i, both, true) })
		}
	}
	for rank := range n.ranks {
		n.settle(rank, n.straight)
	}
	first := math.MaxInt
	for i := range n.spots {
		first = min(first, n.spots[i].at)
	}
	for i := range n.spots {
		n.spots[i].at -= first
	}
}

// apart is how far a spot begins behind the beginning of the one before it in its rank.
func (n *net) apart(before, i int) int {
	gap := n.options.NodeGap
	if !n.isNode(before) || !n.isNode(i) {
		gap = n.options.EdgeGap
	}
	return n.spots[before].across + gap
}

// A block is a row of spots that touch: they move together.
type block struct {
	sum, weight float64
	from        int
}

func (b block) mean() float64 { return b.sum / b.weight }

// settle places the spots of a rank where the squares of their distances from where they
// want to be are least in sum; wish says where that is, and how much they do.
func (n *net) settle(rank int, wish func(i int) (at, weight float64)) {
	spots := n.ranks[rank]
	offsets, blocks := make([]int, len(spots)), make([]block, 0, len(spots))
	for k, i := range spots {
		if k > 0 {
			offsets[k] = offsets[k-1] + n.apart(spots[k-1], i)
		}
		at, weight := wish(i)
		b := block{(at - float64(offsets[k])) * weight, weight, k}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean() >= b.mean() {
			last := blocks[len(blocks)-1]
			b = block{last.sum + b.sum, last.weight + b.weight, last.from}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	for j, b := range blocks {
		to := len(spots)
		if j+1 < len(blocks) {
			to = blocks[j+1].from
		}
		at := int(math.Floor(b.mean() + 0.5))
		for k := b.from; k < to; k++ {
			n.spots[spots[k]].at = at + offsets[k]
		}
	}
}

// straight is the wish of a spot to stay where it is, or to have the only edge to it go
// straight on, if that is the only one of the spot before it.
func (n *net) straight(i int) (at, weight float64) {
	s := &n.spots[i]
	if len(s.ins) == 1 && len(n.spots[s.ins[0]].outs) == 1 {
		return float64(n.spots[s.ins[0]].middle() - (s.across-1)/2), 4
	}
	return float64(s.at), 1
}

// wish returns where a spot wants to begin, and how much: at the mean of its neighbours. What only passes wants to go
// straight on most of all.
func (n *net) wish(i int, ins, outs bool) (at, weight float64) {
	s := &n.spots[i]
	sum, count := 0, 0
	add := func(near []int) {
		for _, j := range near {
			sum += n.spots[j].middle()
			count++
		}
	}
	if ins {
		add(s.ins)
	}
	if outs {
		add(s.outs)
	}
	if count == 0 {
		return float64(s.at), 0.1
	}
	weight = 1
	if !n.isNode(i) {
		weight = 4
	}
	return float64(sum)/float64(count) - float64((s.across-1)/2), weight
}
