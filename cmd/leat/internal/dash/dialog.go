package dash

import (
	"fmt"

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
}

// plenty is from how many tasks on the number must be typed.
const plenty = 1000

// confirm asks before something is done that cannot be undone: what says what, word what
// must be typed so that nobody does it by mistake, if that is not "".
func (a *app) confirm(title string, lines []string, word string, yes func()) {
	d := &dialog{title: title, lines: lines, word: word, yes: yes, input: textinput.New()}
	d.input.Prompt = "› "
	d.input.SetStyles(inputStyles(a))
	d.input.Focus()
	a.dialog = d
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
	case d.word == "" && (key == "y" || key == "Y"), d.word != "" && key == "enter" && d.input.Value() == d.word:
		a.dialog = nil
		d.yes()
	case d.word == "" && (key == "n" || key == "q" || key == "N"):
		a.dialog = nil
	case d.word != "":
		d.input, _ = d.input.Update(m)
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
	lines = append(lines, "")
	if d.word == "" {
		lines = append(lines, a.theme.strong.Render("y")+" yes   "+a.theme.strong.Render("n")+" no")
	} else {
		d.input.SetWidth(w - 8)
		lines = append(lines, "Type "+a.theme.strong.Render(plain.Name(d.word))+" and Enter to go on; Esc leaves everything as it is.", d.input.View())
	}
	return boxed(a.theme, plain.Name(d.title), lines, w)
}
