package audit

import (
	"maps"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
)

// Shown returns what who has the role may see of e: neither a query that they may not ask
// nor what came of it, and no key by which something is unique. e is not changed.
func (e Entry) Shown(role access.Role, rules *mask.Rules) Entry {
	if !rules.Hides(role) {
		return e
	}
	if e.Kind == "view" && e.keepsHidden(role, rules) {
		e.Args = maps.Clone(e.Args)
		e.Args["query"] = mask.Hidden
		if e.Err != "" {
			e.Err = mask.Hidden
		}
	}
	if e.betrays(role, rules) {
		e.Target = mask.Hidden
		if e.Err != "" {
			e.Err = mask.Hidden
		}
	}
	if e.Args["unique_key"] != "" {
		e.Args = maps.Clone(e.Args)
		e.Args["unique_key"] = mask.Hidden
	}
	return e
}

// betrays reports whether the target is a query that who has the role may not ask, or may
// have been meant as one.
func (e Entry) betrays(role access.Role, rules *mask.Rules) bool {
	if e.Kind != "task" {
		return false // other queries ask for nothing that is masked
	}
	q, err := query.Tasks.Parse(e.Target)
	if err != nil {
		return !namesTasks(e.Target)
	}
	return rules.Query(role, q) != nil
}

// keepsHidden reports whether the query of a view that was kept is one that who has the role
// may not ask, or may have been meant as one.
func (e Entry) keepsHidden(role access.Role, rules *mask.Rules) bool {
	if e.Args["query"] == "" || e.Err == "" && slices.Contains([]string{"runs", "entries", "queues"}, e.Args["page"]) {
		return false // other queries ask for nothing that is masked, if they were none of tasks by mistake
	}
	q, err := query.Tasks.Parse(e.Args["query"])
	return err != nil || rules.Query(role, q) != nil
}

// namesTasks reports whether text names tasks by queue and id.
func namesTasks(text string) bool {
	for word := range strings.FieldsSeq(text) {
		queue, id, both := strings.Cut(word, "/")
		if !both || strings.ContainsAny(queue, ":~<>=") || task.CheckMadeName("queue", queue) != nil || task.CheckMadeName("id", id) != nil {
			return false
		}
	}
	return true
}
