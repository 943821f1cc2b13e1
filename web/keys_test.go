package web_test

import (
	"testing"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

func TestKeysLeadToEachPage(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Root: "/leat"})
	p := s.look("/leat/", browsertest.Options{})
	for keys, path := range map[string]string{
		"g e": "/leat/settings", "g o": "/leat/", "?": "/leat/help",
	} {
		p.Leave(keys, func() {
			for _, key := range keys {
				if key != ' ' {
					p.Press(string(key))
				}
			}
		})
		p.WaitAddress(path)
	}
}

func TestKeysGoThroughATable(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	for _, queue := range []string{"a", "b", "c"} {
		s.enqueue("t", "", task.Queue(queue))
	}
	p := s.look("/", browsertest.Options{})
	p.WaitFor("main", "a", "b", "c")
	at := func(want string) {
		t.Helper()
		p.WaitFor("tr.at td", want)
		p.WaitCount("tr.at", 1)
	}
	p.Press("j")
	at("a")
	p.Press("j", "j", "j")
	at("c")
	p.Press("k")
	at("b")
	s.enqueue("t", "", task.Queue("aa"))
	p.WaitFor("main", "aa")
	at("b") // what comes above does not move it
	p.Press("/")
	p.Wait("the search to have the focus", `() => document.activeElement.type === 'search'`)
	p.Press("j")
	if got := p.Value("input[type=search]", "value"); got != "j" {
		t.Errorf("the search has %q, want what was typed into it", got)
	}
	p.Press("Escape", "j")
	at("c")
}
