package redisbroker

import "slices"

// names are names, each once, in the order in which they were added.
type names struct {
	all  []string
	seen map[string]bool // once they are more than a few
}

// fewNames is how many are looked through sooner than hashed.
const fewNames = 8

func (n *names) add(name string) {
	if len(n.all) <= fewNames {
		if slices.Contains(n.all, name) {
			return
		}
	} else if n.seen[name] {
		return
	}
	n.all = append(n.all, name)
	switch {
	case len(n.all) == fewNames+1:
		n.seen = make(map[string]bool, 2*len(n.all))
		for _, known := range n.all {
			n.seen[known] = true
		}
	case len(n.all) > fewNames:
		n.seen[name] = true
	}
}
