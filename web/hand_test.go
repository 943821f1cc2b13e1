package web_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

// A hand does deeds on a page, as one does with script or without.
type hand struct {
	*browsertest.Page
	script bool
}

// withAndWithoutScript runs a test for either, on a dashboard of an empty storage of each kind.
func withAndWithoutScript(t *testing.T, test func(s *site, look func(path string) hand)) {
	t.Helper()
	onEach(t, func(t *testing.T, b broker.Broker) {
		for _, script := range []bool{true, false} {
			t.Run(fmt.Sprintf("script=%v", script), func(t *testing.T) {
				s := serve(t, b, web.Config{Refresh: quick})
				test(s, func(path string) hand {
					return hand{s.look(path, browsertest.Options{NoScript: !script}), script}
				})
			})
		}
	})
}

// offer finds what offers a deed: a link to its form, or a button that does it.
func offer(kind, name string) string {
	path := "/deed/" + kind + "/" + name
	return fmt.Sprintf(`main a[href*="%[1]s"], main form[action$="%[1]s"] button, main button[formaction$="%[1]s"]`, path)
}

// form finds where a deed is asked for.
const form = "form#deed"

// begin asks for a deed. If it has a form, that is there then.
func (h hand) begin(kind, name string) {
	if h.script {
		h.Click(offer(kind, name))
		h.Wait("a form or what came of it", `() => !!document.querySelector('dialog form#deed, .toast')`)
		return
	}
	h.Follow(offer(kind, name))
}

// send sends the form of a deed.
func (h hand) send() {
	const button = form + " button"
	if h.script {
		h.Click(button)
		return
	}
	h.Follow(button)
}

// told waits until what came of a deed is told.
func (h hand) told(texts ...string) {
	if h.script {
		h.WaitFor(".toast", texts...)
		h.WaitCount("dialog[open]", 0)
		return
	}
	h.WaitFor("main [role=status]", texts...)
}

// in returns how many tasks of a queue are in a state.
func (s *site) in(name string, state task.State) int {
	s.Helper()
	info, err := queue.NewInspector(s.b).QueueInfo(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	return info.In(state)
}

// fill puts n tasks into a queue, after it has emptied it.
func (s *site) fill(name string, n int) {
	s.Helper()
	_ = queue.NewInspector(s.b).RemoveQueue(s.Context(), name, true) // if it is there
	tasks := make([]*task.Task, n)
	for i := range tasks {
		tasks[i] = task.New("t", nil, task.ID(fmt.Sprintf("%s-%04d", name, i)))
	}
	for _, e := range queue.NewClient(s.b).EnqueueMany(s.Context(), tasks, task.Queue(name)) {
		if e.Err != nil {
			s.Fatal(e.Err)
		}
	}
}

func TestAQueueIsPausedAndGoesOn(t *testing.T) {
	withAndWithoutScript(t, func(s *site, look func(string) hand) {
		s.fill("mail", 1)
		h := look("/queue?name=mail")
		paused := func() bool {
			info, err := queue.NewInspector(s.b).QueueInfo(s.Context(), "mail")
			if err != nil {
				s.Fatal(err)
			}
			return info.Paused
		}
		for _, name := range []string{"pause", "resume"} {
			h.begin("queue", name)
			if h.Count(form) > 0 {
				h.send()
			}
			h.told("mail")
			if want := name == "pause"; paused() != want {
				s.Errorf("after %s the queue is paused: %v", name, !want)
			}
			if name == "pause" {
				h.WaitFor("h1", "paused")
			}
		}
	})
}

func TestATaskIsEnqueuedByAForm(t *testing.T) {
	withAndWithoutScript(t, func(s *site, look func(string) hand) {
		s.fill("mail", 0)
		s.enqueue("seed", "", task.Queue("mail"))
		h := look("/queue?name=mail")
		h.begin("task", "enqueue")
		h.Type("#p-type", "email:welcome")
		h.Type("#p-payload", `{"user": 42}`)
		h.Type("#p-retry", "many")
		h.send()
		h.WaitFor(form+" .note.bad", "many")
		h.Expect("status of 400")
		if got := h.Value("#p-payload", "value"); !strings.Contains(got, "42") {
			s.Errorf("after it was refused the payload is %q", got)
		}
		h.Type("#p-retry", "3")
		h.send()
		h.told("is enqueued")
		if n := s.in("mail", task.Pending); n != 2 {
			s.Errorf("%d tasks are pending, want 2", n)
		}
	})
}

func TestADeedIsDoneToThoseThatAreChosen(t *testing.T) {
	withAndWithoutScript(t, func(s *site, look func(string) hand) {
		s.fill("mail", 5)
		h := look("/tasks?q=queue:mail")
		h.Click(`input[name=pick][value*="mail-0001"]`)
		h.Click(`input[name=pick][value*="mail-0003"]`)
		if h.script {
			h.WaitFor("[data-picked]", "2 chosen")
			s.enqueue("late", "", task.Queue("mail"), task.ID("mail-late"))
			h.WaitFor("table", "mail-late")
			h.WaitFor("[data-picked]", "2 chosen") // what comes leaves the choice as it is
		}
		h.begin("task", "archive")
		if h.Count(form) > 0 {
			h.send()
		}
		h.told("2")
		if n := s.in("mail", task.Archived); n != 2 {
			s.Errorf("%d tasks are archived, want 2", n)
		}
	})
}

func TestWhatIsFinalForManyIsConfirmedByTheirNumber(t *testing.T) {
	withAndWithoutScript(t, func(s *site, look func(string) hand) {
		s.fill("mail", 130)
		h := look("/tasks?q=queue:mail")
		h.Click(`form#picks [name=all]`)
		h.begin("task", "delete")
		h.WaitFor(form, "130", "cannot be undone")
		h.Type("#confirm", "13")
		h.send()
		h.WaitFor(form+" .note.bad", "130")
		h.Expect("status of 409")
		if n := s.in("mail", task.Pending); n != 130 {
			s.Fatalf("%d tasks are left although the number was wrong", n)
		}
		h.Type("#confirm", "130")
		h.send()
		if h.script {
			h.Follow(".toast a")
		}
		await(s.T, "all to be deleted", func(struct{}) bool { return s.in("mail", task.Pending) == 0 }, struct{}{})
		if !h.script {
			h.Leave("reload", func() { browsertest.Eval[bool](h.Page, `() => { location.reload(); return true }`) })
		}
		h.WaitFor("main", "130", "done")
	})
}

func TestWhatIsDoneToManyIsStopped(t *testing.T) {
	var slow atomic.Bool
	b := brokertest.Faulty(onSQLite(t), func(_ int, method string) brokertest.Fault {
		if slow.Load() && (method == "Apply" || method == "Sweep") {
			return brokertest.Fault{Delay: quick}
		}
		return brokertest.Fault{}
	})
	s := serve(t, b, web.Config{Refresh: quick})
	s.fill("mail", 5000)
	h := hand{s.look("/tasks?q=queue:mail", browsertest.Options{}), true}
	slow.Store(true)
	h.Click(`form#picks [name=all]`)
	h.begin("task", "archive")
	h.send()
	h.Follow(".toast a")
	h.Click(`form[action$="/bulk/stop"] button`)
	h.WaitFor("main .state", "stopped")
	slow.Store(false)
	if n := s.in("mail", task.Pending); n == 0 {
		t.Error("it was done to all, although it was stopped")
	}
}

// TestOnlyWhatSomebodyMayDoIsOffered looks at pages as somebody who may not do all.
func TestOnlyWhatSomebodyMayDoIsOffered(t *testing.T) {
	b := onSQLite(t)
	for name, c := range map[string]struct {
		cfg              web.Config
		pause, removeToo bool
	}{
		"an admin":          {web.Config{Authoriser: anyone(t, access.Admin)}, true, true},
		"an operator":       {web.Config{Authoriser: anyone(t, access.Operator)}, true, false},
		"a viewer":          {web.Config{Authoriser: anyone(t, access.Viewer)}, false, false},
		"all, read-only":    {web.Config{ReadOnly: true}, false, false},
		"a viewer, mounted": {web.Config{Root: "/leat", Authoriser: anyone(t, access.Viewer)}, false, false},
		"an admin, mounted": {web.Config{Root: "/leat", Authoriser: anyone(t, access.Admin)}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, b, c.cfg)
			s.fill("mail", 1)
			p := s.look(c.cfg.Root+"/queue?name=mail", browsertest.Options{})
			if n := p.Count(offer("queue", "pause")); n > 0 != c.pause {
				t.Errorf("%d offer to pause", n)
			}
			if n := p.Count(offer("queue", "remove")); n > 0 != c.removeToo {
				t.Errorf("%d offer to remove", n)
			}
			p.Open(c.cfg.Root + "/tasks?q=queue:mail")
			p.WaitFor("table", "mail-0000")
			own := `main form[action="` + c.cfg.Root + `/settings/columns"]` // which changes only what who looks is shown
			if n := p.Count(`main form[method=post], main input[name=pick]`) - p.Count(own); n > 0 != c.pause {
				t.Errorf("%d places offer to change something", n)
			}
			if n := p.Count(own); n != 1 {
				t.Errorf("%d forms offer columns", n)
			}
			if c.cfg.ReadOnly {
				p.WaitFor("header", "read-only")
			}
			p.Click(".columns summary")
			p.Follow(own + " button.main")
			p.WaitAddress(c.cfg.Root + "/tasks?columns=id%2Cqueue%2Cstate%2Ctype%2Cpayload&q=queue%3Amail")
		})
	}
}

func anyone(t *testing.T, role access.Role) access.Authoriser {
	t.Helper()
	a, err := access.Anyone(role)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
