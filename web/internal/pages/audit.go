package pages

import (
	"context"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
)

var auditPage = page{path: "/audit", name: "audit", title: "Audit", load: loadAudit}

// An audited is what was done, the latest first.
type audited struct {
	Entries []audit.Entry
	Full    bool // there may be more
}

const mostAudited = 300 // entries on the page

func loadAudit(ctx context.Context, p *Pages, r *request) (any, error) {
	if p.Audit == nil {
		return audited{}, nil
	}
	all, err := p.Audit.Latest(ctx, mostAudited)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if p.betrays(r.Who.Role, all[i]) {
			all[i].Target = mask.Hidden
		}
	}
	return audited{Entries: all, Full: len(all) == mostAudited}, nil
}

// betrays reports whether the target of what was done is a query that who has the role
// may not ask.
func (p *Pages) betrays(role access.Role, e audit.Entry) bool {
	if !p.Rules.Hides(role) || e.Kind != string(deed.Task) {
		return false
	}
	q, err := query.Tasks.Parse(e.Target)
	return err == nil && p.Rules.Query(role, q) != nil
}
