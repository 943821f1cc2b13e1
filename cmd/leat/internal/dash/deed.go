package dash

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
)

// A deed is something that is being done in a goroutine of its own.
type deed struct {
	what   string // "delete 3 tasks"
	total  int    // how many it will be done to; 0: that is not known
	began  time.Time
	so     atomic.Int64
	halted atomic.Bool
}

// count notes to how many it was done so far, and reports whether to go on.
func (d *deed) count(n int) bool {
	d.so.Store(int64(n))
	return !d.halted.Load()
}

// halt has the deed end after its next step.
func (d *deed) halt() { d.halted.Store(true) }

// done is that a deed has come to its end.
type done struct {
	deed   *deed
	result string
	err    error
}

// do does something in a goroutine of its own, one thing at a time. f returns what has
// been done, in words, also beside an error; it asks [deed.count] whether to go on.
func (a *app) do(what string, total int, f func(context.Context, *deed) (string, error)) {
	if a.deed != nil {
		a.warn("wait: " + a.deed.what + " is not done")
		return
	}
	d := &deed{what: what, total: total, began: a.now()}
	a.deed, a.notice = d, notice{}
	a.later(func() tea.Msg {
		result, err := f(a.ctx, d)
		return done{deed: d, result: result, err: err}
	})
}

// finish tells what came of a deed.
func (a *app) finish(m done) {
	if a.deed == m.deed {
		a.deed = nil
	}
	switch {
	case m.err == nil:
		a.say(m.result)
	case m.result == "":
		a.warn(m.err.Error())
	default:
		a.warn(m.result + "; " + m.err.Error())
	}
	for _, t := range a.tabs {
		for _, p := range t.pages {
			if s, ok := p.screen.(changeable); ok {
				s.changed()
			}
		}
	}
	a.refetch()
}

// draw draws how far it has come.
func (d *deed) draw(a *app) string {
	n, took := int(d.so.Load()), a.now().Sub(d.began)
	text := a.theme.accent.Render("▶ ") + plain.Name(d.what)
	if d.total > 1 || n > 1 {
		text += ": " + quantity.Count(n)
		if d.total > 0 {
			text += fmt.Sprintf(" of %s (%d %%)", quantity.Count(d.total), min(100*n/d.total, 100))
		}
		if took >= time.Second {
			text += fmt.Sprintf(", %s/s", quantity.Count(int(float64(n)/took.Seconds())))
		}
	}
	text += ", " + age(took)
	if d.halted.Load() {
		return text + a.theme.warn.Render("  stopping …")
	}
	return text + a.theme.dim.Render("  Esc stops it")
}

// A notice is what came of something, until a key is pressed a while later.
type notice struct {
	text string
	bad  bool
	at   time.Time
}

const noticed = 2 * time.Second // how long a notice stays whatever is pressed

func (a *app) say(text string)  { a.notice = notice{text: text, at: a.now()} }
func (a *app) warn(text string) { a.notice = notice{text: text, bad: true, at: a.now()} }

// copy puts a text into the clipboard of the terminal, if that has one.
func (a *app) copy(text string) {
	a.later(tea.SetClipboard(text))
	a.say("copied " + quantity.Many(len(text), "byte"))
}

// seen forgets a notice that has been there for a while.
func (n *notice) seen(now time.Time) {
	if now.Sub(n.at) >= noticed {
		*n = notice{}
	}
}

func (n notice) draw(a *app) string {
	if n.bad {
		return a.theme.bad.Render("✗ " + plain.Name(n.text))
	}
	return a.theme.good.Render("✓ " + plain.Name(n.text))
}
