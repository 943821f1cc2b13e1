package pages

import (
	"context"

	"github.com/leatwork/leat/web/internal/audit"
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
		all[i] = all[i].Shown(r.Who.Role, p.Rules)
	}
	return audited{Entries: all, Full: len(all) == mostAudited}, nil
}
