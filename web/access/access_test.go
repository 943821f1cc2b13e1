package access

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/leatwork/leat/task"
)

// request returns one with headers, each "Name: value"; "From" is the address and "Host"
// the host.
func request(t *testing.T, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "http://leat.test/", nil)
	for _, h := range headers {
		switch name, value, _ := strings.Cut(h, ": "); name {
		case "From":
			r.RemoteAddr = value
		case "Host":
			r.Host = value
		default:
			r.Header.Add(name, value)
		}
	}
	return r
}

func must(t *testing.T) func(Authoriser, error) Authoriser {
	return func(a Authoriser, err error) Authoriser {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// wrong returns what an error says of a credential.
func wrong(err error) string {
	unknown, ok := errors.AsType[*UnknownError](err)
	switch {
	case err == nil:
		return "known"
	case !ok:
		return "refused"
	case unknown.Wrong:
		return "wrong"
	}
	return "unknown"
}

func TestLoopback(t *testing.T) {
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{[]string{"From: 127.0.0.1:4711", "Host: localhost:8080"}, "known"},
		{[]string{"From: 127.8.8.8:4711", "Host: 127.0.0.1"}, "known"},
		{[]string{"From: [::1]:4711", "Host: [::1]:8080"}, "known"},
		{[]string{"From: [::ffff:127.0.0.1]:4711", "Host: LOCALHOST."}, "known"},
		{[]string{"From: 192.0.2.1:4711", "Host: localhost"}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: evil.test"}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: 10.0.0.1"}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: localhost.evil.test"}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: "}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: localhost", "X-Forwarded-For: 192.0.2.1"}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: localhost", "Forwarded: for=192.0.2.1"}, "unknown"},
		{[]string{"From: 127.0.0.1:4711", "Host: localhost", "Via: 1.1 proxy"}, "unknown"},
		{[]string{"From: localhost:4711", "Host: localhost"}, "unknown"},
		{[]string{"From: @", "Host: localhost"}, "unknown"},
		{[]string{"From: 192.0.2.1:4711", "Host: localhost", "X-Forwarded-For: 127.0.0.1", "X-Real-Ip: 127.0.0.1"}, "unknown"},
	} {
		id, err := Loopback().Authorise(request(t, c.headers...))
		if got := wrong(err); got != c.want {
			t.Errorf("%q is %s, want %s", c.headers, got, c.want)
		}
		if err == nil && (id.Role != Admin || !id.Weak) || err != nil && id != (Identity{}) {
			t.Errorf("%q is taken for %+v", c.headers, id)
		}
	}
}

func TestAnyone(t *testing.T) {
	for role := Viewer; role <= Admin; role++ {
		id, err := must(t)(Anyone(role)).Authorise(request(t))
		if err != nil || id != (Identity{Role: role, Weak: true}) {
			t.Errorf("anyone as %s is %+v, %v", role, id, err)
		}
	}
	for _, role := range []Role{Nobody, -1, 9} {
		if _, err := Anyone(role); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("anyone as %s is refused with %v", role, err)
		}
	}
}

func basicAuth(t *testing.T, name, password string) *http.Request {
	r := request(t)
	r.SetBasicAuth(name, password)
	return r
}

func TestBasic(t *testing.T) {
	quick, err := hash("correct horse", leastIterations) // of which many are tried here
	if err != nil {
		t.Fatal(err)
	}
	again, err := HashPassword("correct horse")
	if err != nil || again == quick || !strings.HasPrefix(again, "pbkdf2-sha256$600000$") {
		t.Errorf("two hashes of a password are %s and %s, %v", quick, again, err)
	}
	a := must(t)(Basic(User{"ann", "battery staple", Admin}, User{"bob", quick, Viewer}, User{"zoë", "pässword:with", Operator}))
	for range 2 { // the second time, what is hashed is remembered
		for _, c := range []struct{ name, password, want string }{
			{"ann", "battery staple", "known"},
			{"bob", "correct horse", "known"},
			{"zoë", "pässword:with", "known"},
			{"ann", "battery stapl", "wrong"},
			{"ann", "battery staple ", "wrong"},
			{"ann", "", "wrong"},
			{"ann", "correct horse", "wrong"},
			{"bob", quick, "wrong"}, // who has the file has no password
			{"bob", "correct horsf", "wrong"},
			{"eve", "battery staple", "wrong"},
			{"eve", "correct horse", "wrong"},
			{"eve", "", "wrong"},
			{"", "", "wrong"},
			{"Ann", "battery staple", "wrong"},
		} {
			id, err := a.Authorise(basicAuth(t, c.name, c.password))
			if got := wrong(err); got != c.want || err == nil && id.Name != c.name {
				t.Errorf("%s with %q is %s, %+v, want %s", c.name, c.password, got, id, c.want)
			}
			if err != nil && c.password != "" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error tells the password: %v", err)
			}
		}
	}
	for _, header := range []string{"", "Basic", "Basic !", "Basic YQ==", "Bearer YTpi", "Digest x"} {
		_, err := a.Authorise(request(t, "Authorization: "+header))
		unknown, ok := errors.AsType[*UnknownError](err)
		if !ok || unknown.Wrong || !slices.Equal(unknown.Challenges, []string{`Basic realm="leat", charset="UTF-8"`}) {
			t.Errorf("%q is answered with %+v", header, err)
		}
	}
}

func TestBasicRefusesNonsense(t *testing.T) {
	const fine = "battery staple"
	for name, users := range map[string][]User{
		"nobody":             nil,
		"no name":            {{"", fine, Admin}},
		"a colon":            {{"a:b", fine, Admin}},
		"a line":             {{"a\nb", fine, Admin}},
		"no UTF-8":           {{"\xff", fine, Admin}},
		"a long name":        {{strings.Repeat("a", 300), fine, Admin}},
		"no password":        {{"ann", "", Admin}},
		"a short password":   {{"ann", "1234567", Admin}},
		"no role":            {{"ann", fine, Nobody}},
		"a made-up role":     {{"ann", fine, 7}},
		"one that is twice":  {{"ann", fine, Admin}, {"ann", fine, Viewer}},
		"a broken hash":      {{"ann", "pbkdf2-sha256$600000$AAAA", Admin}},
		"a hash in no time":  {{"ann", "pbkdf2-sha256$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Admin}},
		"a hash that is all": {{"ann", "pbkdf2-sha256$999999999999$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Admin}},
		"an empty key":       {{"ann", "pbkdf2-sha256$600000$AAAAAAAAAAAAAAAAAAAAAA$", Admin}},
		"a short salt":       {{"ann", "pbkdf2-sha256$600000$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Admin}},
	} {
		a, err := Basic(users...)
		if !errors.Is(err, task.ErrInvalid) || a != nil {
			t.Errorf("%s is refused with %v", name, err)
		}
		for _, u := range users {
			if err != nil && u.Password != "" && strings.Contains(err.Error(), u.Password) {
				t.Errorf("%s: the error tells the password: %v", name, err)
			}
		}
	}
	if _, err := Basic(User{"", fine, Admin}, User{"ann", "", Nobody}); strings.Count(err.Error(), "invalid ") != 3 {
		t.Errorf("of three faults there is told: %v", err)
	}
}

func TestBearer(t *testing.T) {
	const token, other = "0123456789abcdef", "fedcba9876543210"
	a := must(t)(Bearer(Token{"ci", token, Operator}, Token{"grafana", other, Viewer}))
	for _, c := range []struct{ header, want, name string }{
		{"Bearer " + token, "known", "ci"},
		{"bearer  " + other, "known", "grafana"},
		{"Bearer " + token + "x", "wrong", ""},
		{"Bearer " + token[:15], "wrong", ""},
		{"Bearer " + token + " " + other, "wrong", ""},
		{"Bearer", "wrong", ""},
		{"Bearer ", "wrong", ""},
		{token, "unknown", ""},
		{"Basic " + token, "unknown", ""},
		{"", "unknown", ""},
	} {
		id, err := a.Authorise(request(t, "Authorization: "+c.header))
		if got := wrong(err); got != c.want || id.Name != c.name {
			t.Errorf("%q is %s, %+v, want %s", c.header, got, id, c.want)
		}
		if err != nil && strings.Contains(err.Error(), token[:15]) {
			t.Errorf("the error tells the token: %v", err)
		}
	}
	for name, tokens := range map[string][]Token{
		"none":              nil,
		"no name":           {{"", token, Viewer}},
		"a short one":       {{"ci", token[1:], Viewer}},
		"one with a space":  {{"ci", token + " x", Viewer}},
		"one with a line":   {{"ci", token + "\n", Viewer}},
		"no role":           {{"ci", token, Nobody}},
		"one that is twice": {{"ci", token, Viewer}, {"cd", token, Admin}},
	} {
		if a, err := Bearer(tokens...); !errors.Is(err, task.ErrInvalid) || a != nil || strings.Contains(err.Error(), token[1:]) {
			t.Errorf("%s is refused with %v", name, err)
		}
	}
}

func TestTrustedHeader(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	groups := Headers{User: "X-User", Role: "X-Groups", Roles: map[string]Role{"sre": Admin, "dev": Operator, "ban": Nobody}, Default: Viewer, Proxies: proxies}
	names := Headers{User: "x-user", Role: "x-role", Proxies: proxies}
	const proxy = "From: 10.1.1.1:99"
	for _, c := range []struct {
		h       Headers
		headers []string
		want    string
		role    Role
		from    string
	}{
		{groups, []string{proxy, "X-User: ann", "X-Groups: all, dev ,sre"}, "known", Admin, ""},
		{groups, []string{proxy, "X-User: ann", "X-Groups: dev", "X-Groups: sre"}, "known", Admin, ""},
		{groups, []string{"From: [fd00::1]:9", "X-User: ann", "X-Groups: other"}, "known", Viewer, ""},
		{groups, []string{"From: [::ffff:10.0.0.1]:9", "X-User: ann"}, "known", Viewer, ""},
		{groups, []string{proxy, "X-User: ann", "X-Groups: ban"}, "refused", Nobody, ""},
		{groups, []string{proxy, "X-User: ann", "X-Groups: admin"}, "known", Viewer, ""},
		{names, []string{proxy, "X-User: ann", "X-Role: operator"}, "known", Operator, ""},
		{names, []string{proxy, "X-User: ann", "X-Role: emperor"}, "refused", Nobody, ""},
		{names, []string{proxy, "X-User: ann"}, "refused", Nobody, ""},
		{names, []string{proxy, "X-User: ann", "X-Role: viewer", "X-Forwarded-For: 1.1.1.1, 192.0.2.9, 10.2.2.2"}, "known", Viewer, "192.0.2.9"},
		{names, []string{proxy, "X-User: ann", "X-Role: viewer", "X-Forwarded-For: <b>"}, "known", Viewer, ""},
		{names, []string{proxy}, "unknown", Nobody, ""},
		{names, []string{"From: 192.0.2.1:9"}, "unknown", Nobody, ""},
		{names, []string{"From: 192.0.2.1:9", "X-User: ann", "X-Role: admin"}, "wrong", Nobody, ""},
		{names, []string{"From: 192.0.2.1:9", "X-User: ann", "X-Role: admin", "X-Forwarded-For: 10.0.0.1"}, "wrong", Nobody, ""},
		{names, []string{"From: 127.0.0.1:9", "X-User: ann", "X-Role: admin"}, "wrong", Nobody, ""},
		{names, []string{proxy, "X-User: eve", "X-User: ann", "X-Role: admin"}, "wrong", Nobody, ""},
		{names, []string{proxy, "X-User: ", "X-Role: admin"}, "wrong", Nobody, ""},
		{names, []string{proxy, "X-User: a\nb", "X-Role: admin"}, "wrong", Nobody, ""},
	} {
		id, err := must(t)(TrustedHeader(c.h)).Authorise(request(t, c.headers...))
		if got := wrong(err); got != c.want || id.Role != c.role || id.Weak || id.From != c.from {
			t.Errorf("%q is %s, %+v, want %s", c.headers, got, id, c.want)
		}
	}
	for name, change := range map[string]func(*Headers){
		"no user header":      func(h *Headers) { h.User = "" },
		"a header of two":     func(h *Headers) { h.User = "X User" },
		"one that is taken":   func(h *Headers) { h.User = "authorization" },
		"the same for both":   func(h *Headers) { h.Role = "x-user" },
		"no role at all":      func(h *Headers) { h.Role, h.Roles, h.Default = "", nil, Nobody },
		"words without role":  func(h *Headers) { h.Role = "" },
		"a word with a comma": func(h *Headers) { h.Roles = map[string]Role{"a,b": Admin} },
		"a made-up role":      func(h *Headers) { h.Roles = map[string]Role{"a": 9} },
		"a made-up default":   func(h *Headers) { h.Default = 9 },
		"no proxies":          func(h *Headers) { h.Proxies = nil },
		"everybody a proxy":   func(h *Headers) { h.Proxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} },
		"no prefix":           func(h *Headers) { h.Proxies = []netip.Prefix{{}} },
	} {
		h := groups
		change(&h)
		if a, err := TrustedHeader(h); !errors.Is(err, task.ErrInvalid) || a != nil {
			t.Errorf("%s is refused with %v", name, err)
		}
	}
}

func TestFirst(t *testing.T) {
	basic := must(t)(Basic(User{"ann", "battery staple", Admin}))
	tokens := must(t)(Bearer(Token{"ci", "0123456789abcdef", Operator}))
	anyone := must(t)(Anyone(Viewer))
	refuses := AuthoriserFunc(func(*http.Request) (Identity, error) { return Identity{Role: Admin}, errors.New("not of us") })
	plain := AuthoriserFunc(func(*http.Request) (Identity, error) { return Identity{}, ErrUnknown })

	right, bad := basicAuth(t, "ann", "battery staple"), basicAuth(t, "ann", "wrong")
	bearer := request(t, "Authorization: Bearer 0123456789abcdef")
	for i, c := range []struct {
		all     []Authoriser
		request *http.Request
		want    string
		role    Role
	}{
		{[]Authoriser{basic, tokens}, right, "known", Admin},
		{[]Authoriser{basic, tokens}, bearer, "known", Operator},
		{[]Authoriser{tokens, basic, anyone}, right, "known", Admin},
		{[]Authoriser{basic, anyone}, request(t), "known", Viewer},
		{[]Authoriser{basic, anyone}, bad, "wrong", Nobody}, // and not a viewer
		{[]Authoriser{anyone, basic}, bad, "known", Viewer}, // who is asked first
		{[]Authoriser{plain, tokens}, request(t), "unknown", Nobody},
		{[]Authoriser{refuses, anyone}, request(t), "refused", Nobody},
	} {
		id, err := must(t)(First(c.all...)).Authorise(c.request)
		if got := wrong(err); got != c.want || id.Role != c.role {
			t.Errorf("case %d is %s, %+v, want %s", i, got, id, c.want)
		}
	}
	_, err := must(t)(First(basic, tokens)).Authorise(request(t))
	if unknown, ok := errors.AsType[*UnknownError](err); !ok || len(unknown.Challenges) != 2 || !errors.Is(err, ErrUnknown) {
		t.Errorf("nobody is asked for %v", err)
	}
	for _, all := range [][]Authoriser{nil, {basic, nil}} {
		if _, err := First(all...); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("%v are refused with %v", all, err)
		}
	}
}

func TestRoles(t *testing.T) {
	for role := Nobody; role <= Admin; role++ {
		text, err := role.MarshalText()
		var back Role
		if err != nil || back.UnmarshalText(text) != nil || back != role {
			t.Errorf("%s is written as %q, %v, and read as %s", role, text, err, back)
		}
	}
	if _, err := Role(9).MarshalText(); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("no role is written: %v", err)
	}
	var role Role
	if err := role.UnmarshalText([]byte("Admin")); !errors.Is(err, task.ErrInvalid) || role != Nobody {
		t.Errorf("no role is read as %s, %v", role, err)
	}
}

func FuzzHostName(f *testing.F) {
	for _, seed := range []string{"localhost:80", "[::1]:80", "evil.test", "a:b:c", "[", "]", ":", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		name := HostName(host)
		if strings.ContainsAny(name, "[]") && !strings.ContainsAny(host, "[]") || name != strings.ToLower(name) || len(name) > len(host)*3 {
			t.Errorf("the name in %q is %q", host, name)
		}
		if isLoopbackHost(host) && name != "localhost" {
			if addr, err := netip.ParseAddr(name); err != nil || !addr.Unmap().IsLoopback() {
				t.Errorf("%q is taken for this machine: %v", host, fmt.Sprint(addr, err))
			}
		}
	})
}
