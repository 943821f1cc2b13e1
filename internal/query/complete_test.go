package query_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/query"
)

func TestAHalfWrittenQueryIsCompleted(t *testing.T) {
	known := query.Tasks.Knowing("queue", []string{"mail", "mass mail"}).Knowing("type", []string{"email:welcome"})
	for _, c := range []struct{ text, want string }{ // | is the cursor
		{"st|", "state:"},
		{"-st|", "-state:"},
		{"queue:mail re|", "queue:mail result: queue:mail retried>"},
		{"he|", "header."},
		{"state:|", "state:active state:pending state:scheduled state:retry state:archived state:completed state:aggregating"},
		{"state:retry,ar| x", "state:retry,archived x"},
		{"q:ma|", `q:mail q:"mass mail"`},
		{`queue:"ma|`, `queue:"mass mail"`},
		{"type:em|", "type:email:welcome"},
		{"orphaned:|", "orphaned:yes orphaned:no"},
		{"retried>|", ""},
		{"sate:|", ""},
		{`"st|`, ""},
	} {
		text, behind, _ := strings.Cut(c.text, "|")
		var got []string
		for _, s := range query.Complete(known, text+behind, len(text)) {
			got = append(got, text[:s.From]+s.Text+(text + behind)[s.To:])
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q is completed to %q, want %q", c.text, got, c.want)
		}
	}
	if n := len(query.Complete(query.Tasks, "", 0)); n != len(query.Tasks.Fields()) {
		t.Errorf("at the beginning %d things are offered, want every field", n)
	}
	if slices.ContainsFunc(query.Complete(query.Tasks, "queue:", 6), func(s query.Suggestion) bool { return s.Text == "mail" }) {
		t.Error("what one language knows, another one does, too")
	}
}
