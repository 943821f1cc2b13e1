package views

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
)

// A View is what is asked for on a list.
type View struct {
	Page  string `json:"page"` // one of [Pages]
	Name  string `json:"name"` // unique on that page
	Query string `json:"query,omitempty"`
	Sort  string `json:"sort,omitempty"`  // the column by which it is sorted, after a minus if the other way round
	Order string `json:"order,omitempty"` // of tasks: "oldest" is first
	Size  string `json:"size,omitempty"`  // of a page
}

const (
	longestName  = 60 // bytes
	longestQuery = 500
	longestWord  = 30
)

// Pages returns the lists of which there are views: their paths, without the slash.
func Pages() []string { return []string{"tasks", "runs", "entries", "queues"} }

// ID is the name by which the view is forgotten.
func (v View) ID() string { return v.Page + "/" + v.Name }

// Address is the path of its page with what is asked for, without a root.
func (v View) Address() string {
	said := url.Values{}
	for name, value := range map[string]string{"q": v.Query, "sort": v.Sort, "order": v.Order, "size": v.Size} {
		if value != "" {
			said.Set(name, value)
		}
	}
	if len(said) == 0 {
		return "/" + v.Page
	}
	return "/" + v.Page + "?" + strings.ReplaceAll(said.Encode(), "+", "%20")
}

// Check returns what makes no sense in v, all of it.
func (v View) Check() error {
	faults := []error{task.CheckName("name", v.Name)}
	for _, one := range []struct {
		field, text string
		most        int
	}{{"name", v.Name, longestName}, {"query", v.Query, longestQuery}, {"sort", v.Sort, longestWord}, {"order", v.Order, longestWord}, {"size", v.Size, longestWord}} {
		if len(one.text) > one.most {
			faults = append(faults, task.Invalid(one.field, fmt.Sprintf("%d bytes", len(one.text)), fmt.Sprintf("must be at most %d bytes", one.most)))
		}
	}
	_, err := v.asks()
	return errors.Join(append(faults, err)...)
}

// asks returns what the query asks for.
func (v View) asks() (mask.Asker, error) {
	switch v.Page {
	case "tasks":
		return query.Tasks.Parse(v.Query)
	case "runs":
		return query.Runs.Parse(v.Query)
	case "entries":
		return query.Entries.Parse(v.Query)
	case "queues":
		return query.Queues.Parse(v.Query)
	}
	return nil, task.Invalid("page", v.Page, "must be one of "+strings.Join(Pages(), ", "))
}

// Allowed returns why who has the role may not ask for that, or nil.
func (v View) Allowed(role access.Role, rules *mask.Rules) error {
	asks, err := v.asks()
	if err != nil {
		return err
	}
	return rules.Query(role, asks)
}
