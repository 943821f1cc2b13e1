package browsertest

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed testdata/axe.min.js
var axe string

// A violation is what axe-core finds that keeps people out.
type violation struct {
	ID, Impact, Help string
	Nodes            []string
}

// Axe has axe-core look at the page, and fails the test with what it finds serious or
// critical. It is put into the page past its content security policy, which it leaves as it
// is. It cannot look at a page whose script is disabled.
func (p *Page) Axe() {
	p.t.Helper()
	eval[bool](p, `() => { if (!window.axe) { `+axe+` } return true }`)
	found := eval[[]violation](p, `() => axe.run(document, {preload: false, resultTypes: ['violations']}).then(r => r.violations
		.filter(v => v.impact === 'serious' || v.impact === 'critical')
		.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.slice(0, 5).map(n =>
			n.target.join(' ') + ': ' + n.html.slice(0, 200) + '\n      ' + n.any.concat(n.all, n.none).map(c => c.message).join('; '))})))`)
	for _, v := range found {
		p.t.Error(v.in(p.Address()))
	}
}

func (v violation) in(address string) string {
	return fmt.Sprintf("%s: %s %s: %s\n    %s", address, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n    "))
}
