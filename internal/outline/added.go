package outline

import "github.com/leatwork/leat/internal/view"

// mostAdded is how many of the steps that one has added are drawn with it. Where there are
// more, those that run the same are one.
const mostAdded = 5

// Added returns what the steps of a figure have added, and how many of it are left out.
func (f *Figure) Added() (figures []Figure, more int) {
	var all view.Run
	for _, s := range f.Steps {
		all.Steps = append(all.Steps, s.Added...)
	}
	if len(all.Steps) == 0 {
		return nil, 0
	}
	var groups []Group
	index := make(map[string]int) // groups by what they run
	for i, s := range all.Steps {
		key := s.Runs
		if len(all.Steps) <= mostAdded {
			key = s.Name
		}
		k, known := index[key]
		if !known {
			k = len(groups)
			index[key], groups = k, append(groups, Group{})
		}
		groups[k].Steps = append(groups[k].Steps, i)
	}
	drawn := min(len(groups), mostAdded)
	for _, g := range groups[drawn:] {
		more += len(g.Steps)
	}
	return Figures(all, groups[:drawn]), more
}
