package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
)

// pages reads a list page by page, and returns what is at a path of its items.
func pages(t *testing.T, c client, limit int, path string, query ...string) (all []string) {
	t.Helper()
	for cursor := ""; ; {
		a := c.get(path, append(query, "limit", fmt.Sprint(limit), "cursor", cursor)...)
		if a.items() > limit {
			t.Errorf("%s gives %d, want at most %d", path, a.items(), limit)
		}
		for i := range a.items() {
			at := func(name string) string { return a.textAt(fmt.Sprintf("items.%d.%s", i, name)) }
			all = append(all, strings.Join([]string{at("queue"), at("group"), at("id"), at("name")}, "/"))
		}
		if cursor = a.textAt("next"); cursor == "" {
			return all
		}
	}
}

func TestAListIsTheSamePageByPage(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		stocked(t, b)() // what moves might be told twice
		c := clientOf(t, configOf(b))
		for _, list := range [][]string{
			{"/queues"}, {"/groups"}, {"/entries"}, {"/runs"}, {"/runs", "q", "state:done"},
			{"/tasks", "q", "state:archived,completed"}, {"/tasks", "q", "state:retry payload~e", "newest", "true"},
		} {
			whole := pages(t, c, 500, list[0], list[1:]...)
			if diff := cmp.Diff(whole, pages(t, c, 3, list[0], list[1:]...)); diff != "" || len(whole) == 0 {
				t.Errorf("%v, of %d, by threes is (-want +got):\n%s", list, len(whole), diff)
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(whole))); len(distinct) != len(whole) {
				t.Errorf("%v has %d, of which %d are distinct", list, len(whole), len(distinct))
			}
		}
		run, step := mapped(c)
		byTwo, all := 0, c.get("/run/items", "queue", "flows", "id", run, "step", step, "limit", "500").items()
		for cursor := "-"; cursor != ""; {
			page := c.get("/run/items", "queue", "flows", "id", run, "step", step, "limit", "2", "cursor", strings.Trim(cursor, "-"))
			if item := page.at("items.0.item"); page.items() > 0 && item != float64(byTwo) {
				t.Errorf("behind %d items is item %v", byTwo, item)
			}
			byTwo += page.items()
			cursor = page.textAt("next")
		}
		if byTwo != all || all == 0 {
			t.Errorf("by twos there are %d items, of %d", byTwo, all)
		}
		first := c.get("/tasks", "q", "state:archived", "limit", "1")
		if first.at("scanned") != 1.0 || first.at("done") != false || first.textAt("next") == "" {
			t.Errorf("the first page of the archived is %s", first.Body)
		}
		for _, other := range []string{"/tasks?q=state:retry&cursor=", "/queues?cursor=", "/runs?cursor="} {
			c.do("GET", other+first.textAt("next"), "").problem(t, http.StatusBadRequest, "cursor", "")
		}
	})
}

func TestAnAnswerThatIsKnownIsNotSentAgain(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 50)
		c := clientOf(t, configOf(b))
		tag := c.get("/whoami").Header().Get("ETag")
		if !strings.HasPrefix(tag, `W/"`) {
			t.Fatalf("the answer has the tag %q", tag)
		}
		if tag := c.do("GET", "/task?queue=none&id=x", "").Header().Get("ETag"); tag != "" {
			t.Errorf("a problem has the tag %q", tag)
		}
		again := c.do("GET", "/whoami", "", "If-None-Match", `"other", `+tag)
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("what is known is answered with %d: %s", again.Code, again.Body)
		}
		if c.do("GET", "/whoami", "", "If-None-Match", `"other"`).Code != http.StatusOK {
			t.Error("what is not known is not answered")
		}
	})
}

func TestALargeAnswerIsCompressedIfThatIsWelcome(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		enqueued(t, b, "mail", 50)
		c := clientOf(t, configOf(b))
		plain := c.get("/tasks")
		for header, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "br": "", "": ""} {
			a := c.do("GET", "/tasks", "", "Accept-Encoding", header)
			if a.Header().Get("Content-Encoding") != want || a.items() != plain.items() {
				t.Errorf("to who accepts %q it is sent as %q, with %d items", header, a.Header().Get("Content-Encoding"), a.items())
			}
			if want == "gzip" && a.Body.Len()*2 > plain.Body.Len() {
				t.Errorf("compressed it has %d bytes, of %d", a.Body.Len(), plain.Body.Len())
			}
		}
		if a := c.do("GET", "/whoami", "", "Accept-Encoding", "gzip"); a.Header().Get("Content-Encoding") != "" {
			t.Error("what is small is compressed")
		}
	})
}

func TestBytesAreAnsweredAsTheyAre(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		script := "<script>alert(1)</script>"
		complete(t, b, "sums", "a/..b", []byte(script), []byte{0xff, 0, 10})
		c := clientOf(t, configOf(b))
		a := c.get("/task/payload", "queue", "sums", "id", "a/..b")
		if a.Body.String() != script {
			t.Errorf("the payload is %q", a.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="a/..b.payload"`,
		} {
			if got := a.Header().Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if a := c.get("/task/result", "queue", "sums", "id", "a/..b"); a.Body.String() != "\xff\x00\n" {
			t.Errorf("the result is %q", a.Body)
		}
		if head := c.do("HEAD", "/task/payload?queue=sums&id=a/..b", ""); head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(script)) {
			t.Errorf("its head is %d, %v, %q", head.Code, head.Header(), head.Body)
		}
	})
}
