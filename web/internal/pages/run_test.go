package pages_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// flows are workflows and the server that runs them.
type flows struct {
	*world
	client *queue.Client
}

type parcel struct {
	Card   string `json:"card"`
	Broken bool   `json:"broken"`
}

var (
	approval = workflow.NewSignal[string]("approval")
	weigh    = workflow.NewStep("weigh", func(_ context.Context, p parcel) (parcel, error) { return p, nil })
	stamp    = workflow.NewStep("stamp", func(_ context.Context, n int) (int, error) { return n * n, nil })
	charge   = workflow.NewStep("charge", func(_ context.Context, p parcel) (string, error) {
		if p.Broken {
			return "", fmt.Errorf("%s: %w", markup, task.SkipRetry)
		}
		return "paid", nil
	})
	send = workflow.NewStep("send", func(_ context.Context, s string) (string, error) { return "sent: " + s, nil })

	parcels = dag.New("parcels", func(g *dag.Graph, in dag.Val[parcel]) dag.Val[string] {
		p := dag.Do(g, weigh, in)
		stamps := dag.Map(g, stamp, dag.Pick(g, p, func(parcel) []int { return make([]int, 120) }))
		paid := dag.Do(g, charge, p, dag.After(stamps))
		return dag.Do(g, send, dag.Join2(g, paid, dag.Await(g, approval, 0), func(a, b string) string { return a + " " + b }))
	})

	planned = workflow.NewStep("plan", func(ctx context.Context, n int) (int, error) {
		return n, workflow.Add(ctx, stamp.With(n), stamp.With(n+1))
	})
	adding = dag.New("adding", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, stamp, dag.Do(g, planned, in)) })
)

func serveFlows(t *testing.T) flows {
	t.Helper()
	w := newWorld(t, nil, nil)
	mux := task.NewMux()
	workflow.Register(mux, parcels, adding, stamp)
	srv, err := queue.NewServer(w.broker, queue.Config{Concurrency: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return flows{w, queue.NewClient(w.broker)}
}

// start starts a run and waits until it stands so.
func (f flows) start(id string, p parcel, stands func(workflow.Status) bool) workflow.Run[string] {
	f.Helper()
	run, err := parcels.Start(f.Context(), f.client, p, workflow.RunID(id), workflow.Attribute("customer", "17"))
	if err != nil {
		f.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		s, err := run.Status(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		if stands(s) {
			return run
		}
		if time.Since(began) > time.Minute {
			f.Fatalf("run %s stands so: %+v", id, s)
		}
	}
}

func failed(s workflow.Status) bool { return s.State == workflow.Failed }

// waits reports whether a run waits for its signal alone.
func waits(s workflow.Status) bool {
	for _, step := range s.Steps {
		if step.Name == "charge" {
			return step.State == workflow.StepDone
		}
	}
	return false
}

func TestARunIsShownWithWhatItIsAt(t *testing.T) {
	f := serveFlows(t)
	f.start("waits", parcel{Card: "4711"}, waits)
	page := f.shows("/run?queue=default&id=waits", "waits", "running", "charge", "approval", "customer = 17", "Pause", "/deed/run/signal?", "Choose a step")
	for _, drawing := range []string{`<svg xmlns="http://www.w3.org/2000/svg" class="graph"`, `class="gantt"`, `data-step="stamp"`, "×120"} {
		if !strings.Contains(page, drawing) {
			t.Errorf("the page has no %s", drawing)
		}
	}
	f.shows("/run?queue=default&id=waits&step=await:approval", "it waits for the signal approval")
	f.shows("/run?queue=default&id=waits&step=send", "it waits for await:approval")
	f.shows("/run?queue=default&id=waits&step=charge", `"paid"`, "Output")
	f.shows("/run?queue=default&id=waits&face=values", `"card": "4711"`, "none as yet")
	f.lacks("/run?queue=default&id=waits", "Retry")
	if status, _, _ := f.ask(http.MethodGet, "/run?queue=default&id=nothing"); status != http.StatusNotFound {
		t.Errorf("a run that there is not is answered with %d", status)
	}
	if status, _, _ := f.ask(http.MethodGet, "/run?queue=default&id=waits&step=nothing"); status != http.StatusNotFound {
		t.Errorf("a step that there is not is answered with %d", status)
	}
}

func TestOnlyStepsThatThereAreStayOpen(t *testing.T) {
	f := serveFlows(t)
	f.start("waits", parcel{}, waits)
	page := f.shows("/run?queue=default&id=waits&open=stamp,nothing,stamp", "open=stamp")
	if strings.Contains(page, "nothing") || strings.Contains(page, "stamp%2Cstamp") {
		t.Error("links repeat what was asked for and is no step, or is one twice")
	}
}

func TestTheItemsOfAMapAreSeenPageByPage(t *testing.T) {
	f := serveFlows(t)
	f.start("waits", parcel{}, waits)
	f.shows("/run?queue=default&id=waits&step=stamp", "Items 1 to 50 of 120", "items=50")
	last := f.shows("/run?queue=default&id=waits&step=stamp&items=100", "Items 101 to 120 of 120", "items=50")
	if strings.Contains(last, `rel="next"`) {
		t.Error("there is a page behind the last one")
	}
	f.shows("/run?queue=default&id=waits&step=stamp&items=99999", "Items 101 to 120 of 120")
}

func TestARetryIsShownBeforeItIsDone(t *testing.T) {
	f := serveFlows(t)
	f.start("failed", parcel{Broken: true}, failed)
	f.shows("/run?queue=default&id=failed", markup, "Delete", "preview=failed")
	f.shows("/run?queue=default&id=failed&preview=failed", "3 steps</b> would run", "weigh, stamp", "2 steps</b> would be reused", "Retry what has failed")
	f.shows("/run?queue=default&id=failed&preview=from&step=weigh", "5 steps</b> would run", "0 steps</b> would be reused", "Retry from weigh")
	f.shows("/run?queue=default&id=failed&step=charge", markup, "Retry from here", "Skip")
	f.as(access.Viewer).lacks("/run?queue=default&id=failed&preview=failed&step=charge", "/deed/", "Retry from here")
}

func TestWhatIsHiddenOfARunIsHidden(t *testing.T) {
	f := serveFlows(t)
	f.start("waits", parcel{Card: "4711"}, waits)
	other := flows{newWorld(t, f.broker, masked(t, "card")), f.client}
	for _, path := range []string{"/run?queue=default&id=waits&face=values", "/run?queue=default&id=waits&step=weigh"} {
		other.shows(path, "4711")
		other.as(access.Viewer).lacks(path, "4711")
		other.as(access.Viewer).shows(path, "•••")
	}
}

func TestFilesOfARunStandByThemselves(t *testing.T) {
	f := serveFlows(t)
	f.start("failed", parcel{Broken: true}, failed)
	for _, name := range []string{"graph.svg", "gantt.svg"} {
		status, body, header := f.ask(http.MethodGet, "/run/"+name+"?queue=default&id=failed")
		if status != http.StatusOK || header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is answered with %d, %v", name, status, header)
		}
		if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil || !strings.Contains(body, "<style>") || strings.Contains(body, "href") {
			t.Errorf("%s is no file by itself: %v", name, err)
		}
	}
	_, body, _ := f.ask(http.MethodGet, "/run/history.json?queue=default&id=failed")
	var all []view.Happening
	if err := json.Unmarshal([]byte(body), &all); err != nil || len(all) < 4 {
		t.Errorf("the history is %s, %v", body, err)
	}
	f.shows("/run?queue=default&id=failed&face=history", "closing", "weigh", "charge", markup)
	f.lacks("/run?queue=default&id=failed&face=history&filter=charge", ">weigh<")
}

func TestWhatAStepHasAddedIsDrawnBelowItAndChosen(t *testing.T) {
	f := serveFlows(t)
	run, err := adding.Start(t.Context(), f.client, 3, workflow.RunID("adds"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := f.shows("/run?queue=default&id=adds", `data-step="plan~+0"`, "4 of 4 steps")
	if got := strings.Count(page, ` data-step="plan~+1"`); got != 2 {
		t.Errorf("a step that was added is drawn %d times, want once in the graph and once in the gantt", got)
	}
	f.shows("/run?queue=default&id=adds&step="+url.QueryEscape("plan~+1"), "Added by", "stamp", "<pre>16</pre>", "added state-done selected")
	f.lacks("/run?queue=default&id=adds&step="+url.QueryEscape("plan~+1"), "Retry from here")
	if status, _, _ := f.ask(http.MethodGet, "/run?queue=default&id=adds&step="+url.QueryEscape("plan~+2")); status != http.StatusNotFound {
		t.Errorf("a step that was not added is answered with %d", status)
	}
}

func TestARunIsComparedWithAnother(t *testing.T) {
	f := serveFlows(t)
	f.start("first", parcel{Broken: true}, failed)
	f.start("second", parcel{}, waits)
	f.shows("/run?queue=default&id=second&with=first", `class="other"`, "Compare no more", "with=first", "what the steps took in")
	f.lacks("/run?queue=default&id=second", `class="other"`, "Compare no more")
	f.shows("/run?queue=default&id=second&with=second", "is not compared with itself")
	f.shows("/run?queue=default&id=second&with="+url.QueryEscape(markup), "there is no run "+markup)
	run, err := adding.Start(t.Context(), f.client, 1, workflow.RunID("adds"))
	if err != nil {
		t.Fatal(err)
	}
	f.shows("/run?queue=default&id=second&with=adds", "is of workflow adding")
	if _, err := run.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	if run, err = adding.Start(t.Context(), f.client, 1, workflow.RunID("adds-again")); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.shows("/run?queue=default&id=adds-again&with=", `name="with" value="adds"`, `class="other"`)
	f.shows("/run?queue=default&id=second&with=", "is not compared: no other run")
	if _, body, _ := f.ask(http.MethodGet, "/run/gantt.svg?queue=default&id=second&with=first"); !strings.Contains(body, `class="other"`) {
		t.Error("the file lacks the run that it is compared with")
	}
}

func TestTheGanttOfARunIsOfAStretchOfTime(t *testing.T) {
	f := serveFlows(t)
	f.start("failed", parcel{Broken: true}, failed)
	f.lacks("/run?queue=default&id=failed", "lie outside", "Whole run")
	f.shows("/run?queue=default&id=failed&from=90s&to=1m40s&step=charge&with=other", "5 steps lie outside", `name="from" value="1m30s"`, `name="to" value="1m40s"`, "Whole run",
		`name="step" value="charge"`, `name="with" value="other"`, "from=1m30s&id=failed&queue=default&to=1m40s&with=other&step=charge", "/run/gantt.svg?from=1m30s")
	if _, body, _ := f.ask(http.MethodGet, "/run/gantt.svg?queue=default&id=failed&from=90s"); !strings.Contains(body, "5 steps lie outside") {
		t.Errorf("the file is not of the stretch: %s", body)
	}
	for _, wrong := range []string{"from=12", "from=-1s", "from=yesterday", "to=2030-01-02T03:04:05.000Z", "to=0s", "from=2s&to=1s", "from=1s&to=1s", "from=1s&to=99999999h"} {
		for _, page := range []string{"/run", "/run/gantt.svg"} {
			if status, body, _ := f.ask(http.MethodGet, page+"?queue=default&id=failed&"+wrong); status != http.StatusBadRequest {
				t.Errorf("%s with %s is answered with %d: %s", page, wrong, status, body)
			}
		}
	}
}

func TestAStepIsFoundInTheGraph(t *testing.T) {
	f := serveFlows(t)
	f.start("failed", parcel{Broken: true}, failed)
	f.lacks("/run?queue=default&id=failed", " sought")
	page := f.shows("/run?queue=default&id=failed&find=WEI", `name="find" value="WEI"`, "<output>1 step</output>", "find=WEI&id=failed")
	if got := strings.Count(page, " sought"); got != 2 {
		t.Errorf("a step that is found is marked %d times, want once in the graph and once in the gantt", got)
	}
	f.shows("/run?queue=default&id=failed&find="+url.QueryEscape(markup), "<output>0 steps</output>")
}

func TestRunsAreListedAndSearched(t *testing.T) {
	f := serveFlows(t)
	f.start("failed", parcel{Broken: true}, failed)
	for i := range 30 {
		f.start(fmt.Sprint("waits-", i), parcel{}, func(s workflow.Status) bool { return true })
	}
	f.shows("/runs", "parcels", "waits-29", "running", "30", "customer=17", "Next page")
	f.shows("/runs?q="+url.QueryEscape("state:failed"), "✗ charge", "failed")
	f.lacks("/runs?q="+url.QueryEscape("state:failed"), "waits-")
	f.shows("/runs?q="+url.QueryEscape("sate:failed"), "state")
	page := f.shows("/runs?size=25")
	_, next, ok := strings.Cut(page, `href="/leat/runs?cursor=`)
	if !ok {
		t.Fatal("there is no next page")
	}
	next, _, _ = strings.Cut(next, `"`)
	f.shows("/runs?cursor="+strings.ReplaceAll(next, "&amp;", "&"), "failed", "First page", "looked at all 31")
}

func TestARunThatIsGoneIsNotShown(t *testing.T) {
	f := serveFlows(t)
	run := f.start("failed", parcel{Broken: true}, failed)
	if err := run.Delete(t.Context()); err != nil && !errors.Is(err, workflow.ErrRunNotFound) {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		status, _, _ := f.ask(http.MethodGet, "/run?queue=default&id=failed")
		if status == http.StatusNotFound {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("a run that was deleted is answered with %d", status)
		}
	}
}
