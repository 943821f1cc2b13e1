package dash

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/leatwork/leat/internal/plain"
)

// The lines of the frame: the storage, the tabs and the path at the top; what is going on
// and the keys at the bottom.
const (
	tabLine   = 1
	headLines = 3
	footLines = 2

	minWidth, minHeight = 60, 16
)

func (a *app) isTooSmall() bool { return a.width < minWidth || a.height < minHeight }

func (a *app) bodyHeight() int { return max(a.height-headLines-footLines, 0) }

// View implements [tea.Model].
func (a *app) View() tea.View {
	v := tea.NewView(strings.Join(a.lines(), "\n"))
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = "leat " + plain.Name(a.Address)
	return v
}

// lines draws everything: exactly as many lines as the terminal has, each exactly as wide.
func (a *app) lines() []string {
	if a.width <= 0 || a.height <= 0 {
		return nil
	}
	var lines []string
	if a.isTooSmall() {
		lines = wrap(fmt.Sprintf("The terminal is too small (%d×%d); this needs 80×24.", a.width, a.height), a.width)
	} else {
		lines = append([]string{a.head(), a.tabBar(), a.path()}, a.body()...)
		lines = append(lines, a.foot()...)
	}
	for len(lines) < a.height {
		lines = append(lines, "")
	}
	lines = lines[:a.height]
	for i := range lines {
		lines[i] = pad(lines[i], a.width)
	}
	return lines
}

// body draws the screen, and what is over it.
func (a *app) body() []string {
	h := a.bodyHeight()
	lines := a.top().draw(a.width, h)
	for len(lines) < h {
		lines = append(lines, "")
	}
	lines = lines[:h]
	switch {
	case a.dialog != nil:
		return overlay(lines, a.dialog.draw(a), a.width)
	case a.bar != nil:
		above := a.bar.drawAbove(a, h)
		copy(lines[h-len(above):], above)
	}
	return lines
}

// head draws what the storage is and how old what is shown is.
func (a *app) head() string {
	left := " " + a.theme.bar.Render("leat") + " " + plain.Name(a.Address)
	right := strings.Join([]string{a.waiting(), a.freshness(), a.theme.dim.Render(a.now().Local().Format("15:04:05")), ""}, " ")
	return ends(left, right, a.width)
}

const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

// waiting draws that an answer has not come for a while.
func (a *app) waiting() string {
	f := a.top().flight
	if f == nil || a.now().Sub(f.began) < unseen {
		return " "
	}
	frames := []rune(spinner)
	return a.theme.accent.Render(string(frames[int(a.now().UnixMilli()/beat.Milliseconds())%len(frames)]))
}

// freshness draws how old what is shown is.
func (a *app) freshness() string {
	s := a.top().state
	if s.at.IsZero() {
		return ""
	}
	old := a.now().Sub(s.at)
	text := age(old) + " old"
	if a.halted {
		text = "halted, " + text
	}
	text = strings.Repeat(" ", max(7-plain.Width(text), 0)) + text
	switch {
	case old >= 10*a.Refresh && old >= 10*time.Second:
		return a.theme.bad.Render(text)
	case old >= 3*a.Refresh || a.halted:
		return a.theme.warn.Render(text)
	}
	return a.theme.dim.Render(text)
}

// tabLabel is what is written for a tab.
func (a *app) tabLabel(i int) string {
	label := a.tabs[i].key(i) + " " + a.tabs[i].name
	if i == a.tab {
		return "[" + label + "]"
	}
	return " " + label + " "
}

func (a *app) tabBar() string {
	var b strings.Builder
	for i := range a.tabs {
		style := a.theme.tab
		if i == a.tab {
			style = a.theme.tabShown
		}
		b.WriteString(style.Render(a.tabLabel(i)))
	}
	return ends(b.String(), a.theme.dim.Render("? help "), a.width)
}

func (a *app) clickTab(x int) {
	for i := range a.tabs {
		n := ansi.StringWidth(a.tabLabel(i))
		if x < n {
			a.show(i)
			return
		}
		x -= n
	}
}

// path draws where one is, and the query.
func (a *app) path() string {
	var titles []string
	for _, p := range a.tabs[a.tab].pages {
		titles = append(titles, plain.Name(p.title()))
	}
	last := len(titles) - 1
	left := " "
	if last > 0 {
		left += a.theme.dim.Render(strings.Join(titles[:last], " › ") + " › ")
	}
	left += a.theme.strong.Render(titles[last])
	right := ""
	if s, ok := a.top().screen.(searchable); ok {
		if text := s.narrowing().text(); text != "" {
			right = a.theme.accent.Render(plain.Cut("/ "+plain.Name(text), a.width/2)) + " "
		}
	}
	return ends(left, right, a.width)
}

// foot draws the two lines at the bottom.
func (a *app) foot() []string {
	if a.bar != nil {
		return a.bar.draw(a)
	}
	return []string{a.status(), a.keyLine()}
}

// status draws what is going on: an error, what is being done, or what came of it.
func (a *app) status() string {
	switch err := a.top().state.err; {
	case a.deed != nil:
		return " " + a.deed.draw(a)
	case a.notice.text != "":
		return " " + a.notice.draw(a)
	case err != nil:
		return " " + a.theme.bad.Render("✗ "+fault(err))
	}
	return a.theme.dim.Render(strings.Repeat("─", a.width))
}

// keyLine draws as many of the keys as there is room for.
func (a *app) keyLine() string {
	line := ""
	for _, b := range a.keysInOrder() {
		next := " " + a.theme.strong.Render(shownKey(b.keys[0])) + " " + a.theme.dim.Render(b.brief) + " "
		if ansi.StringWidth(line)+ansi.StringWidth(next) > a.width {
			break
		}
		line += next
	}
	return line
}

// keysInOrder returns the bindings that are told at the bottom: those that change something
// after those that do not, and those that work everywhere last.
func (a *app) keysInOrder() []binding {
	var looks, changes, rest []binding
	for _, b := range a.top().bindings() {
		switch key := b.keys[0]; {
		case b.brief == "":
		case len(key) == 1 && key != strings.ToLower(key):
			changes = append(changes, b)
		default:
			looks = append(looks, b)
		}
	}
	for _, b := range a.everywhere() {
		switch {
		case b.brief == "":
		case b.keys[0] == "/":
			looks = append(looks, b)
		default:
			rest = append(rest, b)
		}
	}
	return slices.Concat(looks, changes, rest)
}

// overlay lays a box over the middle of lines that are w cells wide.
func overlay(lines, box []string, w int) []string {
	if len(box) == 0 || len(lines) < len(box) {
		return box
	}
	wide := ansi.StringWidth(box[0])
	x, y := max((w-wide)/2, 0), (len(lines)-len(box))/2
	for i, line := range box {
		under := pad(lines[y+i], w)
		lines[y+i] = ansi.Truncate(under, x, "") + line + ansi.TruncateLeft(under, x+wide, "")
	}
	return lines
}

// boxed draws lines in a frame with a title.
func boxed(t theme, title string, lines []string, w int) []string {
	inner := max(w-4, 1)
	title = plain.Cut(title, inner-2)
	box := []string{t.dim.Render("╭─ ") + t.strong.Render(title) + t.dim.Render(" "+strings.Repeat("─", max(w-5-plain.Width(title), 0))+"╮")}
	for _, line := range lines {
		box = append(box, t.dim.Render("│ ")+pad(line, inner)+t.dim.Render(" │"))
	}
	return append(box, t.dim.Render("╰"+strings.Repeat("─", max(w-2, 0))+"╯"))
}
