package mask

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

func rules(t testing.TB, lines ...string) *Rules {
	t.Helper()
	r, err := New(access.Admin, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPayload(t *testing.T) {
	const whole = `"•••"`
	for _, c := range []struct{ name, rule, in, want string }{
		{"a member", "card", `{"card":1,"n":2}`, `{"card":"•••","n":2}`},
		{"a member of a member", "card.number", `{"card":{"number":"4111","cvc":1}}`, `{"card":{"number":"•••","cvc":1}}`},
		{"a whole object", "card", `{"card":{"number":"4111"}}`, `{"card":"•••"}`},
		{"null and empty things", "a", `{"a":null,"b":{},"c":[]}`, `{"a":"•••","b":{},"c":[]}`},
		{"nothing there", "card.number", `{"x":[{"y":1}]}`, `{"x":[{"y":1}]}`},
		{"any member", "*.password", `{"ann":{"password":"x"},"bob":{"password":"y","n":1}}`, `{"ann":{"password":"•••"},"bob":{"password":"•••","n":1}}`},
		{"any element", "users.*.token", `{"users":[{"token":1},{"token":2}]}`, `{"users":[{"token":"•••"},{"token":"•••"}]}`},
		{"an element by its number", "users.1", `{"users":["a","b","c"]}`, `{"users":["a","•••","c"]}`},
		{"an array stands for its elements", "users.token", `{"users":[{"token":1},[{"token":2}]]}`, `{"users":[{"token":"•••"},[{"token":"•••"}]]}`},
		{"also the outermost", "token", `[{"token":1}]`, `[{"token":"•••"}]`},
		{"any number of members", "**.password", `{"password":1,"a":{"b":[{"password":2}],"c":3}}`, `{"password":"•••","a":{"b":[{"password":"•••"}],"c":3}}`},
		{"and then one", "a.**.b", `{"b":1,"a":{"b":2,"c":{"b":3}}}`, `{"b":1,"a":{"b":"•••","c":{"b":"•••"}}}`},
		{"all below", "a.**", `{"a":{"b":1},"c":1}`, `{"a":"•••","c":1}`},
		{"a name in quotes", `"a.b".c`, `{"a.b":{"c":1},"a":{"b":{"c":1}}}`, `{"a.b":{"c":"•••"},"a":{"b":{"c":1}}}`},
		{"letters of another case", "card.Number", `{"CARD":{"nUMBER":1}}`, `{"CARD":{"nUMBER":"•••"}}`},
		{"letters that fold", "task", `{"tasK":1}`, `{"tasK":"•••"}`},
		{"a name that is escaped", "password", `{"p\u0061ssword":1}`, `{"password":"•••"}`},
		{"a member that is there twice", "a", `{"a":1,"a":2}`, `{"a":"•••","a":"•••"}`},
		{"numbers as they are written", "a", `{"b":1.50e+3,"c":12345678901234567890}`, `{"b":1.50e+3,"c":12345678901234567890}`},
		{"markup stays markup", "a", `{"b":"<b>&"}`, `{"b":"<b>&"}`},
		{"no JSON", "a", `card=4111`, whole},
		{"two documents", "a", `{"b":1}{"b":1}`, whole},
		{"broken JSON", "a", `{"b":"secret`, whole},
		{"a text that is JSON", "a", `"{\"a\":1}"`, whole},
		{"a number", "a", `4111111111111111`, whole},
		{"no UTF-8", "a", "\xff\x00", whole},
		{"nothing", "a", ``, ``},
		{"everything", "*", `{"a":1}`, whole},
		{"only a header", "header:x", `secret`, `secret`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rules(t, c.rule)
			for role := access.Nobody; role < access.Admin; role++ {
				if got := string(r.Payload(role, []byte(c.in))); got != c.want {
					t.Errorf("%s masked by %s is %s, want %s", c.in, c.rule, got, c.want)
				}
			}
			if got := string(r.Payload(access.Admin, []byte(c.in))); got != c.in {
				t.Errorf("%s is %s for who may see it", c.in, got)
			}
		})
	}
}

func TestNoRulesHideNothing(t *testing.T) {
	for name, r := range map[string]*Rules{"none": nil, "empty": rules(t)} {
		if got := string(r.Payload(access.Nobody, []byte("text"))); got != "text" || r.Hides(access.Nobody) {
			t.Errorf("%s rules make %s of a text", name, got)
		}
		if got := r.Task(access.Nobody, view.Task{UniqueKey: "k"}); got.UniqueKey != "k" {
			t.Errorf("%s rules hide %v", name, got)
		}
		_ = r.Server(access.Nobody, view.Server{})
		_ = r.Entry(access.Nobody, view.Entry{})
		if err := r.Query(access.Nobody, parse(t, query.Tasks, "payload:x")); err != nil {
			t.Errorf("%s rules refuse a query: %v", name, err)
		}
	}
}

func TestDeepArraysAreCheap(t *testing.T) {
	const depth = 5000
	in := strings.Repeat("[", depth) + `{"a":{"b":1}}` + strings.Repeat("]", depth)
	want := strings.Repeat("[", depth) + `{"a":{"b":"•••"}}` + strings.Repeat("]", depth)
	if got := string(rules(t, "**.a.**.b", "**.x.**.a", "**.*.y.**.*.b").Payload(access.Viewer, []byte(in))); got != want {
		t.Errorf("a deep array is %s", got[depth:len(got)-depth])
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, line := range []string{"", ".", "a.", ".a", "a..b", "a b", "a*", `"a`, `"a"b`, "**", "**.**", "header:", "header:x*", "other:x", `a."`} {
		if _, err := New(access.Admin, "fine", line); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("the rule %q is refused with %v", line, err)
		}
	}
	for _, role := range []access.Role{access.Nobody, -1, 9} {
		if _, err := New(role, "a"); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("%v as the role that sees all is refused with %v", role, err)
		}
	}
}

func parse[T any](t testing.TB, l *query.Language[T], text string) query.Query[T] {
	t.Helper()
	q, err := l.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQuery(t *testing.T) {
	const refused, allowed = true, false
	for _, c := range []struct {
		rule, query string
		want        bool
	}{
		{"card.number", "payload.card.number:4111", refused},
		{"card.number", "-payload.card.number>4", refused},
		{"card.number", "payload.CARD.Number:4*", refused},
		{"card.number", "payload.card:*4111*", refused},
		{"card.number", "payload.card.number.x:1", refused},
		{"card.number", "payload.*.number:1", refused},
		{"card.number", "payload.*:*4111*", refused},
		{"card.number", "payload.0.card.number:1", refused},
		{"card.number", "payload.card.0.number:1", refused},
		{"card.number", "payload.card.*.number:1", refused},
		{"card.number", "payload~4111", refused},
		{"card.number", "state:retry payload:*4111*", refused},
		{"card.number", "result~4111", refused},
		{"card.number", "progress.card.number:1", refused},
		{"card.number", "unique:*", refused},
		{"card.number", "payload.user:17", allowed},
		{"card.number", "payload.card.holder:ann", allowed},
		{"card.number", "payload.*.holder:ann", allowed},
		{"card.number", "header.card:1", allowed},
		{"card.number", "error~card type:x ann", allowed},
		{"**.password", "payload.user.id:17", refused}, // what it leads to may have one in it
		{"users.*.token", "payload.users.3.token:x", refused},
		{"users.*.token", "payload.users.3.name:x", refused}, // each user may be an array, too
		{"users.token", "payload.users.3.name:x", allowed},
		{"users.token", "payload.users.3.token:x", refused},
		{`"a.b"`, `payload."a.b":1`, refused},
		{`"a.b"`, "payload.a.b:1", allowed},
		{"*", "payload.x:1", refused},
		{"*", "header.x:1", refused},
		{"*", "state:retry", allowed},
		{"header:Authorization", "header.authorization:Bearer*", refused},
		{"header:authorization", "header.tenant:a", allowed},
		{"header:authorization", "payload~x", allowed},
		{"header:*", "header.tenant:a", refused},
	} {
		err := rules(t, c.rule).Query(access.Operator, parse(t, query.Tasks, c.query))
		if _, got := errors.AsType[*MaskedError](err); got != c.want || got != errors.Is(err, ErrMasked) {
			t.Errorf("with the rule %s, %s is answered with %v", c.rule, c.query, err)
		}
		if err := rules(t, c.rule).Query(access.Admin, parse(t, query.Tasks, c.query)); err != nil {
			t.Errorf("with the rule %s, %s of who sees all is answered with %v", c.rule, c.query, err)
		}
	}
	if err := rules(t, "*").Query(access.Viewer, parse(t, query.Runs, "attr.customer:17")); err != nil {
		t.Errorf("attributes of runs are not hidden, and may not be asked for: %v", err)
	}
}

// secret is in all that has to be hidden.
const secret = "4111"

func TestViewsShowNoSecret(t *testing.T) {
	r := rules(t, "card", "header:authorization")
	payload := []byte(`{"card":"4111","n":7}`)
	headers := map[string]string{"Authorization": secret, "tenant": "acme"}
	i := &task.Info{
		Payload: payload, Result: []byte(secret), Progress: []byte("\xff" + secret), Headers: headers, UniqueKey: secret, LastErr: "acme", State: task.Retry,
	}
	server := broker.Server{Workers: []broker.Worker{{Payload: payload}, {Payload: []byte(strings.Repeat(secret, 256))}}}
	for name, shown := range map[string]string{
		"info":        written(t, r.Info(access.Viewer, i)),
		"task":        written(t, r.Task(access.Viewer, view.TaskOf(i))),
		"server":      written(t, r.Server(access.Viewer, view.ServerOf(time.Now(), server))),
		"entry":       written(t, r.Entry(access.Viewer, view.Entry{Payload: payload, Template: secret, Options: []string{task.Header("authorization", secret).String(), task.MaxRetry(3).String()}})),
		"base64":      written(t, r.Entry(access.Viewer, view.Entry{PayloadBase64: payload})),
		"odd options": written(t, r.Entry(access.Viewer, view.Entry{Options: []string{"Header(" + secret}})),
	} {
		if strings.Contains(shown, secret) || !strings.Contains(shown, Hidden) {
			t.Errorf("%s shows %s", name, shown)
		}
	}
	if got := r.Info(access.Viewer, i).Headers["tenant"]; got != "acme" {
		t.Errorf("another header is %q", got)
	}
	if string(i.Payload) != string(payload) || !maps.Equal(headers, map[string]string{"Authorization": secret, "tenant": "acme"}) || string(server.Workers[0].Payload) != string(payload) {
		t.Error("what was masked has been changed itself")
	}
}

// written returns v with all bytes in it as text.
func written(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	all := string(b)
	for _, word := range strings.FieldsFunc(all, func(r rune) bool { return r == '"' }) {
		if raw, err := base64.StdEncoding.DecodeString(word); err == nil {
			all += string(raw)
		}
	}
	return all
}
