package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/storage"
)

// A visit is somebody with a role who uses pages on a storage in memory.
type visit struct {
	*testing.T
	*Pages
	role access.Role
}

func visiting(t *testing.T, change func(*Config)) *visit {
	t.Helper()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := storage.New(b, time.Millisecond)
	cfg := Config{Root: "/leat", Storage: s, Doer: &deed.Doer{Storage: s}, Hub: live.New(time.Second, time.Second), Patience: 5 * time.Second, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if change != nil {
		change(&cfg)
	}
	cfg.Doer.Rules = cfg.Rules
	t.Cleanup(func() {
		cfg.Doer.Close()
		cfg.Hub.Close()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return &visit{T: t, Pages: New(cfg), role: access.Admin}
}

// An answered is an answer.
type answered struct {
	status int
	to     string // where it leads
	body   string
}

// ask makes a request; with a form it is a POST.
func (v *visit) ask(address string, form url.Values, headers ...string) answered {
	v.Helper()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(access.With(v.Context(), access.Identity{Name: "ada", Role: v.role}), method, address, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	return answered{w.Code, w.Header().Get("Location"), w.Body.String()}
}

// read returns the body of an answer of that status.
func (v *visit) read(r answered, status int) string {
	v.Helper()
	if r.status != status {
		v.Errorf("answered with %d, want %d: %s", r.status, status, r.body)
	}
	return r.body
}

func (v *visit) enqueue(id string, options ...task.Option) {
	v.Helper()
	if _, err := v.Storage.Client.Enqueue(v.Context(), task.New("mail", []byte(`{"to":7}`), append(options, task.Queue("q"), task.ID(id))...)); err != nil {
		v.Fatal(err)
	}
}

func (v *visit) state(id string) string {
	v.Helper()
	i, err := v.Storage.Inspector.Get(v.Context(), "q", id)
	if errors.Is(err, queue.ErrTaskNotFound) {
		return ""
	} else if err != nil {
		v.Fatal(err)
	}
	return i.State.String()
}

var (
	input    = regexp.MustCompile(`<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"`)
	textarea = regexp.MustCompile(`(?s)<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>`)
	selected = regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)".*?</select>`)
	formTag  = regexp.MustCompile(`(?s)<form class="sheet" id="deed".*?</form>`)
)

// fields returns what a browser would send of the form of a deed.
func (v *visit) fields(page string) url.Values {
	v.Helper()
	form := url.Values{}
	text := formTag.FindString(page)
	if text == "" {
		v.Fatalf("there is no form in %s", page)
	}
	for _, m := range input.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[0], `type="checkbox"`) || strings.Contains(m[0], " checked") {
			form.Add(m[1], html.UnescapeString(m[2]))
		}
	}
	for _, m := range textarea.FindAllStringSubmatch(text, -1) {
		form.Add(m[1], strings.ReplaceAll(html.UnescapeString(m[2]), "\n", "\r\n"))
	}
	for _, m := range selected.FindAllStringSubmatch(text, -1) {
		form.Add(m[1], "")
	}
	return form
}

func TestTheFormOfADeedDoesWhatItSays(t *testing.T) {
	v := visiting(t, nil)
	v.enqueue("a")
	page := v.read(v.ask("/deed/task/archive?queue=q&id=a&back=/leat/tasks?q=x", nil), 200)
	r := v.ask("/deed/task/archive", v.fields(page))
	v.read(r, 303)
	to, err := url.Parse(r.to)
	if err != nil || to.Path != "/leat/tasks" || to.Query().Get("q") != "x" || to.Query().Get("notice") == "" {
		t.Errorf("it leads to %s, %v", to, err)
	}
	if v.state("a") != "archived" {
		t.Errorf("the task is %q, want archived", v.state("a"))
	}
	if shown := v.read(v.ask("/?notice="+to.Query().Get("notice"), nil), 200); !strings.Contains(shown, "task q/a is archived") {
		t.Error("the notice is not shown")
	}
}

func TestEveryDeedHasAForm(t *testing.T) {
	v := visiting(t, nil)
	v.enqueue("a", task.Group("a"))
	v.enqueue("b", task.Header("k", "v"))
	if err := v.Storage.Entries.Add(t.Context(), periodic.Entry{Name: "a", Schedule: "@every 1h", Type: "x"}, ""); err != nil {
		t.Fatal(err)
	}
	for _, d := range deed.All(access.Admin) {
		address := "/deed/" + string(d.Kind) + "/" + d.Name + "?queue=q&id=a"
		form := v.fields(v.read(v.ask(address, nil), 200))
		for _, p := range d.Params {
			if !form.Has(p.Name) && p.Form != deed.Truth {
				t.Errorf("the form of %s %s has no field for %s", d.Kind, d.Name, p.Name)
			}
		}
		for role := access.Nobody; role < d.Role; role++ {
			v.role = role
			v.read(v.ask(address, nil), 403)
			v.read(v.ask("/deed/"+string(d.Kind)+"/"+d.Name, form), 403)
		}
		v.role = access.Admin
		if d.Several && d.Kind != deed.Group && d.Name != "remove" {
			many := v.read(v.ask("/deed/"+string(d.Kind)+"/"+d.Name+"?all=1&q=", nil), 200)
			if f := v.fields(many); f.Get("all") != "1" || f.Get("count") == "" {
				t.Errorf("the form of %s %s for all says %v", d.Kind, d.Name, f)
			}
		}
	}
	if v.state("a") != "aggregating" || v.state("b") != "pending" {
		t.Error("to look at forms has changed something")
	}
}

func TestAFormThatIsLeftAsItIsChangesNothing(t *testing.T) {
	v := visiting(t, nil)
	for i, payload := range []string{`{"to":7}`, "", "\n\nlines\n", "a\r\nb", "\x00\xff", "<script>&amp;</textarea>", "ünï"} {
		id := fmt.Sprint(i)
		if _, err := v.Storage.Client.Enqueue(t.Context(), task.New("mail", []byte(payload), task.Queue("q"), task.ID(id), task.Header("a", "b"), task.MaxRetry(3), task.Timeout(time.Minute))); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"edit", "clone"} {
			form := v.fields(v.read(v.ask("/deed/task/"+name+"?queue=q&id="+id, nil), 200))
			if name == "clone" {
				form.Set("new_id", id+"-clone")
			}
			v.read(v.ask("/deed/task/"+name, form), 303)
		}
		for _, one := range []string{id, id + "-clone"} {
			i, err := v.Storage.Inspector.Get(t.Context(), "q", one)
			if err != nil || string(i.Payload) != payload || i.MaxRetry != 3 || i.Timeout != time.Minute || i.Headers["a"] != "b" {
				t.Errorf("%q has become %+v, %v", payload, i, err)
			}
		}
	}
}

func TestWhatIsHiddenIsInNoForm(t *testing.T) {
	rules, err := mask.New(access.Admin, "to", "header:a")
	if err != nil {
		t.Fatal(err)
	}
	v := visiting(t, func(c *Config) { c.Rules = rules })
	if _, err := v.Storage.Client.Enqueue(t.Context(), task.New("mail", []byte(`{"to":"hunter2"}`), task.Queue("q"), task.ID("a"), task.Header("a", "hunter2"))); err != nil {
		t.Fatal(err)
	}
	v.role = access.Operator
	page := v.read(v.ask("/deed/task/clone?queue=q&id=a", nil), 200)
	if strings.Contains(page, "hunter2") || strings.Contains(page, mask.Hidden) || strings.Contains(page, "leat task enqueue") {
		t.Error("the form has what is hidden, or what stands for it")
	}
	form := v.fields(page)
	form.Set("new_id", "b")
	v.read(v.ask("/deed/task/clone", form), 303)
	i, err := v.Storage.Inspector.Get(t.Context(), "q", "b")
	if err != nil || string(i.Payload) != `{"to":"hunter2"}` || i.Headers["a"] != "hunter2" {
		t.Errorf("the clone is %+v, %v", i, err)
	}
	v.read(v.ask("/deed/task/archive?all=1&q=payload.to:hunter2", nil), http.StatusForbidden)
}

func TestSeveralThatWereChosen(t *testing.T) {
	v := visiting(t, nil)
	picks := url.Values{}
	for i := range 3 {
		v.enqueue(fmt.Sprint(i))
		picks.Add("pick", pickValue(deed.Target{Queue: "q", ID: fmt.Sprint(i)}))
	}
	form := v.fields(v.read(v.ask("/deed/task/delete?"+picks.Encode(), nil), 200))
	if len(form["pick"]) != 3 || form.Get("confirm") != "" {
		t.Errorf("the form says %v", form)
	}
	v.read(v.ask("/deed/task/delete", form), 409)
	form.Set("confirm", "3")
	v.read(v.ask("/deed/task/delete", form), 303)
	if v.state("0")+v.state("2") != "" {
		t.Error("they are not deleted")
	}
	v.enqueue("x", task.ProcessIn(time.Hour))
	both := url.Values{"pick": {"queue=q&id=x", "queue=q&id=gone"}}
	var said done
	if err := json.Unmarshal([]byte(v.read(v.ask("/deed/task/run", both, "Accept", "application/json"), 200)), &said); err != nil || !said.Bad || !strings.Contains(said.Message, "done to 1 task, not to 1") {
		t.Errorf("what came of it is %+v, %v", said, err)
	}
	v.read(v.ask("/deed/task/run", url.Values{}), 400)
	v.read(v.ask("/deed/task/run", url.Values{"pick": {"%zz"}}), 400)
}

func TestAllThatAQueryTakes(t *testing.T) {
	v := visiting(t, nil)
	for i := range 30 {
		v.enqueue(fmt.Sprint(i))
	}
	r := v.ask("/deed/task/archive", url.Values{"all": {"1"}, "q": {"queue:q"}})
	v.read(r, 303)
	page := v.read(v.ask(strings.TrimPrefix(r.to, "/leat"), nil), 200)
	if v.state("0") != "pending" || !strings.Contains(page, "<b>30 tasks</b>") {
		t.Fatal("it was done without a look at how many they are")
	}
	r = v.ask("/deed/task/archive", v.fields(page))
	v.read(r, 303)
	to := strings.TrimPrefix(r.to, "/leat")
	if !strings.HasPrefix(to, "/bulk?id=") {
		t.Fatalf("it leads to %s", to)
	}
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(v.read(v.ask(to, nil), 200), "<b>30</b> done of 30") {
		if time.Now().After(deadline) {
			t.Fatal("it does not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
	v.read(v.ask("/bulk", nil), 200)
	v.read(v.ask("/bulk?id=none", nil), 404)
	v.read(v.ask("/bulk/stop", url.Values{"id": {"none"}}), 404)

	form := v.fields(v.read(v.ask("/deed/task/delete?all=1&q=queue:q", nil), 200))
	v.read(v.ask("/deed/task/delete", form), 409)
	form.Set("confirm", "30")
	for i := range 10 {
		v.enqueue(fmt.Sprintf("late-%d", i))
	}
	if page := v.read(v.ask("/deed/task/delete", form), 409); !strings.Contains(page, "Type 40 to confirm") {
		t.Error("the new number is not asked for")
	}
}

func TestNobodyIsLedElsewhere(t *testing.T) {
	v := visiting(t, nil)
	for _, back := range []string{
		"https://evil.example/leat/x", "//evil.example/leat/", "/leat//evil.example", "/other/", "/leat/\\evil", "javascript:alert(1)", "leat/", "/leat/%5c%5cevil", "/leatx/", "\t//evil", "/leat/../..//evil", "",
	} {
		r := v.ask("/deed/queue/pause", url.Values{"queue": {"q"}, "back": {back}})
		v.read(r, 303)
		to, err := url.Parse(r.to)
		if err != nil || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(to.Path, "/leat/") || strings.HasPrefix(to.Path, "/leat//") || strings.Contains(to.Path, "\\") || strings.Contains(to.Path, "..") {
			t.Errorf("back=%q leads to %s", back, to)
		}
	}
	r := v.ask("/deed/queue/pause", url.Values{"queue": {"q"}}, "Referer", "https://evil.example/leat/tasks?q=a")
	if to := r.to; !strings.HasPrefix(to, "/leat/tasks?") {
		t.Errorf("a referrer leads to %s", to)
	}
}

func TestMarkupIsText(t *testing.T) {
	v := visiting(t, nil)
	evil := `"><script>alert(1)</script>`
	for _, address := range []string{
		"/deed/task/enqueue?type=" + url.QueryEscape(evil) + "&payload=" + url.QueryEscape("</textarea>"+evil) + "&headers=" + url.QueryEscape(evil),
		"/deed/task/archive?all=1&q=" + url.QueryEscape(`type:"`+`<script>alert(1)</script>`+`"`),
		"/deed/task/archive?queue=" + url.QueryEscape(evil) + "&id=a",
		"/deed/" + url.PathEscape(evil) + "/x",
		"/bulk?id=" + url.QueryEscape(evil),
		"/deed/queue/pause?queue=q&back=" + url.QueryEscape("/leat/"+evil),
	} {
		if strings.Contains(v.ask(address, nil).body, "<script>alert") {
			t.Errorf("%s: the page has markup of a stranger", address)
		}
	}
	page := v.read(v.ask("/deed/task/enqueue", url.Values{"type": {evil}}), 400)
	if strings.Contains(page, "<script>alert") || !strings.Contains(page, html.EscapeString(evil)) {
		t.Error("what was typed is not shown as text")
	}
}

func TestAFormIsWrittenInOtherWays(t *testing.T) {
	v := visiting(t, nil)
	v.enqueue("a")
	for address, want := range map[string][]string{
		"/deed/task/archive?queue=q&id=a":    {"leat task archive q/a", "curl -X POST http://example.com/leat/api/v1/task/archive", `{&#34;id&#34;:&#34;a&#34;,&#34;queue&#34;:&#34;q&#34;}`, "queue.NewInspector(b).Archive(ctx,"},
		"/deed/task/archive?all=1&q=queue:q": {"leat task archive-all", "/bulk", "&#34;confirm&#34;:1"},
		"/deed/task/clone?queue=q&id=a":      {"leat task enqueue", "/task/clone", "task.Queue("},
	} {
		page := v.read(v.ask(address, nil), 200)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("the form at %s has no %s", address, text)
			}
		}
	}
	form := v.fields(v.read(v.ask("/deed/task/edit?queue=q&id=a", nil), 200))
	form.Set("payload", "it's <new>")
	form.Set("show", "1")
	page := v.read(v.ask("/deed/task/edit", form), 200)
	if !strings.Contains(page, html.EscapeString(`--payload 'it'\''s <new>'`)) || !strings.Contains(page, "<details id=\"copies\" open>") {
		t.Errorf("what was filled in is not written: %s", page)
	}
	if i, err := v.Storage.Inspector.Get(t.Context(), "q", "a"); err != nil || string(i.Payload) != `{"to":7}` {
		t.Errorf("it was done: %+v, %v", i, err)
	}
}

func TestWhatIsOffered(t *testing.T) {
	v := visiting(t, nil)
	evil := deed.Target{Queue: `"><i>`, ID: "a&b"}
	for _, c := range []struct {
		role     access.Role
		readOnly bool
		has      []string
		lacks    []string
	}{
		{access.Admin, false, []string{"Run now", "Delete…", "Reschedule…", "Edit payload…"}, []string{"Recover", "Run again", `<i>`}},
		{access.Operator, false, []string{"Run now", "Archive"}, []string{"Delete", "Edit payload"}},
		{access.Viewer, false, nil, []string{"button", "form"}},
		{access.Admin, true, nil, []string{"button", "form"}},
	} {
		v.ReadOnly = c.readOnly
		one, err := v.offer(c.role, "task", "scheduled", evil)
		if err != nil {
			t.Fatal(err)
		}
		made, err := v.offerFilled(c.role, "task", "enqueue", []any{"queue", evil.Queue})
		if err != nil || (made == "") != (c.has == nil) {
			t.Errorf("%s is offered %q, %v", c.role, made, err)
		}
		box, err := v.pick(c.role, evil)
		if err != nil || (box == "") != (c.has == nil) || (v.pickAll(c.role) == "") != (c.has == nil) {
			t.Errorf("%s is offered %q, %v", c.role, box, err)
		}
		many, err := v.offerSeveral(c.role, "task", "", evil.Queue)
		if err != nil || (many == "") != (c.has == nil) || strings.Contains(string(many+made+box), "<i>") {
			t.Errorf("%s is offered %q, %v", c.role, many, err)
		}
		for _, text := range c.has {
			if !strings.Contains(string(one), text) {
				t.Errorf("%s is not offered %s: %s", c.role, text, one)
			}
		}
		for _, text := range c.lacks {
			if strings.Contains(string(one), text) {
				t.Errorf("%s, read-only %v, is offered %s: %s", c.role, c.readOnly, text, one)
			}
		}
	}
}

func TestNothingIsChangedWhereThatIsNotToBe(t *testing.T) {
	v := visiting(t, func(c *Config) { c.ReadOnly = true })
	v.enqueue("a")
	v.read(v.ask("/deed/task/archive", url.Values{"queue": {"q"}, "id": {"a"}}), 403)
	if v.state("a") != "pending" {
		t.Error("it was done all the same")
	}
}

func TestWhoGoesAwayHasAskedForItAllTheSame(t *testing.T) {
	v := visiting(t, nil)
	v.enqueue("a")
	ctx, cancel := context.WithCancel(access.With(t.Context(), access.Identity{Role: access.Admin}))
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/deed/task/archive", strings.NewReader("queue=q&id=a"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v.ServeHTTP(httptest.NewRecorder(), r)
	if v.state("a") != "archived" {
		t.Errorf("it is %s, want archived", v.state("a"))
	}
}
