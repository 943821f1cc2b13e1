package browsertest

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// do runs actions within a bounded time.
func (p *Page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// call runs a command of the debugger within a bounded time.
func call[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// Open opens a path of the origin, such as "/queues?all=1", waits until it is loaded, and
// returns the status of the answer.
func (p *Page) Open(path string) int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, chromedp.NavigateResponse(p.origin+path))
	if err != nil {
		p.t.Fatalf("open %s: %v", path, err)
	}
	return int(answer.Status)
}

// Click clicks, or on a phone taps, the middle of the first element that the selector
// finds, when it is there, nothing covers it, and it does not move any more.
func (p *Page) Click(selector string) {
	p.t.Helper()
	var at spot
	p.until("clickable "+selector, func() bool {
		before := at
		at = eval[spot](p, middle, selector)
		return at.Free && at == before
	})
	p.do(chromedp.MouseClickXY(at.X, at.Y))
}

// Drag presses the mouse on the first element that the selector finds, moves it, calls
// meanwhile, and lets go: from and to are parts of the element's width, half way down.
func (p *Page) Drag(selector string, from, to float64, meanwhile func()) {
	p.t.Helper()
	p.WaitFor(selector)
	r := eval[struct{ Left, Width, Y float64 }](p, `selector => {
		const e = document.querySelector(selector)
		e.scrollIntoView({block: 'center', inline: 'nearest', behavior: 'instant'})
		const r = e.getBoundingClientRect()
		return {Left: r.left, Width: r.width, Y: r.top + r.height / 2}
	}`, selector)
	mouse := func(what input.DispatchMouseEventType, part float64, more ...chromedp.MouseOption) {
		p.do(chromedp.MouseEvent(what, r.Left+r.Width*part, r.Y, more...))
	}
	held := func(e *input.DispatchMouseEventParams) { e.Buttons = 1 }
	mouse(chromedp.MouseMoved, from)
	mouse(chromedp.MousePressed, from, chromedp.ButtonLeft, held)
	mouse(chromedp.MouseMoved, from+(to-from)/2, chromedp.ButtonLeft, held)
	mouse(chromedp.MouseMoved, to, chromedp.ButtonLeft, held)
	meanwhile()
	mouse(chromedp.MouseReleased, to, chromedp.ButtonLeft)
}

// A spot is where to click, and whether a click there reaches the element.
type spot struct {
	X, Y float64
	Free bool
}

// middle is a function of a selector that returns a spot, after it has scrolled there.
const middle = `selector => {
	const e = document.querySelector(selector)
	if (!e || e.disabled) return {}
	e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})
	const box = [...e.getClientRects()].find(r => r.width && r.height)
	if (!box) return {}
	const x = box.left + box.width / 2, y = box.top + box.height / 2
	const top = document.elementFromPoint(x, y)
	return {X: x, Y: y, Free: !!top && (e.contains(top) || [...(e.labels || [])].some(l => l.contains(top)))}
}`

// Follow clicks an element, and waits until that has led to another document and this is
// loaded.
func (p *Page) Follow(selector string) {
	p.t.Helper()
	p.Leave(selector, func() { p.Click(selector) })
}

// Leave calls act, which is named for the case that it fails, and waits until that has led
// to another document and this is loaded.
func (p *Page) Leave(name string, act func()) {
	p.t.Helper()
	const born = `() => performance.timeOrigin`
	before := eval[float64](p, born)
	act()
	p.until("another page after "+name, func() bool {
		return eval[float64](p, born) != before && eval[string](p, `() => document.readyState`) == "complete"
	})
}

// Type gives an element the focus, selects what is in it, and types text instead.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.until(selector+" to type into", func() bool {
		return eval[bool](p, `selector => {
			const e = document.querySelector(selector)
			if (!e || e.disabled || e.readOnly) return false
			e.focus()
			if (e.select) e.select()
			return document.activeElement === e
		}`, selector)
	})
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// Select chooses the option of a list that shows text, as a user does who has opened it.
func (p *Page) Select(selector, text string) {
	p.t.Helper()
	p.until(selector+" with an option "+text, func() bool {
		return eval[bool](p, `(selector, text) => {
			const e = document.querySelector(selector)
			const option = [...(e?.options || [])].find(o => o.text.trim() === text)
			if (!option || e.disabled) return false
			e.value = option.value
			e.dispatchEvent(new Event('input', {bubbles: true}))
			return e.dispatchEvent(new Event('change', {bubbles: true}))
		}`, selector, text)
	})
}

// keys are the keys of a name.
var keys = map[string]string{
	"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "Backspace": kb.Backspace, "Space": " ",
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"PageUp": kb.PageUp, "PageDown": kb.PageDown, "Home": kb.Home, "End": kb.End,
}

// Press presses keys one after the other, wherever the focus is: characters such as "x" and
// "?", or keys of a name such as "Enter" and "ArrowDown". "Shift+", "Ctrl+" and "Alt+" hold
// a key meanwhile.
func (p *Page) Press(names ...string) {
	p.t.Helper()
	for _, name := range names {
		key, held := name, chromedp.ModifierNone
		for prefix, modifier := range modifiers {
			if rest, is := strings.CutPrefix(key, prefix); is {
				key, held = rest, held|modifier
			}
		}
		if named, is := keys[key]; is {
			key = named
		}
		runes := []rune(key)
		if len(runes) != 1 {
			p.t.Fatalf("no key is named %q", name)
		}
		p.strike(runes[0], held)
	}
}

var modifiers = map[string]chromedp.Modifier{
	"Shift+": chromedp.ModifierShift, "Ctrl+": chromedp.ModifierCtrl, "Alt+": chromedp.ModifierAlt,
}

// strike presses a key and releases it. Its character goes with the press, not after it: a
// page that takes the key for itself keeps it from being typed.
func (p *Page) strike(key rune, held chromedp.Modifier) {
	p.t.Helper()
	events := kb.Encode(key)
	for _, e := range events {
		if e.Type == kb.KeyChar && held&^chromedp.ModifierShift == 0 {
			events[0].Text, events[0].UnmodifiedText = e.Text, e.UnmodifiedText
		}
	}
	for _, e := range events {
		if e.Type != kb.KeyChar {
			e.Modifiers |= int64(held)
			call(p, input.DispatchKeyEvent, *e)
		}
	}
}

// Hide tells the page that it is out of sight, and Show that it is in sight again. The page
// sees that as if its tab were behind another.
func (p *Page) Hide() { p.t.Helper(); p.appear("hidden") }

// Show undoes [Page.Hide].
func (p *Page) Show() { p.t.Helper(); p.appear("visible") }

func (p *Page) appear(state string) {
	p.t.Helper()
	eval[bool](p, `state => {
		Object.defineProperty(document, 'visibilityState', {value: state, configurable: true})
		Object.defineProperty(document, 'hidden', {value: state === 'hidden', configurable: true})
		return document.dispatchEvent(new Event('visibilitychange'))
	}`, state)
}
