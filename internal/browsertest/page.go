package browsertest

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Options say how a page is looked at. The zero value is a window of 1280 by 800 in the
// light scheme, with script and motion.
type Options struct {
	Width, Height int
	Phone         bool // is 390 by 844, if not sized, with touch instead of a mouse
	Dark          bool // prefers the dark scheme
	Still         bool // prefers reduced motion
	NoScript      bool // has script disabled

	Header map[string]any // what each request has beside what the browser sends, such as a credential
}

func (o Options) size() (width, height int64) {
	switch {
	case o.Width > 0 && o.Height > 0:
		return int64(o.Width), int64(o.Height)
	case o.Phone:
		return 390, 844
	default:
		return 1280, 800
	}
}

// A Page is one tab, alone in a context of the browser. Its methods are for the test's own
// goroutine. Those that wait do so for a bounded time, and fail the test when that is over.
type Page struct {
	t      testing.TB
	ctx    context.Context
	origin string
	*watch
}

// New returns a page that ends with t. The origin is the one under test, such as
// "http://127.0.0.1:8080", and what the page asks of another fails t.
func New(t testing.TB, origin string, o Options) *Page {
	t.Helper()
	parent, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{t: t, origin: origin, watch: &watch{origin: origin}}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	if err := chromedp.Do(ctx); err != nil { // no timeout: the tab lives as long as this context
		cancel()
		t.Fatal(err)
	}
	p.ctx = ctx
	t.Cleanup(func() {
		t.Helper()
		_, _ = try[int](p, `() => 0`) // what happened before its answer has been heard
		cancel()
		for _, fault := range p.judge() {
			t.Error(fault)
		}
	})
	p.arrange(o)
	return p
}

// arrange has the page looked at as o says.
func (p *Page) arrange(o Options) {
	p.t.Helper()
	call(p, audits.Enable, cdp.Empty{})
	width, height := o.size()
	var viewport []chromedp.EmulateViewportOption
	if o.Phone {
		viewport = append(viewport, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	p.do(chromedp.EmulateViewport(width, height, viewport...))
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: either(o.Dark, "dark", "light")},
		{Name: "prefers-reduced-motion", Value: either(o.Still, "reduce", "no-preference")},
	}})
	if o.NoScript {
		call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	if len(o.Header) > 0 {
		call(p, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: o.Header})
	}
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
