package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

var (
	taskLink = regexp.MustCompile(`href="(/task\?[^"]*)"`)
	lookedAt = regexp.MustCompile(`looked at ([0-9,]+) of`)
	nextLink = regexp.MustCompile(`href="([^"]*)" rel="next"`)
)

// ids returns the ids of the tasks that a page lists.
func ids(body string) (ids []string) {
	for _, m := range taskLink.FindAllStringSubmatch(body, -1) {
		_, rest, _ := strings.Cut(m[1], "id=")
		id, _, _ := strings.Cut(rest, "&")
		ids = append(ids, id)
	}
	return ids
}

func TestTasksAreListedPageByPage(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		var want []string
		for i := range 60 {
			id := fmt.Sprintf("t-%02d", i)
			want = append(want, id)
			s.enqueue("a", "{}", task.ID(id), task.ProcessIn(time.Duration(i+1)*time.Hour))
		}
		var got []string
		for path := address("/tasks", "size", "25", "order", "oldest", "q", "state:scheduled"); path != ""; {
			_, body, _ := fetch(t, http.MethodGet, s.server.URL+path)
			got = append(got, ids(body)...)
			path = ""
			if m := nextLink.FindStringSubmatch(body); m != nil {
				path = html.UnescapeString(m[1])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("oldest first: %q", got)
		}
		if newest := ids(s.page("/tasks", "size", "25")); newest[0] != "t-59" || len(newest) != 25 {
			t.Errorf("newest first: %q", newest)
		}
		if status, _, _ := fetch(t, http.MethodGet, s.server.URL+address("/tasks", "cursor", "nonsense")); status != http.StatusBadRequest {
			t.Errorf("a cursor that is none: %d", status)
		}
	})
}

func TestASearchSaysHowFarItHasLookedAndGoesOn(t *testing.T) {
	b := onSQLite(t)
	s := serve(t, b, web.Config{})
	client := queue.NewClient(b)
	for range 11 {
		if _, err := client.EnqueueAll(t.Context(), slices.Repeat([]*task.Task{task.New("hay", nil)}, 500)); err != nil {
			t.Fatal(err)
		}
	}
	s.enqueue("needle", "{}", task.ID("needle"))
	path := address("/tasks", "order", "oldest", "q", "type:needle")
	before := 0
	for looks := 1; ; looks++ {
		_, body, _ := fetch(t, http.MethodGet, s.server.URL+path)
		if strings.Contains(body, "id=needle") {
			s.says("the last look", body, "looked at all 5,501")
			if looks == 1 {
				t.Error("one look was enough")
			}
			return
		}
		s.says("a look", body, "of 5,501", "Go on searching")
		m, place := nextLink.FindStringSubmatch(body), lookedAt.FindStringSubmatch(body)
		if m == nil || place == nil {
			t.Fatal("there is no way to go on, or nothing is said of how far it is")
		}
		at, err := strconv.Atoi(strings.ReplaceAll(place[1], ",", ""))
		if err != nil || at <= before || at-before > 5000 {
			t.Fatalf("look %d has come from %d to %s: %v", looks, before, place[1], err)
		}
		before, path = at, html.UnescapeString(m[1])
	}
}

func TestAQueryThatMakesNoSenseIsShownWithItsPlace(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	body := s.page("/tasks", "q", `type:a staet:retry`)
	s.says("the page", body, `<code>type:a <mark>staet:retry</mark></code>`, "have no field", "did you mean", "The query makes no sense")
	s.says("the page", s.page("/tasks", "q", `"<script>`), "&lt;script&gt;", "the quote is not closed")
}

func TestTasksAreNarrowedByWhatTheyHaveInCommon(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		s.fail("dial tcp 10.0.0.1:6379: i/o timeout after 31s", "dial tcp 10.0.0.22:6380: i/o timeout after 7s", "user 5f3a9c2d1e0b not found")
		body := s.page("/tasks", "q", "state:archived")
		s.says("the facets", body, "dial tcp #: i/o timeout after #s", "user # not found")
		m := regexp.MustCompile(`href="([^"]*)"[^>]*title="dial tcp`).FindStringSubmatch(body)
		if m == nil {
			t.Fatal("the errors do not lead to those that are like them")
		}
		_, body, _ = fetch(t, http.MethodGet, s.server.URL+html.UnescapeString(m[1]))
		if n := len(ids(body)); n != 2 {
			t.Errorf("the link takes %d tasks, want 2", n)
		}
		s.says("the narrowed list", body, `aria-current="true" title="not any more">dial tcp`)
	})
}

// fail stores a task for each of errors that has failed with it, and is archived.
func (s *site) fail(errors ...string) {
	s.Helper()
	mux := task.NewMux()
	mux.HandleFunc("fails", func(_ context.Context, t *task.Task) error { return fmt.Errorf("%s: %w", t.Payload(), task.SkipRetry) })
	for _, text := range errors {
		s.enqueue("fails", text)
	}
	s.run(mux, func() bool {
		infos, err := queue.NewInspector(s.b).Figures(s.Context(), "default")
		return err == nil && infos[0].Archived == len(errors)
	})
}

func TestWhatIsMaskedIsNeitherShownNorAskedFor(t *testing.T) {
	viewer, err := access.Anyone(access.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, onSQLite(t), web.Config{Mask: []string{"card"}, Authoriser: viewer})
	s.enqueue("a", `{"card":"4111","user":7}`)
	body := s.page("/tasks")
	s.says("the list", body, "•••", "&#34;user&#34;:7")
	s.saysNot("the list", body, "4111")
	if status, body, _ := fetch(t, http.MethodGet, s.server.URL+address("/tasks", "q", "payload.card:4111")); status != http.StatusForbidden || len(ids(body)) > 0 {
		t.Errorf("asking for what is masked: %d", status)
	}
}

func TestQueriesAreCompletedWhereTheyAreWritten(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	s.enqueue("a", "{}", task.Queue("mail"))
	for _, c := range []struct {
		q, at string
		want  string
	}{
		{"sta", "3", `[{"text":"state:","help":"how it stands","from":0,"to":3}]`},
		{`"日本𝒳" queue:m`, "13", `[{"text":"mail","from":13,"to":13}]`},
		{`"日本𝒳" queue:m`, "14", `[{"text":"mail","from":13,"to":14}]`},
		{"nothing:like", "12", `[]`},
		{"", "nonsense", ""},
	} {
		status, body, h := fetch(t, http.MethodGet, s.server.URL+address("/complete", "of", "tasks", "q", c.q, "at", c.at))
		if status != http.StatusOK || h.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) {
			t.Fatalf("%q: %d %s %s", c.q, status, h.Get("Content-Type"), body)
		}
		if c.want != "" && strings.TrimSpace(body) != c.want {
			t.Errorf("%q at %s: %s, want %s", c.q, c.at, body, c.want)
		}
	}
}

func TestColumnsAreChosenInAFormAndKept(t *testing.T) {
	for way, o := range looks {
		t.Run(way, func(t *testing.T) {
			s := serve(t, onSQLite(t), web.Config{Refresh: quick})
			s.enqueue("a", `{"user":{"id":17}}`, task.ID("first"), task.Header("tenant", "acme"))
			p := browsertest.New(t, s.server.URL, o)
			p.Open("/tasks?q=type:a")
			p.Click(".columns summary")
			p.Click(`.columns input[value="payload"]`)
			p.Type("#columns", "payload.user.id, header.tenant")
			p.Fits()
			if !o.NoScript && !o.Phone {
				p.Axe()
			}
			p.Screenshot("columns-form-" + way)
			p.Follow(".columns button.main")
			p.WaitAddress("/tasks?columns=id%2Cqueue%2Cstate%2Ctype%2Cpayload.user.id%2Cheader.tenant&q=type%3Aa")
			p.Open("/tasks")
			p.WaitFor("thead", "payload.user.id", "header.tenant")
			p.WaitFor("tbody", "first", "17", "acme")
			if !o.NoScript {
				s.enqueue("a", `{"user":{"id":18}}`, task.ID("second"))
				p.WaitFor("tbody", "second", "18")
				p.WaitFor("thead", "payload.user.id")
				p.Open("/tasks?columns=queue,id&q=first")
				p.Press("j", "Enter")
				p.WaitAddress("/task?id=first&queue=default")
			}
			p.Open("/tasks?columns=queue,id")
			p.Fits()
			p.Type("main input[type=search]", "second")
			p.Leave("the search", func() { p.Press("Enter") })
			p.WaitCount("thead th", 3) // with that for what is chosen
		})
	}
}

func TestThePageOfTasksTakesFewTrips(t *testing.T) {
	var trips atomic.Int64
	b := brokertest.Faulty(stocked(t, onSQLite(t), 2000), func(int, string) brokertest.Fault { trips.Add(1); return brokertest.Fault{} })
	s := serve(t, b, web.Config{Refresh: quick})
	for query, most := range map[string]int64{"": 25, "state:pending": 20, "type:none": 60, "id:none": 40} {
		time.Sleep(quick) // so that nothing is remembered
		trips.Store(0)
		s.page("/tasks", "q", query)
		if n := trips.Load(); n > most {
			t.Errorf("%q takes %d trips, want at most %d", query, n, most)
		} else {
			t.Logf("%q: %d trips", query, n)
		}
	}
}
