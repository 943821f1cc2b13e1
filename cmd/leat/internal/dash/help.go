package dash

import (
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/plain"
)

// A help tells of the keys of a screen, and of the queries that its list takes.
type help struct {
	app *app
	of  screen
	scroll
}

func newHelp(a *app, of screen) *help { return &help{app: a, of: of} }

func (h *help) title() string       { return "Help" }
func (h *help) ask() ask            { return nil }
func (h *help) bindings() []binding { return h.moves() }

func (h *help) draw(w, height int) []string {
	t := h.app.theme
	lines := []string{t.heading.Render(" " + plain.Name(h.of.title()))}
	lines = append(lines, bindingLines(t, h.of.bindings())...)
	lines = append(lines, "", t.heading.Render(" Everywhere"))
	lines = append(lines, bindingLines(t, h.app.everywhere())...)
	lines = append(lines, "", t.heading.Render(" Mouse"),
		"  a click chooses a tab or a row, another one opens it; the wheel scrolls")
	if s, ok := h.of.(searchable); ok {
		lines = append(lines, fieldLines(t, s.narrowing(), w)...)
	}
	return h.window(lines, height)
}

// bindingLines tells of bindings; of a key that is bound twice, of the first.
func bindingLines(t theme, bindings []binding) (lines []string) {
	told := map[string]bool{}
	for _, b := range bindings {
		b.keys = slices.DeleteFunc(slices.Clone(b.keys), func(k string) bool { return told[k] })
		if len(b.keys) == 0 {
			continue
		}
		for _, k := range b.keys {
			told[k] = true
		}
		lines = append(lines, "  "+t.strong.Render(pad(b.label(), 18))+" "+b.help)
	}
	return lines
}

// fieldLines tells how a list is narrowed.
func fieldLines(t theme, n narrowing, w int) []string {
	lines := []string{"", t.heading.Render(" Queries for " + n.things()), ""}
	for _, line := range prose("Terms separated by spaces, all of which must hold. field:value is it exactly, with * for any text; "+
		"field~text contains it; < > <= >= compare; a,b is either; - in front of a term is its opposite; a word alone is searched for in names, types and errors.", w-4) {
		lines = append(lines, "  "+line)
	}
	lines = append(lines, "")
	for _, f := range n.fields() {
		lines = append(lines, "  "+t.strong.Render(pad(f.Name, 14))+" "+pad(f.Help, max(w-50, 20))+" "+t.dim.Render(f.Example))
	}
	return lines
}

// A scroll is which part of a text is shown.
type scroll struct {
	top, most, height int
}

// window returns the part of lines that is shown on h lines.
func (s *scroll) window(lines []string, h int) []string {
	s.height, s.most = h, max(len(lines)-h, 0)
	s.top = min(max(s.top, 0), s.most)
	return lines[s.top:min(s.top+h, len(lines))]
}

func (s *scroll) by(n int) { s.top = min(max(s.top+n, 0), s.most) }

func (s *scroll) moves() []binding {
	return []binding{
		on("up k", "up", "", func() { s.by(-1) }),
		on("down j", "down", "scroll", func() { s.by(1) }),
		on("pgup ctrl+b", "a page up", "", func() { s.by(1 - s.height) }),
		on("pgdown ctrl+f space", "a page down", "", func() { s.by(s.height - 1) }),
		on("g home", "to the beginning", "", func() { s.top = 0 }),
		on("G end", "to the end", "", func() { s.top = s.most }),
	}
}

func (s *scroll) click(int, int) {}
func (s *scroll) wheel(by int)   { s.by(by) }

// indented returns lines with spaces in front.
func indented(n int, lines []string) []string {
	for i := range lines {
		lines[i] = strings.Repeat(" ", n) + lines[i]
	}
	return lines
}
