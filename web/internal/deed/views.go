package deed

import (
	"context"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/views"
)

var viewDeeds = []Deed{
	{
		Kind: View, Name: "keep", Label: "Keep view", Role: access.Operator, New: true,
		Help: "What is asked for on a list is kept under a name, and offered above that list to everybody.",
		Params: []Param{
			{Name: "name", Label: "Name", Form: Text, Required: true, Help: "What it is called, in letters, digits and _.-"},
			{Name: "page", Label: "List", Form: Choice, Required: true, Choices: views.Pages()},
			{Name: "query", Label: "Query", Form: Text, Help: "As it is written on that list."},
			{Name: "sort", Label: "Sorted by", Form: Text, Help: "The column in the address of the list, after a minus if it is sorted the other way round."},
			{Name: "order", Label: "Order", Form: Choice, Choices: []string{"newest", "oldest"}, Help: "Of tasks: which come first."},
			{Name: "size", Label: "Rows", Form: Number, Help: "How many a page has."},
		},
		do: func(ctx context.Context, c call) (Outcome, error) {
			v := views.View{Page: c.text("page"), Name: c.text("name"), Query: c.text("query"), Sort: c.text("sort"), Order: c.text("order"), Size: c.text("size")}
			if err := v.Check(); err != nil {
				return Outcome{}, err
			}
			if err := v.Allowed(c.who.Role, c.Rules); err != nil {
				return Outcome{}, err
			}
			return Outcome{Text: "view " + v.Name + " is kept", Made: &Target{ID: v.ID()}}, views.Keep(ctx, c.Storage.Broker, c.now, v)
		},
	}, {
		Kind: View, Name: "forget", Label: "Forget", Role: access.Operator,
		Help: "The view is not kept any longer.",
		do: func(ctx context.Context, c call) (Outcome, error) {
			return Outcome{Text: "view " + c.t.String() + " is forgotten"}, views.Forget(ctx, c.Storage.Broker, c.now, c.t.ID)
		},
	},
}
