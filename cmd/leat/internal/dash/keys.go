package dash

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A binding is what a key does. Letters in upper case do what cannot be undone.
type binding struct {
	keys  []string // each as [tea.KeyPressMsg.String] has it
	help  string   // what it does, for the help
	brief string   // the same in a word or two, for the line at the bottom; "": not there
	do    func()
}

// on returns a binding of keys that are separated by spaces.
func on(keys, help, brief string, do func()) binding {
	return binding{keys: strings.Fields(keys), help: help, brief: brief, do: do}
}

// shownKeys are keys that are written otherwise than they are called.
func shownKey(key string) string {
	switch key {
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "left":
		return "←"
	case "right":
		return "→"
	case "enter":
		return "Enter"
	case "esc":
		return "Esc"
	case "space":
		return "Space"
	case "tab":
		return "Tab"
	case "pgup":
		return "PgUp"
	case "pgdown":
		return "PgDn"
	case "home":
		return "Home"
	case "end":
		return "End"
	}
	if rest, ok := strings.CutPrefix(key, "ctrl+"); ok {
		return "Ctrl+" + strings.ToUpper(rest)
	}
	if rest, ok := strings.CutPrefix(key, "shift+"); ok {
		return "Shift+" + shownKey(rest)
	}
	return key
}

// label returns the keys of b as they are written.
func (b binding) label() string {
	var keys []string
	for _, k := range b.keys {
		keys = append(keys, shownKey(k))
	}
	return strings.Join(keys, " ")
}

// press does what one of bindings has for a key, and reports whether there was one.
func press(bindings []binding, key string) bool {
	for _, b := range bindings {
		if slices.Contains(b.keys, key) {
			b.do()
			return true
		}
	}
	return false
}

// everywhere returns the keys that work on all screens.
func (a *app) everywhere() []binding {
	b := []binding{
		on("?", "this help", "", func() { a.push(newHelp(a, a.top().screen)) }),
		on("esc", "back; stops what is being done or clears the query first", "", a.back),
		on("q", "back, or quit", map[bool]string{false: "quit", true: "back"}[len(a.tabs[a.tab].pages) > 1], a.close),
		on("ctrl+c", "quit", "", a.quit),
		on("tab", "next tab", "", func() { a.show((a.tab + 1) % len(a.tabs)) }),
		on("shift+tab", "previous tab", "", func() { a.show((a.tab + len(a.tabs) - 1) % len(a.tabs)) }),
		on("r", "ask the storage now", "", func() { a.refetch() }),
		on("p", "stop asking, or go on", "", func() { a.halted = !a.halted }),
		on("ctrl+l", "draw everything anew", "", func() { a.later(func() tea.Msg { return tea.ClearScreen() }) }),
	}
	if s, ok := a.top().screen.(searchable); ok {
		b = append(b, on("/", "narrow the list by a query", "query", func() { a.bar = newBar(a, s.narrowing()) }))
	}
	for i, t := range a.tabs {
		b = append(b, on(t.key(i), t.name, "", func() { a.show(i) }))
	}
	return b
}
