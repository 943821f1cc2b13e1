package guide_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/workflowtest"
)

// flows are the guide's workflows, whose pictures it shows.
var flows = []interface {
	workflow.Registrable
	Name() string
	Mermaid() string
}{
	Small, Page, Album, Survey, Archive, Fit, Caption, Safe, Quickest, Reviewed, Later, Fitted, Gallery, Import, Bought,
	Signed, Embedded, Twice,
}

func TestPictures(t *testing.T) {
	for _, w := range flows {
		workflowtest.Golden(t, w, "testdata/"+w.Name()+".mmd")
	}
}

// result runs a workflow, and returns what it comes to as text.
func result[In, Out any](t *testing.T, w workflow.Workflow[In, Out], in In) string {
	t.Helper()
	e := workflowtest.New(t, w, Fetch)
	run, err := w.Start(t.Context(), e.Client(), in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.Result(t.Context())
	if err != nil {
		return "failed: " + err.Error()
	}
	return fmt.Sprint(out)
}

func TestResults(t *testing.T) {
	large, names := Photo{"cat.jpg", 800}, []string{"cat.jpg", "dog.jpg"}
	for what, c := range map[string]struct {
		run  func(t *testing.T) string
		want string
	}{
		"small":    {func(t *testing.T) string { return result(t, Small, "cat.jpg") }, "{cat.jpg 400}"},
		"page":     {func(t *testing.T) string { return result(t, Page, "cat.jpg") }, "https://example.com/cat.jpg"},
		"album":    {func(t *testing.T) string { return result(t, Album, names) }, "2 photos"},
		"survey":   {func(t *testing.T) string { return result(t, Survey, []string{"cat.jpg", "", ""}) }, "2 of 3 are missing"},
		"archive":  {func(t *testing.T) string { return result(t, Archive, []string{"cat.jpg", "", "dog.jpg"}) }, "1600"},
		"fit":      {func(t *testing.T) string { return result(t, Fit, "cat.jpg") }, "{cat.jpg 400}"},
		"caption":  {func(t *testing.T) string { return result(t, Caption, large) }, "a photo of cat.jpg"},
		"moves":    {func(t *testing.T) string { return result(t, Caption, Photo{Name: "cat.gif"}) }, "it moves"},
		"safe":     {func(t *testing.T) string { return result(t, Safe, "") }, "{placeholder.png 1}"},
		"quickest": {func(t *testing.T) string { return result(t, Quickest, "cat.jpg") }, "{cat.jpg 800}"},
		"reviewed": {func(t *testing.T) string { return result(t, Reviewed, large) }, "not published"},
		"later":    {func(t *testing.T) string { return result(t, Later, large) }, "https://example.com/cat.jpg"},
		"fitted":   {func(t *testing.T) string { return result(t, Fitted, large) }, "{cat.jpg 100}"},
		"gallery":  {func(t *testing.T) string { return result(t, Gallery, names) }, "[https://example.com/cat.jpg https://example.com/dog.jpg]"},
		"import":   {func(t *testing.T) string { return result(t, Import, "cats") }, "cats is in"},
		"bought":   {func(t *testing.T) string { return result(t, Bought, large) }, "https://example.com/cat.jpg"},
		"signed":   {func(t *testing.T) string { return result(t, Signed, "yours") }, "YOURS!"},
		"embedded": {func(t *testing.T) string { return result(t, Embedded, "yours") }, "5"},
		"twice":    {func(t *testing.T) string { return result(t, Twice, large) }, "{cat.jpg 200}"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := c.run(t); got != c.want {
					t.Errorf("it comes to %q, want %q", got, c.want)
				}
			})
		})
	}
}

func startOnce(ctx context.Context, client *queue.Client) (workflow.Run[string], error) {
	return Page.Start(ctx, client, "cat.jpg",
		workflow.RunID("page-of-cat.jpg"),          // the second start finds the first run
		workflow.IfRunning(workflow.RejectRunning), // or is an error as long as that goes on
		workflow.IfEnded(workflow.AgainFailed),     // or begins again if it came to nothing
		workflow.At(time.Now().Add(time.Hour)),     // it begins then
		workflow.RunDeadline(24*time.Hour),         // and may take a day from there
		workflow.Attribute("customer", "ann"),      // to be found by
	)
}

func approve(ctx context.Context, client *queue.Client, id string) error {
	run := Reviewed.Open(client, id) // anywhere: it asks nobody
	return Approve.Send(ctx, run, true, workflow.SignalID("click-1"))
}

func runsOf(ctx context.Context, client *queue.Client, customer string) error {
	request := workflow.RunsRequest{Workflow: "page", State: workflow.Failed, Attributes: map[string]string{"customer": customer}}
	for {
		page, err := workflow.Runs(ctx, client, request)
		if err != nil {
			return err
		}
		for _, run := range page.Runs {
			fmt.Println(run.ID, run.Started, run.Failure)
			if err := run.Retry(ctx); err != nil {
				return err
			}
		}
		if request.After = page.Next; page.Next == "" {
			return nil
		}
	}
}

func explain(err error) string {
	failure, ok := errors.AsType[*workflow.RunError](err)
	if !ok {
		return err.Error() // it could not be asked, or ctx has ended
	}
	return fmt.Sprintf("run %s is %s: %v", failure.ID, failure.State, failure.Cause)
}

func TestOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, Page, Reviewed)
		broken := errors.New("out of order")
		workflowtest.Mock(e, Publish, func(_ context.Context, c Card) (string, error) {
			if broken != nil {
				return "", broken
			}
			return "https://example.com/" + c.Photo.Name, nil
		})
		run, err := startOnce(t.Context(), e.Client())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := startOnce(t.Context(), e.Client()); !errors.Is(err, workflow.ErrRunExists) {
			t.Errorf("the second start is %v, want ErrRunExists", err)
		}
		err = run.Wait(t.Context())
		if got, want := explain(err), "run page-of-cat.jpg is timed out: <nil>"; got != want {
			t.Errorf("the run failed with %q, want %q", got, want)
		}
		broken = nil
		if err := run.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, err := run.Status(t.Context()); time.Until(s.Deadline) != 24*time.Hour || err != nil {
			t.Errorf("Status() after Retry() = %+v, %v, want a day until its deadline", s, err)
		}
		if got, err := run.Result(t.Context()); got != "https://example.com/cat.jpg" || err != nil {
			t.Errorf("Result() after Retry() = %q, %v, want the page", got, err)
		}
		if err := runsOf(t.Context(), e.Client(), "ann"); err != nil {
			t.Error(err)
		}
		review, err := Reviewed.Start(t.Context(), e.Client(), Photo{"dog.jpg", 1}, workflow.RunID("dog"))
		if err != nil {
			t.Fatal(err)
		}
		if err := approve(t.Context(), e.Client(), "dog"); err != nil {
			t.Fatal(err)
		}
		if got, err := review.Result(t.Context()); got != "https://example.com/dog.jpg" || err != nil {
			t.Errorf("Result() = %q, %v, want the page", got, err)
		}
	})
}
