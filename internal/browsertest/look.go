package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// between is the time between two looks at a page.
const between = 25 * time.Millisecond

// eval calls a function of JavaScript with arguments, and returns what it returns. While a
// page gives way to another there is nobody to ask; it then asks again.
func eval[T any](p *Page, function string, args ...any) T {
	p.t.Helper()
	value, err := try[T](p, function, args...)
	for began := time.Now(); err != nil && isGone(err) && time.Since(began) < patience; {
		time.Sleep(between)
		value, err = try[T](p, function, args...)
	}
	if err != nil {
		p.t.Fatalf("%v of %s", err, function)
	}
	return value
}

func try[T any](p *Page, function string, args ...any) (T, error) {
	words := make([]string, len(args))
	for i, a := range args {
		word, err := json.Marshal(a)
		if err != nil {
			p.t.Fatal(err)
		}
		words[i] = string(word)
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf("(%s)(%s)", function, strings.Join(words, ", ")), chromedp.EvalAwaitPromise))
}

// isGone reports whether an error says that the page is not there any more.
func isGone(err error) bool {
	for _, text := range []string{"context was destroyed", "Cannot find default execution context", "Inspected target navigated or closed", "Cannot find context"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// Eval calls a function of JavaScript with arguments, and returns what it returns.
func Eval[T any](p *Page, function string, args ...any) T {
	p.t.Helper()
	return eval[T](p, function, args...)
}

// until waits until holds is true.
func (p *Page) until(awaited string, holds func() bool) {
	p.t.Helper()
	for began := time.Now(); !holds(); time.Sleep(between) {
		if time.Since(began) > patience {
			p.t.Fatalf("within %v %s has no %s, but\n%s", patience, p.Address(), awaited, p.Text("body"))
		}
	}
}

// Wait waits until a function of JavaScript returns true of the arguments. What is awaited
// is named for the case that it does not come.
func (p *Page) Wait(awaited, function string, args ...any) {
	p.t.Helper()
	p.until(awaited, func() bool { return eval[bool](p, function, args...) })
}

// WaitFor waits until an element that the selector finds shows all of the texts.
func (p *Page) WaitFor(selector string, texts ...string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s that says %q", selector, texts), func() bool {
		return eval[bool](p, `(selector, texts) => [...document.querySelectorAll(selector)].some(e => {
			const shown = e.innerText ?? e.textContent
			return texts.every(t => shown.includes(t))
		})`, selector, append([]string{}, texts...))
	})
}

// WaitCount waits until the selector finds so many elements.
func (p *Page) WaitCount(selector string, n int) {
	p.t.Helper()
	p.until(fmt.Sprintf("%d %s", n, selector), func() bool { return p.Count(selector) == n })
}

// WaitAddress waits until the address is this path with its query.
func (p *Page) WaitAddress(path string) {
	p.t.Helper()
	p.until("address "+path, func() bool { return p.Address() == path })
}

// Address returns the path of the page, with its query and fragment.
func (p *Page) Address() string {
	p.t.Helper()
	return strings.TrimPrefix(eval[string](p, `() => location.href`), p.origin)
}

// Text returns what the first element shows that the selector finds, or "" if none is there.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return eval[string](p, `selector => {
		const e = document.querySelector(selector)
		return e ? (e.innerText ?? e.textContent) : ''
	}`, selector)
}

// Texts returns what the elements show that the selector finds.
func (p *Page) Texts(selector string) []string {
	p.t.Helper()
	return eval[[]string](p, `selector => [...document.querySelectorAll(selector)].map(e => e.innerText ?? e.textContent)`, selector)
}

// Value returns what the first element holds that the selector finds: the text of a field,
// or an attribute of this name.
func (p *Page) Value(selector, name string) string {
	p.t.Helper()
	return eval[string](p, `(selector, name) => {
		const e = document.querySelector(selector)
		return String((e && (e[name] ?? e.getAttribute(name))) ?? '')
	}`, selector, name)
}

// Count returns how many elements the selector finds.
func (p *Page) Count(selector string) int {
	p.t.Helper()
	return eval[int](p, `selector => document.querySelectorAll(selector).length`, selector)
}

// Fits fails the test if the page is wider than its window.
func (p *Page) Fits() {
	p.t.Helper()
	wide := eval[[]string](p, `() => {
		const room = document.documentElement.clientWidth
		if (document.documentElement.scrollWidth <= room) return []
		const is = (e, name) => getComputedStyle(e)[name]
		const within = e => is(e, 'position') === 'absolute' ? e.offsetParent : e.parentElement
		const clipped = e => {
			if (is(e, 'position') === 'fixed') return true
			for (let up = within(e); up && up !== document.body; up = within(up))
				if (is(up, 'overflowX') !== 'visible') return true
			return false
		}
		return [...document.querySelectorAll('body *')]
			.filter(e => e.getBoundingClientRect().right > room + 1 && !clipped(e))
			.map(e => e.tagName.toLowerCase() + (e.className ? '.' + (e.className.baseVal ?? e.className) : '')).slice(0, 8).concat('')
	}`)
	if len(wide) > 0 {
		p.t.Errorf("%s is wider than its window: %s", p.Address(), strings.Join(wide, " "))
	}
}
