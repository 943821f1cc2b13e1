package rundraw

import (
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
)

// Found returns how many steps of a graph have a text in their names, whatever its case, be
// they drawn as one.
func (d *Drawer) Found(r view.Run, o Options) (n int) {
	groups, _ := d.fold(r)
	for _, f := range outline.Figures(r, groups) {
		n += found(f.Steps, o.Find)
		added, _ := f.Added()
		for _, a := range added {
			n += found(a.Steps, o.Find)
		}
		step := f.Steps[0]
		if len(f.Steps) > 1 || !step.Workflow || !slices.Contains(o.Opened, step.Name) {
			continue
		}
		drawn := 0
		for _, child := range r.Children {
			if child.Step == step.Name && drawn < mostInserts {
				drawn++
				n += d.Found(child, o)
			}
		}
	}
	return n
}

// found returns how many of some steps have a text in their names; none have "".
func found(steps []view.Step, text string) (n int) {
	if text == "" {
		return 0
	}
	text = strings.ToLower(text)
	for _, s := range steps {
		if strings.Contains(strings.ToLower(s.Name), text) {
			n++
		}
	}
	return n
}
