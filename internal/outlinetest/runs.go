package outlinetest

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/internal/view"
)

var began = time.Date(2026, 11, 30, 13, 0, 0, 0, time.UTC)

// Now is the time of the runs that go on.
var Now = at(60)

// at returns a time so many seconds after the beginning.
func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

func item(i int) *int { return &i }

func wait(name string, after ...string) view.Step {
	return view.Step{Name: name, Kind: "step", State: "waiting", After: after, Runs: name, Width: 1}
}

// done returns a step that was ready, began and ended at some seconds.
func done(name string, ready, start, end float64, after ...string) view.Step {
	s := wait(name, after...)
	s.State, s.ReadyAt, s.StartedAt, s.EndedAt, s.Tries = "done", at(ready), at(start), at(end), 1
	return s
}

func running(name string, ready, start float64, after ...string) view.Step {
	s := wait(name, after...)
	s.State, s.ReadyAt, s.StartedAt, s.TaskState = "running", at(ready), at(start), "active"
	return s
}

func ended(name, state string, s view.Step) view.Step {
	s.Name, s.State = name, state
	return s
}

func run(state string, steps ...view.Step) view.Run {
	r := view.Run{ID: "r", Workflow: "order", State: state, StartedAt: began, Steps: steps}
	if state != "running" && state != "paused" {
		r.EndedAt = Now
	}
	return r
}

func mapped(s view.Step, width, ended, failed int) view.Step {
	s.Kind, s.Width, s.Ended, s.Failed, s.StartedAt, s.TaskState = "map", width, ended, failed, time.Time{}, ""
	return s
}

func chosen(s view.Step, arm string) view.Step {
	s.Kind, s.Arm, s.StartedAt = "choice", arm, time.Time{}
	return s
}

func on(choice, arm string, s view.Step) view.Step {
	s.Choice, s.Case, s.After = choice, arm, append(s.After, choice)
	return s
}

// order is a run with about everything.
func order() view.Run {
	retried := running("email:receipt", 20, 55, "charge")
	retried.StartedAt = time.Time{}
	retried.TaskState, retried.Problem = "retry", "mail: no route to host"
	retried.Attempts = []view.Attempt{{StartedAt: at(22), EndedAt: at(24)}, {StartedAt: at(40), EndedAt: at(41)}}
	approval := view.Step{Name: "await:approve", Kind: "await", State: "running", After: []string{"charge"}, Signal: "approve", ReadyAt: at(20), StartedAt: at(20)}
	return run("running",
		done("reserve", 0, 1, 4), done("price", 0, 0.5, 2),
		chosen(done("dear", 4, 4, 4, "reserve", "price"), "yes"),
		on("dear", "yes", done("check", 4, 8, 15, "price")),
		on("dear", "no", ended("trust", "skipped", wait("", "price"))),
		done("charge", 15, 17, 20, "dear", "check", "trust"),
		mapped(running("resize", 20, 20, "charge"), 312, 40, 2),
		approval, retried,
		wait("pack", "resize", "await:approve"), wait("ship", "pack", "email:receipt"))
}

func parcel(i int, state string, from, to float64) view.Run {
	r := view.Run{
		ID: fmt.Sprintf("r~t~parcels~%d", i), Workflow: "parcel", State: state, StartedAt: at(from), EndedAt: at(to), Step: "parcels", Item: item(i),
		Steps: []view.Step{done("wrap", from, from+1, from+5), done("label", from+5, from+6, to, "wrap")},
	}
	if state == "running" {
		r.EndedAt, r.Steps[1] = time.Time{}, running("label", from+5, from+6, "wrap")
	}
	return r
}

func nested() view.Run {
	ship := running("ship", 5, 5, "pack")
	ship.Workflow, ship.Child, ship.StartedAt, ship.TaskState = true, "r~t~ship", time.Time{}, ""
	parcels := mapped(running("parcels", 5, 5, "pack"), 3, 2, 0)
	parcels.Workflow = true
	r := run("running", done("pack", 0, 1, 5), parcels, ship, wait("close", "parcels", "ship"))
	child := view.Run{
		ID: "r~t~ship", Workflow: "shipping", State: "running", StartedAt: at(6), Step: "ship",
		Steps: []view.Step{done("book", 6, 7, 20), running("collect", 20, 31, "book"), wait("deliver", "collect")},
	}
	r.Children = []view.Run{parcel(0, "done", 6, 20), parcel(1, "done", 7, 33), parcel(2, "running", 9, 0), child}
	return r
}

func failed() view.Run {
	bad := ended("charge", "failed", done("", 4, 20, 30, "reserve"))
	bad.Tries, bad.Error = 3, "card was declined"
	return run("failed", done("reserve", 0, 1, 4), bad, ended("insure", "skipped", wait("", "reserve")),
		ended("resize", "cancelled", done("", 4, 6, 30, "reserve")), wait("ship", "charge", "insure", "resize"))
}

func paused() view.Run {
	return run("paused", done("a", 0, 0, 10), running("b", 10, 12, "a"), wait("c", "a"), wait("d", "b", "c"))
}

// night is a run that slept for hours.
func night() view.Run {
	sleep := view.Step{Name: "sleep", Kind: "sleep", State: "done", After: []string{"collect"}, ReadyAt: at(30), StartedAt: at(30), EndedAt: at(6 * 3600)}
	r := run("done", done("collect", 0, 2, 30), sleep, done("send", 6*3600, 6*3600+1, 6*3600+40, "sleep"))
	r.EndedAt = at(6*3600 + 41)
	return r
}

// large is a run of 500 steps: shards that are loaded and checked each, in ten stages.
func large() view.Run {
	r := run("running")
	before := ""
	for stage := range 10 {
		var checked []string
		for shard := range 24 {
			load, check := fmt.Sprintf("load%d-%02d", stage, shard), fmt.Sprintf("check%d-%02d", stage, shard)
			l, c := wait(load), wait(check, load)
			if before != "" {
				l.After = []string{before}
			}
			from := float64(6 * stage)
			if stage < 4 || stage == 4 && shard < 10 {
				l, c = done(load, from, from+1, from+3, l.After...), done(check, from+3, from+4, from+5, load)
			}
			l.Runs, c.Runs = "load", "check"
			r.Steps = append(r.Steps, l, c)
			checked = append(checked, check)
		}
		report := fmt.Sprintf("report%d", stage)
		r.Steps = append(r.Steps, wait(report, checked...))
		if stage < 4 {
			r.Steps[len(r.Steps)-1] = done(report, float64(6*stage+5), float64(6*stage+5), float64(6*stage+6), checked...)
		}
		before = report
		for i := range 1 {
			mail := wait(fmt.Sprintf("mail%d-%d", stage, i), report)
			mail.Runs = "mail"
			r.Steps = append(r.Steps, mail)
		}
	}
	return r
}

// adding is a run of which two steps have added others.
func adding() view.Run {
	add := func(to view.Step, i int, s view.Step) view.Step {
		s.Name, s.AddedBy, s.After = fmt.Sprintf("%s~+%d", to.Name, i), to.Name, []string{to.Name}
		to.Added = append(to.Added, s)
		return to
	}
	plan := add(add(done("plan", 0, 1, 4), 0, done("fetch", 4, 5, 21)), 1, running("unpack", 4, 7))
	split := done("split", 0, 0, 6)
	for i := range 7 {
		split = add(split, i, done("shard", 6, float64(8+i), float64(20+3*i)))
	}
	split.Added[3].State = "failed"
	return run("running", plan, split, wait("join", "plan", "split"))
}

// Runs returns runs by their names. Whatever draws runs draws them, too.
func Runs() map[string]view.Run {
	return map[string]view.Run{
		"chain":   run("running", done("fetch", 0, 0, 10), running("parse", 10, 12, "fetch"), wait("store", "parse")),
		"diamond": run("done", done("a", 0, 0, 10), done("b", 10, 12, 40, "a"), done("c", 10, 11, 20, "a"), done("d", 40, 41, 60, "b", "c")),
		"order":   order(), "wide": run("running", done("list", 0, 0, 2), mapped(running("resize", 2, 2, "list"), 312, 40, 0), wait("publish", "resize")),
		"nested": nested(), "failed": failed(), "paused": paused(), "night": night(), "large": large(), "adding": adding(),
	}
}
