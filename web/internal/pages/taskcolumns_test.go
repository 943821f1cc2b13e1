package pages_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/pages"
)

const secret = "4111222233334444"

// withCard has a task with a secret in its payload and in a header, and markup in both.
func withCard(t *testing.T, change func(*pages.Config)) *world {
	t.Helper()
	w := newWorld(t, nil, change)
	payload := `{"user":{"id":17,"name":"` + strings.ReplaceAll(markup, `"`, `\"`) + `","bio":"one\ntwo"},"card":{"number":"` + secret + `"},"CARD":["` + secret + `"]}`
	_, err := queue.NewClient(w.broker).Enqueue(t.Context(), task.New("pay", []byte(payload)),
		task.ID("one"), task.Queue("mail"), task.ProcessIn(time.Hour), task.Header("tenant", "acme"), task.Header("authorization", secret), task.Header("note", markup))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func listed(columns string, more ...string) string {
	return "/tasks?" + url.Values{"columns": {columns}}.Encode() + strings.Join(more, "")
}

func TestTheColumnsOfAListAreThoseThatAreAskedFor(t *testing.T) {
	w := withCard(t, nil)
	body := w.shows(listed("payload.user.id,id,q,header.tenant,payload.user.bio,due,size,completed,header.absent,state"),
		">payload.user.id</th>", ">ID</th>", ">Queue</th>", ">header.tenant</th>", `<td class="cut">17</td>`, `<td class="cut">acme</td>`, "one⏎two", `data-as="ago"`,
		`<td class="num">`, `<td class="cut"><span class="dim">–</span></td>`, `class="state state-scheduled"`, `href="/leat/queue?name=mail"`)
	for _, gone := range []string{">Type</th>", ">Payload</th>", ">Note</th>"} {
		if strings.Contains(body, gone) {
			t.Errorf("a column is shown that was not asked for: %s", gone)
		}
	}
	if user, id := strings.Index(body, ">payload.user.id</th>"), strings.Index(body, ">ID</th>"); user > id {
		t.Error("the columns are in another order")
	}
	w.shows(listed("payload.user.name,header.note"), markup, `<a class="mono" href="/leat/task?id=one&queue=mail" data-open>`)
	w.shows(listed("type", "&order=oldest"), "/leat/tasks?columns=type&order=oldest&size=25")
	w.shows(listed(`payload."<script>alert(1)</script><img src=x onerror=alert(1)>"`), `<script>alert(1)</script>`)
	w.shows("/tasks", ">ID</th>", ">Queue</th>", ">State</th>", ">Type</th>", ">Payload</th>", ">When</th>", ">Note</th>", "Columns…")
}

func TestWhatIsNoColumnIsRefusedWithWhatWasMeant(t *testing.T) {
	w := withCard(t, nil)
	for columns, want := range map[string]string{
		"id,paylod.user":                    `tasks have no field "paylod" did you mean "payload"?`,
		"state:retry":                       "a column is a field by its name alone",
		"header":                            "header needs a name",
		markup:                              "tasks have no field",
		strings.Repeat("payload.x,", 101):   "must be at most 1000 bytes",
		strings.Repeat("payload.", 1) + `"`: "the quote is not closed",
		manyColumns(21):                     "must be at most 20",
	} {
		status, body, _ := w.ask(http.MethodGet, listed(columns))
		if status != http.StatusBadRequest || !strings.Contains(html.UnescapeString(body), want) {
			t.Errorf("%q: %d, without %q", columns, status, want)
		}
		w.isHarmless(columns, body)
	}
	w.shows(listed(manyColumns(20)), "payload.19")
}

func manyColumns(n int) string {
	var names []string
	for i := range n {
		names = append(names, "payload."+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	return strings.Join(names, ",")
}

// choose sends the form of columns, and returns where that leads, and the cookie.
func (w *world) choose(back string, said url.Values) (status int, address string, cookie *http.Cookie) {
	w.Helper()
	said.Set("back", back)
	ctx := access.With(w.Context(), access.Identity{Name: "ann", Role: w.role})
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://leat.test/settings/columns", strings.NewReader(said.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.pages.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.Name == "leat_columns" {
			cookie = c
		}
	}
	return rec.Code, rec.Result().Header.Get("Location"), cookie
}

func TestColumnsAreRememberedByTheBrowserThatChoseThem(t *testing.T) {
	w := withCard(t, nil).as(access.Viewer)
	status, address, cookie := w.choose("/leat/tasks?q=type:pay&columns=id&notice=x", url.Values{"columns": {"id", "q", `header.tenant, payload."a,b é"`}})
	want := url.Values{"columns": {`id,queue,header.tenant,payload."a,b é"`}, "q": {"type:pay"}}.Encode()
	if status != http.StatusSeeOther || address != "/leat/tasks?"+want {
		t.Fatalf("it leads to %d %s", status, address)
	}
	remembered := func(target string) string {
		r := httptest.NewRequestWithContext(access.With(t.Context(), access.Identity{Role: access.Viewer}), http.MethodGet, "http://leat.test"+target, nil)
		r.AddCookie(cookie)
		rec := httptest.NewRecorder()
		w.pages.ServeHTTP(rec, r)
		return html.UnescapeString(rec.Body.String())
	}
	if body := remembered("/tasks"); !strings.Contains(body, `>payload."a,b é"</th>`) || strings.Contains(body, ">Type</th>") {
		t.Errorf("the columns are not remembered: %s", body)
	}
	if body := remembered("/tasks?columns=type"); !strings.Contains(body, ">Type</th>") || strings.Contains(body, ">header.tenant</th>") {
		t.Error("what the address says does not come first")
	}
	if body := remembered("/group?queue=mail&name=x"); strings.Contains(body, ">header.tenant</th>") {
		t.Error("other lists have the columns")
	}
	cookie.Value = url.QueryEscape("nothing.like,it")
	if body := remembered("/tasks"); !strings.Contains(body, ">Type</th>") {
		t.Error("with a cookie that makes no sense there is no list")
	}
	nothing := []url.Values{{"usual": {"yes"}, "columns": {"id"}}, {"columns": {""}}, {}}
	for _, said := range nothing {
		if _, address, cookie := w.choose("/leat/tasks?columns=id", said); address != "/leat/tasks" || cookie == nil || cookie.MaxAge >= 0 {
			t.Errorf("%v leads to %s and keeps %v", said, address, cookie)
		}
	}
	if _, address, _ := w.choose("https://evil.test/leat/tasks", url.Values{"columns": {"id"}}); address != "/leat/tasks?columns=id" {
		t.Errorf("it leads to %s", address)
	}
	if status, _, cookie := w.choose("/leat/tasks", url.Values{"columns": {"staet"}}); status != http.StatusBadRequest || cookie != nil {
		t.Errorf("what is no column is answered with %d and kept as %v", status, cookie)
	}
}

func TestTheFormOffersTheColumnsThatAreShownFirst(t *testing.T) {
	body := withCard(t, nil).shows(listed("header.tenant,type"), "Show the usual ones")
	_, form, _ := strings.Cut(body, "<fieldset>")
	order := []string{`value="header.tenant" checked`, `value="type" checked`, `value="id">`, `value="payload">`}
	for at, before := 0, 0; at < len(order); at++ {
		i := strings.Index(form, order[at])
		if i < before {
			t.Errorf("%s is not in its place: %s", order[at], form)
		}
		before = i
	}
}

func TestNobodySeesThroughAMaskByColumns(t *testing.T) {
	w := withCard(t, masked(t, "card.number", "card", "header:authorization"))
	all := "payload,payload.card,payload.card.number,payload.CARD,payload.CARD.0,payload.*,payload.*.*,payload.*.number,header.authorization,header.AUTHORIZATION,unique,error,size"
	for _, role := range []access.Role{access.Viewer, access.Operator} {
		for _, columns := range append(strings.Split(all, ","), all) {
			w.as(role).lacks(listed(columns), secret, secret[:4], secret[12:])
		}
		w.as(role).shows(listed("payload.card,header.authorization,payload.user.id"), "•••", ">17<")
	}
	for _, columns := range []string{"payload.card.number", "payload.CARD.0", "payload.*.number", "header.authorization"} {
		w.shows(listed(columns), secret) // so that there is something to hide
	}
	hidden := withCard(t, masked(t, "*")).as(access.Viewer)
	hidden.lacks(listed(all), secret[:4], "acme", "alert(")
	hidden.lacks(listed("header.tenant,payload.user.id,payload.user.bio"), "acme", "⏎two", ">17<")
}

func TestTheSizeOfAPayloadIsTheSameToEverybody(t *testing.T) {
	w := withCard(t, masked(t, "card"))
	size := func(role access.Role) string {
		_, after, _ := strings.Cut(w.as(role).shows(listed("id,size")), `<td class="num">`)
		text, _, _ := strings.Cut(after, "<")
		return text
	}
	if admin, viewer := size(access.Admin), size(access.Viewer); admin != viewer || admin == "" {
		t.Errorf("it is %s to an admin and %s to a viewer", admin, viewer)
	}
}

func TestColumnsThatACookieHasNoRoomForAreNotRemembered(t *testing.T) {
	w := withCard(t, nil)
	for _, rest := range []int{980, 985, 990} {
		status, address, cookie := w.choose("/leat/tasks", url.Values{"columns": {"s,q,payload." + strings.Repeat("x", rest)}})
		if status == http.StatusBadRequest && cookie == nil {
			continue
		}
		if again, _, _ := w.ask(http.MethodGet, strings.TrimPrefix(address, "/leat")); status != http.StatusSeeOther || again != http.StatusOK {
			t.Errorf("with %d bytes: %d, which leads to %d", rest, status, again)
		}
	}
}
