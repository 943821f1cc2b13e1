package web_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

func TestADeedIsDoneInADialog(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Root: "/leat", Refresh: quick})
	s.enqueue("t", "", task.Queue("mail"))
	p := s.look("/leat/queue?name=mail", browsertest.Options{})
	p.WaitFor("h1", "mail")
	p.Click("a[href*='/deed/task/enqueue']")
	p.WaitFor("dialog[open] h2", "Enqueue task")
	p.Wait("the first field to have the focus", `() => document.activeElement.name === 'type'`)
	p.Axe()
	p.Screenshot("deed-dialog")
	p.Type("dialog #p-type", "report:<b>")
	p.Expect("400 (Bad Request)")
	p.Click("dialog form#deed button.main")
	p.WaitFor("dialog .note.bad", "task type")
	p.Type("dialog #p-type", "report")
	p.Click("dialog form#deed button.main")
	p.WaitCount("dialog[open]", 0)
	p.WaitFor("#toasts .toast", "is enqueued")
	if got := p.Address(); got != "/leat/queue?name=mail" {
		t.Errorf("it has led to %s", got)
	}
	info, err := queue.NewInspector(s.b).QueueInfo(t.Context(), "mail")
	if err != nil || info.Pending != 2 {
		t.Errorf("%d are pending, %v; want 2", info.Pending, err)
	}
	p.Click("a[href*='/deed/queue/remove']")
	p.WaitFor("dialog[open] h2", "Remove queue")
	p.Press("Escape")
	p.WaitCount("dialog[open]", 0)
	p.Click("a[href*='/deed/queue/pause']")
	p.Type("dialog #p-why", "the relay is moved")
	p.Click("dialog form#deed button.main")
	p.WaitFor("#toasts .toast", "is paused")
	p.WaitFor("h1", "paused")
	p.WaitFor("main", "the relay is moved")
	p.Click("form[action$='/deed/queue/resume'] button")
	p.WaitFor("#toasts .toast", "goes on")
}

func TestRowsAreChosen(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{Refresh: quick})
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		s.enqueue("t", "", task.Queue("mail"), task.ID(id), task.ProcessIn(time.Hour))
	}
	p := s.look("/tasks?q=state:scheduled", browsertest.Options{})
	p.WaitCount("input[name=pick]", 5)
	archive := "#picks button[formaction$='/deed/task/archive']"
	p.Wait("nothing to be done with none", `s => document.querySelector(s).disabled`, archive)
	p.Click("input[name=pick]")
	browsertest.Eval[bool](p, `() => document.querySelectorAll("input[name=pick]")[2].dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true }))`)
	p.WaitFor("[data-picked]", "With 3 chosen")
	s.enqueue("t", "", task.Queue("mail"), task.ID("f"), task.ProcessIn(2*time.Hour))
	p.WaitCount("input[name=pick]", 6)
	p.WaitFor("[data-picked]", "With 3 chosen")
	p.Click(archive)
	p.WaitFor("#toasts .toast", "done to 3 tasks")
	p.WaitCount("input[name=pick]", 3)
	p.Click("[data-pick-all]")
	p.WaitFor("[data-picked]", "With 3 chosen")
	p.Click("#picks input[name=all]")
	p.WaitFor("[data-picked]", "With all that match")
	p.Click("#picks button[formaction$='/deed/task/delete']")
	p.WaitFor("dialog[open]", "3 tasks", "cannot be undone")
	p.Type("dialog #confirm", "3")
	p.Click("dialog form#deed button.final")
	p.WaitFor("#toasts .toast a", "Look at it")
	p.WaitCount("input[name=pick]", 0)
}

func TestADeedIsDoneWithoutScript(t *testing.T) {
	s := serve(t, onSQLite(t), web.Config{})
	s.enqueue("t", "", task.Queue("mail"))
	p := s.look("/queue?name=mail", browsertest.Options{NoScript: true})
	p.Follow("a[href*='/deed/queue/remove']")
	p.WaitFor("h1", "Remove queue")
	p.Follow("form#deed button.final")
	p.WaitFor(".note.bad", "not empty")
	p.Open("/deed/task/archive?all=1&q=queue:mail")
	p.WaitFor("form#deed", "1 task")
	p.Follow("form#deed button.main")
	p.WaitFor("h1", "Archive tasks")
}
