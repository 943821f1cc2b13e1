package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
)

// page returns a page, which must be there.
func (s *site) page(path string, query ...string) string {
	s.Helper()
	status, body, h := fetch(s.T, http.MethodGet, s.server.URL+address(path, query...))
	if status != http.StatusOK || h.Get("Content-Type") != "text/html; charset=utf-8" {
		s.Fatalf("%s %q: %d %s\n%.500s", path, query, status, h.Get("Content-Type"), body)
	}
	return body
}

func address(path string, query ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		v.Add(query[i], query[i+1])
	}
	return path + "?" + v.Encode()
}

// says fails unless body has all of texts.
func (s *site) says(what, body string, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			s.Errorf("%s does not say %q", what, text)
		}
	}
}

// saysNot fails if body has any of texts.
func (s *site) saysNot(what, body string, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if strings.Contains(body, text) {
			s.Errorf("%s says %q", what, text)
		}
	}
}

func TestQueuesAreSortedAndNarrowedByTheAddress(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		for name, n := range map[string]int{"mail": 2, "images": 3, "paused": 1} {
			for range n {
				s.enqueue("a", "{}", task.Queue(name))
			}
		}
		if _, err := queue.NewInspector(b).Pause(t.Context(), "paused"); err != nil {
			t.Fatal(err)
		}
		order := func(query ...string) (names []string) {
			for _, row := range strings.Split(s.page("/queues", query...), `<tr data-key="`)[1:] {
				names = append(names, row[:strings.Index(row, `"`)])
			}
			return names
		}
		for want, query := range map[string][]string{
			"[images mail paused]":  nil,
			"[paused mail images]":  {"sort", "size"},
			"[images mail paused]?": {"sort", "-size"},
			"[paused]":              {"q", "state:paused"},
			"[images mail]":         {"q", "size>1"},
			"[]":                    {"q", "size>>"},
			"[mail images]":         {"q", "size>1", "sort", "size"},
		} {
			if got := fmt.Sprint(order(query...)); got != strings.TrimSuffix(want, "?") {
				t.Errorf("queues with %q: %s, want %s", query, got, want)
			}
		}
		s.says("the page", s.page("/queues"), "no server listens", `href="/queue?name=mail"`, `action="/deed/queue/resume"`)
		s.says("the page", s.page("/queues", "q", "syze>1"), "have no field", "syze", "did you mean")
	})
}

func TestQueuesAreGroupedByWhatTheirNamesBeginWith(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		for name, n := range map[string]int{"mail.bulk": 4, "mail.fast": 1, "mail:x": 1, "image.large": 2, "alone": 3, ".odd": 1, ".odd.too": 1} {
			for range n {
				s.enqueue("a", "{}", task.Queue(name))
			}
		}
		if _, err := queue.NewInspector(b).Pause(t.Context(), "mail.fast"); err != nil {
			t.Fatal(err)
		}
		rows := func(query ...string) (names []string) {
			for _, row := range strings.Split(s.page("/queues", query...), "<tr")[2:] { // behind the headings
				_, key, _ := strings.Cut(row, `data-key="`)
				name, rest, _ := strings.Cut(key, `"`)
				_, size, _ := strings.Cut(rest, "/tasks?q=")
				_, size, _ = strings.Cut(size, ">")
				size, _, _ = strings.Cut(size, "<")
				names = append(names, name+"="+size)
			}
			return names
		}
		for _, c := range []struct {
			want  string
			query []string
		}{
			{"[.odd=1 .odd.too=1 alone=3 image.large=2 mail.bulk=4 mail.fast=1 mail:x=1]", nil},
			{"[.odd=1 .odd.too=1 alone=3 image.large=2 mail.*=5 mail:x=1]", []string{"group", "."}},
			{"[mail.*=5 alone=3 image.large=2 .odd=1 .odd.too=1 mail:x=1]", []string{"group", ".", "sort", "-size"}},
			{"[mail.*=5 mail.bulk=4 mail.fast=1]", []string{"group", ".", "sort", "-size", "open", "mail.", "q", "mail.*"}},
			{"[.odd=1 .odd.too=1 mail:x=1 image.large=2 alone=3 mail.*=5 mail.fast=1 mail.bulk=4]", []string{"group", ".", "sort", "size", "open", "mail.", "open", "image."}},
			{"[alone=3 mail.bulk=4]", []string{"group", ".", "q", "size>2"}},
			{"[.odd=1 .odd.too=1 alone=3 image.large=2 mail.bulk=4 mail.fast=1 mail:x=1]", []string{"group", "a"}},
		} {
			if got := fmt.Sprint(rows(c.query...)); got != c.want {
				t.Errorf("queues with %q: %s, want %s", c.query, got, c.want)
			}
		}
		s.says("a group", s.page("/queues", "group", ".", "sort", "-size"), `<option value="." selected>`, `aria-expanded="false"`, "2 queues", "1 paused", "1 without a server",
			`href="/queues?group=.&amp;open=mail.&amp;sort=-size"`, `href="/tasks?q=queue%3Amail.%2A"`, `form="query" name="sort" value="-size"`)
		s.says("a group that is open", s.page("/queues", "group", ".", "open", "mail."), `href="/queues?group=." aria-expanded="true"`, `class="within"`)
	})
}

func TestGroupsOfQueuesAreOpenedAndClosedInABrowser(t *testing.T) {
	b := onSQLite(t)
	s := serve(t, b, web.Config{})
	for i, name := range []string{"mail.bulk", "mail.digest", "mail.fast", "image.large", "image.thumbnail", "accounts", "video.encode"} {
		for range 3*i + 2 {
			s.enqueue("a", "{}", task.Queue(name))
		}
	}
	if _, err := queue.NewInspector(b).PauseBy(t.Context(), "mail.digest", "ann", "the relay is moved to another data centre"); err != nil {
		t.Fatal(err)
	}
	for way, o := range looks {
		t.Run(way, func(t *testing.T) {
			p := browsertest.New(t, s.server.URL, o)
			p.Open("/queues?sort=-size")
			p.Select("select[name=group]", "by .")
			p.Follow("#query button")
			p.WaitAddress("/queues?q=&group=.&sort=-size")
			p.WaitCount("tr.rolled", 2)
			p.Follow("tr[data-key='mail.*'] a[aria-expanded=false]")
			p.WaitCount("tr.within", 3)
			p.WaitFor("tr[data-key='mail.digest']", "by ann: the relay is moved")
			p.Fits()
			if !o.NoScript && !o.Phone {
				p.Axe()
			}
			p.Screenshot("queues-grouped-" + way)
			p.Follow("tr[data-key='mail.*'] a[aria-expanded=true]")
			p.WaitCount("tr.within", 0)
		})
	}
}

func TestAQueueShowsItsFiguresAndDays(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{})
		s.enqueue("a", "{}", task.Queue("mail"))
		s.enqueue("b", "{}", task.Queue("mail"), task.Group("g"))
		body := s.page("/queue", "name", "mail", "days", "30")
		s.says("the queue", body, "<h1>mail", "queue%3Amail%20state%3Apending", "No server takes tasks from this queue",
			`href="/group?name=g&amp;queue=mail"`, "Outcomes of the last 30 days", "Throughput")
		if status, _, _ := fetch(t, http.MethodGet, s.server.URL+"/queue?name=none"); status != http.StatusNotFound {
			t.Errorf("a queue that does not exist: %d", status)
		}
		if status, _, _ := fetch(t, http.MethodGet, s.server.URL+"/queue"); status != http.StatusBadRequest {
			t.Errorf("no queue: %d", status)
		}
	})
}

func TestPagesTellWhoHasPausedAQueueAndWhy(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, b, web.Config{Refresh: quick})
		s.enqueue("a", "{}", task.Queue("mail"))
		if _, err := queue.NewInspector(b).PauseBy(t.Context(), "mail", "ann", "<b>a migration</b>"); err != nil {
			t.Fatal(err)
		}
		const said = "</time> by ann: &lt;b&gt;a migration&lt;/b&gt;"
		s.says("the table", s.page("/queues"), said)
		s.says("the queue", s.page("/queue", "name", "mail"), "Paused <time", said)
		for _, path := range []string{"/api/v1/queues", "/api/v1/queue?name=mail"} {
			_, body, _ := fetch(t, http.MethodGet, s.server.URL+path)
			s.says(path, body, `"by":"ann"`)
		}
		if _, err := b.Pause(t.Context(), time.Now(), "mail", false); err != nil { // as asynq's tools do
			t.Fatal(err)
		}
		time.Sleep(quick) // so that nothing is remembered
		s.saysNot("the table", s.page("/queues"), said)
		s.saysNot("the queue", s.page("/queue", "name", "mail"), said)
	})
}

func TestAQueryKeepsTheMemoryOfNoQueueSecret(t *testing.T) {
	const unknown = `title="not known"`
	s := serve(t, onSQLite(t), web.Config{})
	for _, name := range []string{"mail", "images", "reports"} {
		s.enqueue("a", "{}", task.Queue(name))
	}
	for began := time.Now(); strings.Contains(s.page("/queues", "q", "mail"), unknown); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("the memory of a queue is never known")
		}
	}
	s.saysNot("the table after somebody has narrowed it", s.page("/queues"), unknown)
}

// brokenQueues is a storage in which one queue cannot be read.
type brokenQueues struct {
	broker.Broker
	name string
}

var errBroken = errors.New("<b>a list</b> is where a set should be")

func (b brokenQueues) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	all, err := b.Broker.Counts(ctx, now, queues...)
	for _, c := range all {
		if c.Queue == b.name {
			return nil, errBroken
		}
	}
	return all, err
}

func TestAQueueThatCannotBeReadIsShownAsBroken(t *testing.T) {
	b := brokenQueues{onSQLite(t), "ill"}
	s := serve(t, b, web.Config{})
	s.enqueue("a", "{}", task.Queue("ill"))
	s.enqueue("a", "{}", task.Queue("well"))
	body := s.page("/queues")
	s.says("the table", body, `href="/queue?name=well"`, "state-broken", "&lt;b&gt;a list")
	s.says("the queue", s.page("/queue", "name", "ill"), "cannot be read", "&lt;b&gt;a list")
}

func TestThePagesOfQueuesTakeFewTrips(t *testing.T) {
	var trips atomic.Int64
	b := brokertest.Faulty(onSQLite(t), func(int, string) brokertest.Fault { trips.Add(1); return brokertest.Fault{} })
	s := serve(t, b, web.Config{Refresh: quick})
	for i := range 20 {
		s.enqueue("a", "{}", task.Queue(fmt.Sprintf("q%02d", i)))
	}
	for i := range 10 {
		if _, err := queue.NewInspector(b).PauseBy(t.Context(), fmt.Sprintf("q%02d", i), "ann", "a migration"); err != nil {
			t.Fatal(err)
		}
	}
	s.page("/queues") // memory is measured now and then
	for path, most := range map[string]int64{"/queues": 4, "/queue?name=q07": 8} {
		time.Sleep(quick) // so that nothing is remembered
		trips.Store(0)
		if status, _, _ := fetch(t, http.MethodGet, s.server.URL+path); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		if n := trips.Load(); n > most {
			t.Errorf("%s takes %d trips, want at most %d", path, n, most)
		} else {
			t.Logf("%s: %d trips", path, n)
		}
	}
}
