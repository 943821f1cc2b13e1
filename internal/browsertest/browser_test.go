package browsertest

import (
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

const sound = `<!doctype html><html lang="en"><title>Sound</title><body><main><h1>Sound</h1>`

// sites are pages by their path.
var sites = map[string]string{
	"/sound": sound + `<p>All is well.</p></main>`,
	"/form": sound + `<form action="/said"><label>Name <input name="name" value="old"></label><button>Say</button></form>
		<p id="scheme"></p><script src="/form.js"></script></main>`,
	"/form.js": `
		const is = q => matchMedia(q).matches
		const width = document.documentElement.clientWidth
		document.querySelector('#scheme').textContent = [width, is('(prefers-color-scheme: dark)') ? 'dark' : 'light',
			is('(prefers-reduced-motion: reduce)') ? 'still' : 'moving', is('(pointer: coarse)') ? 'touch' : 'mouse'].join(' ')
		document.addEventListener('keydown', e => {
			document.title += e.key
			if (e.key === '/') { e.preventDefault(); document.querySelector('input').focus() }
		})
		document.addEventListener('visibilitychange', () => { document.title += document.visibilityState })`,
	"/said":        sound + `<p>Said.</p></main>`,
	"/elsewhere":   sound + `<img alt="" src="http://elsewhere.example/a.png"></main>`,
	"/neighbour":   sound + `<img alt="" src="http://127.0.0.1:1/a.png"></main>`,
	"/inline":      sound + `<script>document.title = 'run'</script></main>`,
	"/style":       sound + `<p style="color: red">Red</p></main>`,
	"/thrown":      sound + `<script src="/thrown.js"></script></main>`,
	"/thrown.js":   `setTimeout(() => { document.title = 'thrown'; missing.call() })`,
	"/logged":      sound + `<script src="/logged.js"></script></main>`,
	"/logged.js":   `console.error('it is broken', 7)`,
	"/lost":        sound + `<img alt="" src="/nowhere.png"></main>`,
	"/unlabelled":  sound + `<form><input name="name"></form></main>`,
	"/pale":        sound + `<p class="pale">Hardly to be read</p><link rel="stylesheet" href="/pale.css"></main>`,
	"/pale.css":    `.pale { color: #ddd; background: #fff }`,
	"/wide":        sound + `<div class="wide">x</div><link rel="stylesheet" href="/wide.css"></main>`,
	"/wide.css":    `.wide { width: 3000px }`,
	"/covered":     sound + `<button>Under</button><div class="over"></div><link rel="stylesheet" href="/covered.css"></main>`,
	"/covered.css": `.over { position: fixed; inset: 0; background: #fff }`,
}

// serve serves the sites below a policy as strict as that of the dashboard.
func serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http:")
		body, is := sites[r.URL.Path]
		switch {
		case strings.HasSuffix(r.URL.Path, ".js"):
			w.Header().Set("Content-Type", "text/javascript")
		case strings.HasSuffix(r.URL.Path, ".css"):
			w.Header().Set("Content-Type", "text/css")
		case r.URL.Path == "/favicon.ico":
			w.WriteHeader(http.StatusNoContent)
			return
		case !is:
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A witness is a test that is itself under test: it keeps what it is failed with.
type witness struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (w *witness) Helper()                      {}
func (w *witness) Cleanup(f func())             { w.cleanups = append(w.cleanups, f) }
func (w *witness) Error(args ...any)            { w.said = append(w.said, fmt.Sprint(args...)) }
func (w *witness) Errorf(f string, args ...any) { w.said = append(w.said, fmt.Sprintf(f, args...)) }
func (w *witness) Fatal(args ...any)            { w.Error(args...); runtime.Goexit() }
func (w *witness) Fatalf(f string, args ...any) { w.Errorf(f, args...); runtime.Goexit() }

// under runs f as a test of its own, and returns what it is failed with.
func under(t *testing.T, f func(testing.TB)) string {
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(w)
	}()
	<-done
	for i := len(w.cleanups) - 1; i >= 0; i-- {
		w.cleanups[i]()
	}
	return strings.Join(w.said, "\n")
}

func TestAFaultOfAPageFailsTheTest(t *testing.T) {
	origin := serve(t)
	for _, c := range []struct {
		path, want string
		look       func(*Page)
	}{
		{"/sound", "", func(p *Page) { p.Axe(); p.Fits() }},
		{"/elsewhere", "asks another origin: GET http://elsewhere.example/a.png", nil},
		{"/neighbour", "asks another origin: GET http://127.0.0.1:1/a.png", nil},
		{"/inline", "the policy forbids script-src-elem", nil},
		{"/style", "the policy forbids style-src-attr", nil},
		{"/thrown", "an exception is not caught: Uncaught ReferenceError: missing is not defined", func(p *Page) {
			p.Wait("an exception", `() => document.title === 'thrown'`)
			p.Text("body")
		}},
		{"/logged", "the page logs: it is broken 7", nil},
		{"/lost", "the browser logs: Failed to load resource: the server responded with a status of 404", nil},
		{"/unlabelled", "critical label", (*Page).Axe},
		{"/pale", "serious color-contrast", (*Page).Axe},
		{"/wide", "/wide is wider than its window: div.wide", (*Page).Fits},
		{"/sound", `the page has no fault that says "nothing"`, func(p *Page) { p.Expect("nothing") }},
		{"/logged", "", func(p *Page) { p.Expect("it is broken") }},
	} {
		t.Run(c.path, func(t *testing.T) {
			said := under(t, func(tb testing.TB) {
				p := New(tb, origin, Options{})
				p.Open(c.path)
				if c.look != nil {
					c.look(p)
				}
			})
			if c.want == "" && said != "" || !strings.Contains(said, c.want) {
				t.Errorf("the test is failed with %q, want %q", said, c.want)
			}
		})
	}
}

func TestAPageIsUsedAsByAUser(t *testing.T) {
	p := New(t, serve(t), Options{})
	if status := p.Open("/form"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	p.Type("input", "new & shiny")
	p.Follow("button")
	p.WaitAddress("/said?name=new+%26+shiny")
	p.WaitFor("p", "Said.")
	p.Open("/form")
	p.Type("input", "again")
	p.Leave("Enter", func() { p.Press("Enter") })
	p.WaitAddress("/said?name=again")
	asked := func(r string) bool {
		return strings.HasPrefix(r, "GET http://") && strings.HasSuffix(r, "/said?name=again")
	}
	if got := p.Requests(); !slices.ContainsFunc(got, asked) {
		t.Errorf("requests are %q", got)
	}
}

func TestKeysAndSightReachThePage(t *testing.T) {
	p := New(t, serve(t), Options{})
	p.Open("/form")
	p.Press("j", "?", "ArrowDown", "Escape")
	p.Hide()
	p.Show()
	p.Wait("keys and sight", `want => document.title === want`, "Soundj?ArrowDownEscapehiddenvisible")
	p.Press("/", "x", "Shift+y", "Ctrl+k")
	if got := p.Value("input", "value"); got != "xyold" {
		t.Errorf("the field has %q, want what is typed after the key that the page takes", got)
	}
}

func TestAPageIsLookedAtInManyWays(t *testing.T) {
	origin := serve(t)
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "1280 light moving mouse"},
		{Options{Dark: true}, "1280 dark moving mouse"},
		{Options{Still: true, Width: 640, Height: 480}, "640 light still mouse"},
		{Options{NoScript: true}, ""},
	} {
		p := New(t, origin, c.o)
		p.Open("/form")
		if got := p.Text("#scheme"); got != c.want {
			t.Errorf("%+v is %q, want %q", c.o, got, c.want)
		}
		p.Type("input", "x")
		p.Follow("button")
		p.WaitAddress("/said?name=x")
	}
	p := New(t, origin, Options{Phone: true})
	p.Open("/form")
	if got := p.Text("#scheme"); !strings.HasSuffix(got, "touch") {
		t.Errorf("a phone is %q", got)
	}
}

func TestAClickWaitsUntilNothingCoversWhatIsClicked(t *testing.T) {
	p := New(t, serve(t), Options{})
	p.Open("/covered")
	if at := eval[spot](p, middle, "button"); at.Free || at.X == 0 {
		t.Errorf("the button is at %+v, want it covered", at)
	}
	eval[bool](p, `() => !document.querySelector('.over').remove()`)
	p.Click("button")
}

func TestAPictureIsOfThePage(t *testing.T) {
	p := New(t, serve(t), Options{Width: 400, Height: 300})
	p.Open("/sound")
	f, err := os.Open(p.Screenshot("sound"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shot, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if size := shot.Bounds().Size(); size.X != 400 || size.Y != 300 {
		t.Errorf("the picture is %v", size)
	}
}
