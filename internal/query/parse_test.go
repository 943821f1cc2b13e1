package query_test

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
)

// pieces is what queries are made of, and what may confuse one who reads them.
var pieces = []string{
	"state", "retry", "queue", "mail", "payload", "payload.a.*.b", "header.", "header.a.b", "attr.", "retried", "age", "due", "failed", "timeout", "orphaned", "yes",
	":", ":", ":", "~", ">", "<", ">=", "<=", "=", ",", "*", `"`, `"a b"`, `""`, `\`, `\"`, ".", "-", " ", " ", "\t", "\u2003",
	"17", "1.5e3", "5m", "7d", "2026-11-30", "2026-11-30T12:00:00Z", "é", "\xff", "word",
}

func TestWhatAQueryPrintsIsTheQuery(t *testing.T) {
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.SampledFrom(pieces), rapid.String())
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		query.Complete(query.Tasks, text, rapid.IntRange(-1, len(text)+1).Draw(t, "cursor"))
		if q, err := query.Tasks.Parse(text); err == nil {
			read++
			printsAsItself(t, q)
			q.Match(now, mail)
		}
	})
	t.Logf("%d were queries", read)
	for _, f := range query.Tasks.Fields() {
		for _, o := range f.Ops {
			for _, v := range []string{`"a, b"`, `"*"*"\"\\"`, "17", "5m", "7d", "2026-11-30", "yes", "a*b", "**", `""`} {
				q, err := query.Tasks.Parse("-" + f.Name + o + v)
				if err == nil {
					printsAsItself(t, q)
				}
			}
		}
	}
}

type fatal interface{ Fatalf(string, ...any) }

func printsAsItself(t fatal, q query.Query[*task.Info]) {
	again, err := query.Tasks.Parse(q.String())
	if err != nil {
		t.Fatalf("it prints as %q, which is no query: %v", q, err)
	}
	if !reflect.DeepEqual(q, again) || again.String() != q.String() {
		t.Fatalf("it prints as %q, which is another: %q\n%#v\n%#v", q, again, q, again)
	}
}

func TestAQueryPrintsPlainly(t *testing.T) {
	for text, want := range map[string]string{
		"  state:retry   q:mail ":   "state:retry queue:mail",
		`-"a b" "-x" "x"`:           `-"a b" "-"x x`,
		`type:"email:"*`:            "type:email:*",
		`error~"a, b",c`:            `error~"a, b",c`,
		`"state:retry"`:             `"state:retry"`,
		"attempt>3":                 "retried>3",
		`payload."a.b".*."*".0:"x"`: `payload."a.b".*."*".0:x`,
		`header."leat.entry":a***b`: "header.leat.entry:a*b",
		"":                          "",
	} {
		if got := parse(t, text).String(); got != want {
			t.Errorf("%q prints as %q, want %q", text, got, want)
		}
	}
}

func FuzzAnyTextIsReadOrRefused(f *testing.F) {
	for _, l := range query.Tasks.Fields() {
		f.Add(l.Example, 3)
	}
	for _, p := range pieces {
		f.Add("-queue:"+p+" "+p+":a", len(p))
	}
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		for _, s := range query.Complete(query.Tasks, text, cursor) {
			if s.From < 0 || s.From > s.To || s.To > len(text) {
				t.Errorf("suggested in place of %d to %d of %q", s.From, s.To, text)
			}
		}
		q, err := query.Tasks.Parse(text)
		if err != nil {
			_ = err.Error()
			return
		}
		printsAsItself(t, q)
		q.Match(now, mail)
		q.Match(now, done)
		q.Only("state")
		query.Filter(q)
	})
}
