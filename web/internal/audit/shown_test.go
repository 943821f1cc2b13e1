package audit

import (
	"testing"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
)

func TestTheQueryOfAViewIsHiddenWithWhatItAsksFor(t *testing.T) {
	rules, err := mask.New(access.Admin, "card")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		page, query string
		role        access.Role
		want        string
	}{
		{"tasks", "payload.card:4711", access.Viewer, mask.Hidden},
		{"tasks", "payload.card:4711 nonsense(", access.Viewer, mask.Hidden},
		{"", "payload.card:4711", access.Viewer, mask.Hidden},
		{"tasks", "payload.card:4711", access.Admin, "payload.card:4711"},
		{"tasks", "state:retry", access.Viewer, "state:retry"},
		{"runs", "workflow:order", access.Viewer, "workflow:order"},
		{"tasks", "", access.Viewer, ""},
	} {
		e := Entry{Deed: "keep", Kind: "view", Args: map[string]string{"page": c.page, "query": c.query}}
		if got := e.Shown(c.role, rules).Args["query"]; got != c.want || e.Args["query"] != c.query {
			t.Errorf("%q on %q is shown to %s as %q, want %q; it was changed to %q", c.query, c.page, c.role, got, c.want, e.Args["query"])
		}
	}
}

func TestAQueryOfTasksThatWasKeptOfAnotherListByMistakeIsHidden(t *testing.T) {
	rules, err := mask.New(access.Admin, "card")
	if err != nil {
		t.Fatal(err)
	}
	e := Entry{Deed: "keep", Kind: "view", Args: map[string]string{"page": "runs", "query": "payload.card:4711"}, Err: "there is no field payload.card:4711"}
	if got := e.Shown(access.Viewer, rules); got.Args["query"] != mask.Hidden || got.Err != mask.Hidden {
		t.Errorf("a viewer is shown %+v", got)
	}
}
