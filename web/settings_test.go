package web_test

import (
	"testing"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/web"
)

const ground = `() => getComputedStyle(document.body).backgroundColor`

func TestAThemeIsKept(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	p := s.look("/", browsertest.Options{})
	light := browsertest.Eval[string](p, ground)
	for _, script := range []bool{true, false} {
		p := s.look("/settings", browsertest.Options{NoScript: !script})
		p.Select("#theme", "dark")
		p.Follow("main button")
		p.WaitFor("[role=status]", "saved")
		p.Open("/")
		if dark := browsertest.Eval[string](p, ground); dark == light {
			t.Errorf("with script %v the ground is %s in both themes", script, dark)
		}
	}
	p = s.look("/", browsertest.Options{Dark: true})
	if dark := browsertest.Eval[string](p, ground); dark == light {
		t.Errorf("the ground is %s for who prefers the dark scheme", dark)
	}
}

func TestTablesAreAsDenseAsSomebodyWants(t *testing.T) {
	const height = `() => document.querySelector('tbody tr').getBoundingClientRect().height`
	s := serve(t, onSQLite(t), web.Config{})
	s.enqueue("a", "{}")
	for _, script := range []bool{true, false} {
		p := s.look("/tasks", browsertest.Options{NoScript: !script})
		roomy := browsertest.Eval[float64](p, height)
		p.Open("/settings")
		p.Select("#density", "compact")
		p.Follow("main button")
		p.Open("/tasks")
		if dense := browsertest.Eval[float64](p, height); dense >= roomy {
			t.Errorf("with script %v a row is %v high that was %v", script, dense, roomy)
		}
		p.Fits()
		if script {
			p.Axe()
		}
	}
}

func TestTimesAreInTheZoneOfWhoLooks(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	p := s.look("/settings", browsertest.Options{})
	p.Type("#zone", "Asia/Tokyo")
	p.Follow("main button")
	p.WaitFor("[role=status]", "saved")
	p.Open("/settings")
	p.Wait("a time of Tokyo", `() => {
		const t = document.querySelector('time')
		return t.title.includes('GMT+9') && !t.title.startsWith(t.dateTime.slice(0, 13).replace('T', ' '))
	}`)
	p.Type("#zone", "Moon/Crater")
	p.Follow("main button")
	p.WaitFor("[role=status]", "Moon/Crater is not known here")
}

func TestWhoWantsNothingLiveHasNothingLive(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	p := s.look("/settings", browsertest.Options{})
	p.Select("#refresh", "off")
	p.Follow("main button")
	p.Open("/")
	s.enqueue("t", "")
	p.WaitFor("#age", "as of")
	for _, asked := range p.Requests() {
		if len(asked) > 0 && asked == "GET "+s.server.URL+"/live?page=%2F" {
			t.Error("the page follows what comes")
		}
	}
}
