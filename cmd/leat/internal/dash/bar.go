package dash

import (
	"errors"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
)

// A bar is where a query is written.
type bar struct {
	of      narrowing
	input   textinput.Model
	offered []query.Suggestion
	chosen  int // of those
	err     error
}

const mostOffered = 8 // lines

func newBar(a *app, of narrowing) *bar {
	b := &bar{of: of, input: textinput.New()}
	b.input.Prompt = "/ "
	b.input.CharLimit = 2000
	b.input.SetValue(of.text())
	b.input.CursorEnd()
	b.input.Focus() // the cursor need not blink
	b.input.SetStyles(inputStyles(a))
	b.offer()
	return b
}

func inputStyles(a *app) textinput.Styles {
	s := textinput.DefaultStyles(a.dark)
	s.Cursor.Blink = false
	return s
}

// press takes a key: Enter applies the query, Tab completes it, Esc leaves it as it was.
func (b *bar) press(a *app, m tea.KeyPressMsg) {
	switch m.String() {
	case "esc":
		a.bar = nil
	case "enter":
		if b.err = b.of.set(b.input.Value()); b.err == nil {
			a.bar = nil
			a.refetch()
		}
	case "tab":
		b.take()
	case "up":
		b.choose(-1)
	case "down":
		b.choose(1)
	default:
		b.edit(m)
	}
}

func (b *bar) edit(m tea.Msg) {
	b.input, _ = b.input.Update(m)
	b.offer()
}

// offer looks for what the query may go on with, and what is wrong with it.
func (b *bar) offer() {
	b.chosen = 0
	b.offered = b.of.complete(b.input.Value(), b.cursor())
	b.err = b.of.check(b.input.Value())
}

// cursor returns at which byte of the query it is.
func (b *bar) cursor() int {
	runes := []rune(b.input.Value())
	return len(string(runes[:min(b.input.Position(), len(runes))]))
}

func (b *bar) choose(by int) {
	if n := len(b.offered); n > 0 {
		b.chosen = (b.chosen + by + n) % n
	}
}

// take puts the suggestion that is chosen into the query.
func (b *bar) take() {
	if b.chosen >= len(b.offered) {
		return
	}
	s, text := b.offered[b.chosen], b.input.Value()
	before := text[:s.From] + s.Text
	b.input.SetValue(before + text[s.To:])
	b.input.SetCursor(len([]rune(before)))
	b.offer()
}

// drawAbove draws the suggestions, on at most h lines.
func (b *bar) drawAbove(a *app, h int) []string {
	most := min(mostOffered, h)
	first := max(b.chosen-most+1, 0)
	var lines []string
	wide := 0
	for _, s := range b.offered {
		wide = max(wide, plain.Width(s.Text))
	}
	for i := first; i < len(b.offered) && len(lines) < most; i++ {
		s := b.offered[i]
		text, help := " "+pad(plain.Name(s.Text), min(wide, a.width/2))+"  ", plain.Name(s.Help)
		if i == b.chosen {
			lines = append(lines, a.theme.chosen.Render(pad(text+help, a.width)))
			continue
		}
		lines = append(lines, pad(a.theme.accent.Render(text)+a.theme.dim.Render(help), a.width))
	}
	return lines
}

// draw draws the query and, below it, what is wrong with it or which keys there are.
func (b *bar) draw(a *app) []string {
	b.input.SetWidth(max(a.width-4, 1))
	below := a.theme.strong.Render(" Enter") + a.theme.dim.Render(" applies  ") + a.theme.strong.Render("Tab") + a.theme.dim.Render(" completes  ") +
		a.theme.strong.Render("Esc") + a.theme.dim.Render(" leaves it  ") + a.theme.dim.Render("e.g. "+b.example())
	if b.err != nil {
		below = " " + b.fault(a)
	}
	return []string{" " + b.input.View(), below}
}

// fault draws an error, beginning below what is wrong if there is room.
func (b *bar) fault(a *app) string {
	text, at := plain.Name(b.err.Error()), 0
	if e, ok := errors.AsType[*query.Error](b.err); ok {
		text = plain.Name(e.Reason)
		if e.Hint != "" {
			text += "; " + plain.Name(e.Hint)
		}
		at = 2 + plain.Width(e.Text[:min(e.Pos, len(e.Text))])
	}
	text = "▲ " + text
	at = max(min(at, a.width-2-plain.Width(text)), 0)
	return strings.Repeat(" ", at) + a.theme.bad.Render(text)
}

func (b *bar) example() string {
	for _, f := range b.of.fields() {
		if f.Example != "" {
			return f.Example
		}
	}
	return ""
}

// A filter is the [narrowing] of a list of one kind of things.
type filter[T any] struct {
	language *query.Language[T]
	query    query.Query[T]
	written  string
	changed  func()                     // nil: nobody wants to know
	known    func() map[string][]string // values that fields have; nil: that is not known
}

func (f *filter[T]) text() string              { return f.written }
func (f *filter[T]) things() string            { return f.language.Things() }
func (f *filter[T]) fields() []query.FieldInfo { return f.language.Fields() }

func (f *filter[T]) complete(text string, cursor int) []query.Suggestion {
	l := f.language
	if f.known != nil {
		for field, values := range f.known() {
			l = l.Knowing(field, values)
		}
	}
	return query.Complete(l, text, cursor)
}

// compacted returns values sorted, each once.
func compacted(values map[string][]string) map[string][]string {
	for field := range values {
		slices.Sort(values[field])
		values[field] = slices.Compact(values[field])
	}
	return values
}

func (f *filter[T]) check(text string) error {
	_, err := f.language.Parse(text)
	return err
}

func (f *filter[T]) set(text string) error {
	text = strings.TrimSpace(text)
	q, err := f.language.Parse(text)
	if err != nil {
		return err
	}
	f.query, f.written = q, text
	if f.changed != nil {
		f.changed()
	}
	return nil
}
