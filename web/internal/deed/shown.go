package deed

import (
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
)

// Shown returns what who has the role may see of a bulk. What others asked for, what they
// said with it and why something failed may tell of what is hidden.
func (p Progress) Shown(role access.Role, rules *mask.Rules) Progress {
	if !rules.Hides(role) {
		return p
	}
	p.Query, p.Args, p.Failures = mask.Hidden, nil, nil
	if p.Error != "" {
		p.Error = mask.Hidden
	}
	return p
}
