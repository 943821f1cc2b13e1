package output

import "github.com/charmbracelet/x/ansi"

// stateStyle returns what a word for a state looks like, of a task, queue, run or server.
func stateStyle(word string) (ansi.Style, bool) {
	var s ansi.Style
	switch word {
	case "active", "running", "run":
		return s.ForegroundColor(ansi.Green), true
	case "pending":
		return s.ForegroundColor(ansi.Blue), true
	case "scheduled", "aggregating", "waiting":
		return s.ForegroundColor(ansi.Cyan), true
	case "retry", "paused", "late", "stopped", "closing", "undoing":
		return s.ForegroundColor(ansi.Yellow), true
	case "archived", "failed", "stuck", "cancelled", "timed out":
		return s.ForegroundColor(ansi.Red), true
	case "completed", "done", "skipped":
		return s.Faint(), true
	}
	return s, false
}

// State returns the word for a state in its colour, if p has colours. It is the same
// width as the word.
func State(p *Printer, word string) string { return Like(p, word, word) }

// Like returns text in the colour of the word for a state, if p has colours.
func Like(p *Printer, word, text string) string {
	if style, ok := stateStyle(word); ok && p.Color {
		return style.Styled(text)
	}
	return text
}

// Heading returns text as headings look, if p has colours.
func Heading(p *Printer, text string) string {
	if !p.Color || text == "" {
		return text
	}
	return ansi.Style{}.Bold().Styled(text)
}

// Faint returns text that matters less, if p has colours.
func Faint(p *Printer, text string) string {
	if !p.Color || text == "" {
		return text
	}
	return ansi.Style{}.Faint().Styled(text)
}
