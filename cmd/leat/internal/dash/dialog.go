package dash

import (
	"fmt"
	"strconv"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/internal/plain"
)

// A dialog asks whether something is meant.
type dialog struct {
	title string
	lines []string // what would be done, and to how many
	word  string   // what must be typed; "": y is enough
	input textinput.Model
	yes   func()

	options []option                // what is chosen from, if anything
	check   func(text string) error // of a text that may be anything that this accepts
	fault   error                   // what it last said
	take    func(text string)
}

// An option is one of those that a dialog lets choose from.
type option struct {
	text string
	do   func()
}

// plenty is from how many tasks on the number must be typed.
const plenty = 1000

// confirm asks before something is done that cannot be undone: what says what, word what
// must be typed so that nobody does it by mistake, if that is not "".
func (a *app) confirm(title string, lines []string, word string, yes func()) {
	d := a.newDialog(title, lines)
	d.word, d.yes = word, yes
}

// prompt asks for a text that check accepts, and gives it to take.
func (a *app) prompt(title string, lines []string, initial string, check func(string) error, take func(string)) {
	d := a.newDialog(title, lines)
	d.check, d.take = check, take
	d.input.SetValue(initial)
	d.input.CursorEnd()
}

// choose lets one of several things be done, each of which is something that the user wants.
func (a *app) choose(title string, options []option) {
	a.newDialog(title, nil).options = options
}

func (a *app) newDialog(title string, lines []string) *dialog {
	a.dialog = &dialog{title: title, lines: lines, input: textinput.New()}
	a.dialog.input.Prompt = "› "
	a.dialog.input.CharLimit = 10_000
	a.dialog.input.SetStyles(inputStyles(a))
	a.dialog.input.Focus()
	return a.dialog
}

// wordFor returns what must be typed before something is done to n tasks.
func wordFor(n int) string {
	if n <= plenty {
		return ""
	}
	return fmt.Sprint(n)
}

func (d *dialog) press(a *app, m tea.KeyPressMsg) {
	key := m.String()
	switch {
	case key == "esc":
		a.dialog = nil
	case d.options != nil:
		d.pick(a, key)
	case d.take != nil:
		d.write(a, m)
	case d.word == "" && (key == "y" || key == "Y"), d.word != "" && key == "enter" && d.isTyped():
		a.dialog = nil
		d.yes()
	case d.word == "" && (key == "n" || key == "q" || key == "N"):
		a.dialog = nil
	case d.word != "":
		d.input, _ = d.input.Update(m)
	}
}

// isTyped reports whether what must be typed is, as it is or as it is shown: a stranger's
// name may have what no key gives.
func (d *dialog) isTyped() bool {
	typed := d.input.Value()
	return typed == d.word || typed == plain.Name(d.word)
}

// pick takes the number of an option.
func (d *dialog) pick(a *app, key string) {
	for i, o := range d.options {
		if key == strconv.Itoa(i+1) {
			a.dialog = nil
			o.do()
			return
		}
	}
}

// write takes a key of the text that is asked for.
func (d *dialog) write(a *app, m tea.KeyPressMsg) {
	if m.String() != "enter" {
		d.input, _ = d.input.Update(m)
		d.fault = nil
		return
	}
	if d.fault = d.check(d.input.Value()); d.fault == nil {
		a.dialog = nil
		d.take(d.input.Value())
	}
}

func (d *dialog) draw(a *app) []string {
	w := min(max(a.width-8, 20), 76)
	var lines []string
	for _, line := range d.lines {
		lines = append(lines, prose(plain.Name(line), w-4)...)
	}
	most := max(a.bodyHeight()-6, 1)
	if len(lines) > most {
		lines = append(lines[:most-1], "…")
	}
	return boxed(a.theme, plain.Name(d.title), append(append(lines, ""), d.answers(a.theme, w)...), w)
}

// answers draws what can be answered.
func (d *dialog) answers(t theme, w int) (lines []string) {
	d.input.SetWidth(w - 8)
	switch {
	case d.options != nil:
		for i, o := range d.options {
			lines = append(lines, t.strong.Render(strconv.Itoa(i+1))+" "+plain.Name(o.text))
		}
		return append(lines, "", t.strong.Render("Esc")+" leaves everything as it is")
	case d.take != nil:
		below := t.strong.Render("Enter") + " goes on, " + t.strong.Render("Esc") + " leaves everything as it is"
		if d.fault != nil {
			below = t.bad.Render("▲ " + plain.Cut(fault(d.fault), w-6))
		}
		return []string{d.input.View(), "", below}
	case d.word == "":
		return []string{t.strong.Render("y") + " yes   " + t.strong.Render("n") + " no"}
	}
	return append(prose("Type "+plain.Name(d.word)+" and Enter to go on; Esc leaves everything as it is.", w-4), d.input.View())
}
