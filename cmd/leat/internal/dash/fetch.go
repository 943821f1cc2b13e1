package dash

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	unseen = 300 * time.Millisecond // how long a question is not worth to be shown
	beat   = 250 * time.Millisecond // how often the clock is looked at
)

// A flight is a question that is under way.
type flight struct {
	began  time.Time
	cancel context.CancelFunc
}

// Freshness is how old what a page shows is.
type freshness struct {
	at  time.Time // when the last question was asked that was answered; zero: none was
	err error     // what came of the last one, if that was no answer
}

// answered is that a question has come back.
type answered struct {
	page   *page
	flight *flight
	show   func()
	err    error
}

// look asks for what a page wants to know. There is never more than one question of a
// page under way: if there is one, another one follows it.
func (a *app) look(p *page) {
	if p.flight != nil {
		p.again = true
		return
	}
	p.tried = a.now()
	question := p.ask()
	if question == nil {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, a.Timeout)
	f := &flight{began: p.tried, cancel: cancel}
	p.flight = f
	a.later(func() tea.Msg {
		defer cancel()
		show, err := question(ctx)
		return answered{page: p, flight: f, show: show, err: err}
	})
}

// refetch has the screen that is shown ask at once, because it wants to know something
// else than before: what is under way is of no interest any more.
func (a *app) refetch() {
	p := a.top()
	p.leave()
	a.look(p)
}

// more has the screen that is shown ask once more, when it is done with what it has just
// been told.
func (a *app) more() { a.top().again = true }

// leave ends a page's question.
func (p *page) leave() {
	p.again = false
	if p.flight != nil {
		p.flight.cancel()
	}
}

// answer takes what came of a question.
func (a *app) answer(m answered) {
	p := m.page
	if p.flight != m.flight {
		return
	}
	p.flight = nil
	if !errors.Is(m.err, context.Canceled) {
		p.state.err = m.err
		if m.err == nil {
			p.state.at = m.flight.began
			m.show()
		}
	}
	if p.again && p == a.top() {
		p.again = false
		a.look(p)
	}
}

// refresh asks anew if it is time.
func (a *app) refresh() {
	p := a.top()
	if p.flight == nil && (p.tried.IsZero() || !a.halted && a.now().Sub(p.tried) >= a.Refresh) {
		a.look(p)
	}
}

// ticked is that a beat has passed.
type ticked struct{}
