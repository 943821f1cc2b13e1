package guard

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/web/access"
)

// TestNoOtherSitePosts sends what browsers send for a page of another site: every
// combination of the headers that say where a request comes from.
func TestNoOtherSitePosts(t *testing.T) {
	const none = ""
	s := newStand(t, Config{}, nil)
	for _, method := range []string{"POST", "DELETE"} {
		for _, site := range []string{none, "same-origin", "none", "same-site", "cross-site", "made-up"} {
			for _, origin := range []string{none, "http://leat.test", "https://leat.test", "http://evil.test", "http://leat.test.evil.test", "http://leat.test:81", "null", "file://"} {
				for _, mode := range []string{none, "navigate", "cors", "no-cors"} {
					for _, dest := range []string{none, "document", "iframe", "empty"} {
						var headers []string
						for name, value := range map[string]string{"Sec-Fetch-Site": site, "Origin": origin, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest} {
							if value != none {
								headers = append(headers, name+": "+value)
							}
						}
						want := http.StatusForbidden
						switch {
						case site == "same-origin", site == "none":
							want = http.StatusOK // the browser says that it is ours
						case site == none && (origin == none || strings.HasSuffix(origin, "://leat.test")):
							want = http.StatusOK // no browser of today, or one that says that it is ours
						}
						before := s.passed()
						got := s.ask(method, "/deed/task/delete", strings.NewReader("id=1"), headers...)
						s.wants(describe(method, "", headers), got, want)
						if through := s.passed() > before; through != (want == http.StatusOK) {
							t.Errorf("%s came through: %v", describe(method, "", headers), through)
						}
					}
				}
			}
		}
	}
}

// TestOtherSitesReadNothing is about what a page of another site may have a browser get.
func TestOtherSitesReadNothing(t *testing.T) {
	s := newStand(t, Config{}, nil)
	for _, c := range []struct {
		method  string
		headers []string
		want    int
	}{
		{"GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 200}, // a link
		{"GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, 403},
		{"GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 403},
		{"GET", []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, 403},
		{"HEAD", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"OPTIONS", []string{"Sec-Fetch-Site: cross-site", "Access-Control-Request-Method: POST", "Origin: http://evil.test"}, 403},
		{"GET", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"}, 200},
		{"GET", []string{"Origin: http://evil.test"}, 200}, // which no page can read: nothing allows it to
	} {
		got := s.ask(c.method, "/live", nil, c.headers...)
		s.wants(describe(c.method, "/live", c.headers), got, c.want)
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s is answered with %s", describe(c.method, "/live", c.headers), name)
			}
		}
	}
}

// TestNoNameIsRebound asks under names that somebody else may let mean this machine.
func TestNoNameIsRebound(t *testing.T) {
	for host, ours := range map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "localhost.": true, "127.0.0.1": true, "127.0.0.1:8080": true, "[::1]:8080": true,
		"10.1.2.3:8080": true, "leat.corp.example": true, "Leat.Corp.Example:443": true, "leat.corp.example.": true,

		"evil.test": false, "evil.test:8080": false, "localhost.evil.test": false, "127.0.0.1.evil.test": false, "127.0.0.1.nip.io": false,
		"evil.leat.corp.example": false, "leat.corp.example.evil.test": false, "evil.test@localhost": false, "localhost@evil.test": false,
		"localhost:80:evil.test": false, "[::1]evil.test": false, "[evil.test]": false, "localhost evil.test": false, "": false,
		"0x7f000001": false, "2130706433": false, "127.1": false, "localhost/": false, "leat.corp.example,localhost": false,
	} {
		for _, weak := range []bool{true, false} {
			s := newStand(t, Config{Authoriser: as(access.Admin, weak), Hosts: []string{"leat.corp.example"}}, nil)
			want := http.StatusForbidden
			if ours || !weak {
				want = http.StatusOK
			}
			for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
				status := want
				if method == "OPTIONS" && want == http.StatusOK {
					status = http.StatusNoContent
				}
				headers := []string{"Host: " + host, "X-Forwarded-Host: localhost", "Forwarded: host=localhost"}
				s.wants(fmt.Sprintf("%s for the host %q, weak: %v", method, host, weak), s.ask(method, "/", nil, headers...), status)
			}
		}
	}
}

func TestOnlyWhoMayChangesAnything(t *testing.T) {
	for role := access.Nobody; role <= access.Admin; role++ {
		for _, readOnly := range []bool{false, true} {
			s := newStand(t, Config{Root: "/leat", Authoriser: as(role, false), ReadOnly: readOnly, Harmless: []string{"/settings"}}, nil)
			for path, harmless := range map[string]bool{
				"/leat/deed/queue/pause": false, "/leat/api/v1/task/delete": false, "/leat/api/queues/q:pause": false,
				"/leat/settings": true, "/settings": false, "/leat/settings/": false, "/leat/leat/settings": false, "/leat/settings/x": false,
			} {
				for _, method := range []string{"POST", "DELETE"} {
					want := http.StatusOK
					if role == access.Nobody || (!harmless || method != "POST") && (readOnly || role == access.Viewer) {
						want = http.StatusForbidden
					}
					if readOnly && role != access.Nobody && path == "/leat/api/queues/q:pause" { // as asynqmon has it
						want = http.StatusMethodNotAllowed
					}
					before := s.passed()
					s.wants(fmt.Sprintf("%s %s of %s, read-only: %v", method, path, role, readOnly), s.ask(method, path, strings.NewReader("x=1")), want)
					if through := s.passed() > before; through != (want == http.StatusOK) {
						t.Errorf("%s %s of %s came through: %v", method, path, role, through)
					}
				}
			}
			want := http.StatusOK
			if role == access.Nobody {
				want = http.StatusForbidden
			}
			s.wants("GET of "+role.String(), s.ask("GET", "/leat/", nil), want)
		}
	}
}

func TestARoleThatThereIsNotIsRefused(t *testing.T) {
	for _, role := range []access.Role{access.Nobody - 1, access.Admin + 1, 99} {
		s := newStand(t, Config{Authoriser: as(role, false)}, nil)
		for _, method := range []string{"GET", "POST"} {
			s.wants(method+" of "+role.String(), s.ask(method, "/", nil), http.StatusForbidden)
		}
	}
}

func TestMethodOverridesMeanNothing(t *testing.T) {
	s := newStand(t, Config{Authoriser: as(access.Viewer, false)}, nil)
	for _, h := range []string{"X-HTTP-Method-Override: POST", "X-Method-Override: DELETE", "X-HTTP-Method: POST"} {
		s.wants(h, s.ask("GET", "/deed/task/delete?_method=POST", nil, h), http.StatusOK)
	}
	for _, came := range s.through {
		if came != "GET /deed/task/delete" {
			t.Errorf("what came through is %s", came)
		}
	}
}

func TestOddMethods(t *testing.T) {
	s := newStand(t, Config{}, nil)
	for _, method := range []string{"TRACE", "CONNECT", "PUT", "PATCH", "PROPFIND", "get", "POST ", "X\tY", ""} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://leat.test/", nil)
		r.Method = method
		got := s.serve(r)
		s.wants("the method "+method, got, http.StatusMethodNotAllowed)
		if got.header.Get("Allow") != "GET, HEAD, POST, DELETE, OPTIONS" {
			t.Errorf("%s is answered with Allow: %s", method, got.header.Get("Allow"))
		}
	}
	got := s.ask("OPTIONS", "/", nil)
	s.wants("OPTIONS", got, http.StatusNoContent)
	if s.passed() > 0 {
		t.Errorf("what came through is %q", s.through)
	}
	s.wants("HEAD", s.ask("HEAD", "/", nil), http.StatusOK)
}

func TestPathsLeadWhereTheySay(t *testing.T) {
	s := newStand(t, Config{Root: "/leat"}, nil)
	for _, target := range []string{
		"/leat/../admin", "/leat/..", "/leat/.", "/leat/./x", "/leat//x", "//evil.test/x", "/leat/%2e%2e/admin", "/leat/%2E%2E%2Fadmin", "/leat/..%2fadmin",
		"/leat/x%2f..%2f..%2fadmin", "/leat/%2f%2fevil.test", "/leat/x%5c..%5cadmin", "/leat/%00", "/leat/x%0d%0aSet-Cookie:%20a=b", "/leat/%7f", "/leat/a%2f%2fb",
	} {
		s.wants(target, s.ask("GET", target, nil), http.StatusNotFound)
	}
	for _, path := range []string{"", "leat/", "*", `\leat`} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://leat.test/", nil)
		r.URL = &url.URL{Path: path}
		s.wants(path, s.serve(r), http.StatusNotFound)
	}
	if s.passed() > 0 {
		t.Errorf("what came through is %q", s.through)
	}
	for _, target := range []string{"/leat/", "/leat", "/leat/task?queue=..%2f..&id=%2e%2e", "/leat/api/queues/a%2Fb/pending_tasks", "/leat/x/"} {
		s.wants(target, s.ask("GET", target, nil), http.StatusOK)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	s := newStand(t, Config{}, nil)
	exact := strings.Repeat("x", mostBody)
	s.wants("1 MiB", s.ask("POST", "/", strings.NewReader(exact)), http.StatusOK)
	if s.body != exact {
		t.Errorf("of a body of 1 MiB %d bytes came through", len(s.body))
	}
	s.wants("a byte more", s.ask("POST", "/", strings.NewReader(exact+"x")), http.StatusRequestEntityTooLarge)
	s.wants("a byte more, of unknown size", s.ask("POST", "/", io.MultiReader(strings.NewReader(exact), strings.NewReader("x"))), http.StatusRequestEntityTooLarge)
	s.wants("one that breaks off", s.ask("POST", "/", io.MultiReader(strings.NewReader("x"), broken{})), http.StatusBadRequest)
	s.wants("one with a GET", s.ask("GET", "/", strings.NewReader("x")), http.StatusBadRequest)
	s.wants("none", s.ask("POST", "/", nil), http.StatusOK)
	if s.passed() != 2 {
		t.Errorf("%d requests came through", s.passed())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line is cut") }

// TestSlowBodiesHoldNobodyUp talks to a server as somebody does who sends no body, or a
// byte now and then.
func TestSlowBodiesHoldNobodyUp(t *testing.T) {
	for name, role := range map[string]access.Role{"somebody": access.Admin, "nobody": access.Nobody} {
		for kind, head := range map[string]string{
			"of known size":   "Content-Length: 100\r\n",
			"of unknown size": "Transfer-Encoding: chunked\r\n",
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				s := newStand(t, Config{Authoriser: as(role, false), Patience: 50 * time.Millisecond}, nil)
				server := httptest.NewServer(s.h)
				defer server.Close()
				c, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := io.WriteString(c, "POST /deed HTTP/1.1\r\nHost: localhost\r\n"+head+"\r\n"); err != nil {
					t.Fatal(err)
				}
				in := bufio.NewReader(c)
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := http.StatusRequestTimeout
				if role == access.Nobody {
					want = http.StatusForbidden
				}
				s.wants("it", read(t, answer), want)
				if b, err := io.ReadAll(in); err != nil || len(b) > 0 { // the server closes the connection
					t.Errorf("behind the answer there is %q, %v", b, err)
				}
			})
		}
	}
}

func TestAConnectionServesOnAfterABody(t *testing.T) {
	s := newStand(t, Config{Patience: 100 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		select { // a handler that goes on for longer than the body might take
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
			t.Errorf("a request ends while it is handled: %v", r.Context().Err())
		}
		_, _ = io.WriteString(w, "done")
	})
	server := httptest.NewServer(s.h)
	defer server.Close()
	for range 2 {
		answer, err := server.Client().Post(server.URL+"/deed", "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		if said := read(t, answer).text; said != "done" {
			t.Errorf("the answer is %q", said)
		}
	}
}

// TestMarkupStaysText puts markup into everything that a request has.
func TestMarkupStaysText(t *testing.T) {
	const markup = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	refuser := access.AuthoriserFunc(func(*http.Request) (access.Identity, error) {
		return access.Identity{Name: markup, Role: access.Viewer}, nil
	})
	for _, accept := range []string{"text/html", "application/json", markup} {
		s := newStand(t, Config{Authoriser: refuser}, nil)
		got := s.ask("POST", "/"+url.PathEscape(markup)+"?q="+url.QueryEscape(markup), strings.NewReader(markup),
			"Accept: "+accept, "User-Agent: "+markup, "Referer: "+markup, "Host: "+markup, "X-Forwarded-For: "+markup)
		s.wants("markup", got, http.StatusForbidden)
		if said := got.text; strings.Contains(said, "<script") || strings.Contains(said, "onerror") {
			t.Errorf("markup is answered with %s", said)
		}
		for name, values := range got.header {
			if strings.Contains(strings.Join(values, ""), "script>") {
				t.Errorf("markup is answered with the header %s: %q", name, values)
			}
		}
	}
}

func TestNoLineIsPutIntoTheLogOrAHeader(t *testing.T) {
	const line = "x\r\nSet-Cookie: a=b\nlevel=ERROR msg=forged"
	named := access.AuthoriserFunc(func(*http.Request) (access.Identity, error) {
		return access.Identity{Name: line, Role: access.Admin, From: line}, nil
	})
	s := newStand(t, Config{Authoriser: named}, nil)
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://leat.test/", nil)
	r.URL.Path, r.Host, r.RemoteAddr = "/"+line, line, line
	got := s.serve(r)
	s.wants("a path of two lines", got, http.StatusNotFound)
	r.URL.Path = "/"
	s.wants("a name of two lines", s.serve(r), http.StatusOK)
	if lines := strings.Count(s.logged(), "\n"); lines != 2 {
		t.Errorf("two requests are logged in %d lines:\n%s", lines, s.logged())
	}
	if got.header.Get("Set-Cookie") != "" {
		t.Errorf("a cookie was set: %q", got.header)
	}
}

func TestProblems(t *testing.T) {
	s := newStand(t, Config{Root: "/leat", ReadOnly: true}, nil)
	for _, c := range []struct {
		path, accept string
		json         bool
	}{
		{"/leat/api/v1/task/run", "", true},
		{"/leat/api/v1/task/run", "text/html", true},
		{"/leat/deed/task/run", "application/json", true},
		{"/leat/deed/task/run", "application/problem+json", true},
		{"/leat/deed/task/run", "text/html,application/json;q=0.1", false},
		{"/leat/deed/task/run", "", false},
		{"/api/v1/task/run", "", true}, // the guard stands at "/leat", and nothing is there
		{"/leat/apiary", "", false},
	} {
		got := s.ask("POST", c.path, nil, "Accept: "+c.accept)
		said := got.text
		var problem struct {
			Type, Title, Detail, Code string
			Status                    int
		}
		isJSON := got.header.Get("Content-Type") == "application/problem+json" && json.Unmarshal([]byte(said), &problem) == nil
		if isJSON != c.json || isJSON && (problem.Status != 403 || problem.Code != "read-only" || problem.Title != "Forbidden" || problem.Detail == "") {
			t.Errorf("POST %s, accepting %q, is answered with %s", c.path, c.accept, said)
		}
		if !isJSON && !strings.HasPrefix(said, "<!doctype html>") {
			t.Errorf("POST %s, accepting %q, is answered with %s", c.path, c.accept, said)
		}
	}
}
