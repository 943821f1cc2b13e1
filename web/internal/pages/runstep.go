package pages

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/workflow"
)

// A stepShown is what is shown of the step that is chosen.
type stepShown struct {
	view.Step
	Shown    string // how it stands, in the word of the drawing
	Sign     string
	Wait     float64 // seconds that it was ready before it began
	Why      string  // it is not running
	Attempts []view.Attempt
	Input    *value // that its task carries
	Output   *value
	NoOutput string // why it has none
	Alike    []view.Step
	Items    *itemsShown

	MayRetry, MaySkip bool
	PreviewURL        string // of a retry from here on
	RunURL, TaskURL   string
}

// An itemsShown is a page of the items of a map.
type itemsShown struct {
	Items       []itemShown
	From, To    int // from the first one to before the last, counted from one on
	Width       int
	Prev, Next  string
	First, Last string
}

// An itemShown is an item of a map.
type itemShown struct {
	workflow.ItemStatus
	URL   string // of its task or its run
	Error string
}

const itemsPage = 50

// stepOf looks at the step that is chosen.
func (p *Pages) stepOf(ctx context.Context, r *request, s *runShown) (*stepShown, error) {
	step, ok := s.Run.Find(s.step)
	if !ok {
		return nil, errNoStep
	}
	state := outline.StateOf(s.Run, step)
	shown := &stepShown{
		Step: step, Shown: state.String(), Sign: state.Sign(), Attempts: step.Attempts, Alike: drawnWith(s.Run, step.Name),
		MayRetry: p.mayDo(r, s, "retry-from") && step.AddedBy == "", MaySkip: p.mayDo(r, s, "skip") && step.AddedBy == "" && (step.State == "failed" || step.State == "running"),
	}
	if !step.ReadyAt.IsZero() && step.StartedAt.After(step.ReadyAt) && step.Kind != "await" {
		shown.Wait = step.StartedAt.Sub(step.ReadyAt).Seconds()
	}
	if err := p.stepLinks(s, shown); err != nil {
		return nil, err
	}
	for _, one := range []func(context.Context, *request, *runShown, *stepShown) error{p.stepTask, p.stepOutput, p.stepItems} {
		if err := one(ctx, r, s, shown); err != nil {
			return nil, err
		}
	}
	if shown.Why == "" {
		shown.Why = whyWaiting(s.Run, step)
	}
	return shown, nil
}

// stepLinks finds the addresses of what a step is.
func (p *Pages) stepLinks(s *runShown, shown *stepShown) (err error) {
	shown.PreviewURL = s.look("step", shown.Name, "preview", "from")
	if child := shown.Step.Child; child != "" {
		if shown.RunURL, err = p.url("/run", "queue", shown.Queue, "id", child); err != nil {
			return err
		}
	}
	if shown.TaskID != "" {
		shown.TaskURL, err = p.url("/task", "queue", shown.Queue, "id", shown.TaskID)
	}
	return err
}

// drawnWith returns the other steps that are drawn as one with a step.
func drawnWith(r view.Run, name string) (others []view.Step) {
	step := slices.IndexFunc(r.Steps, func(s view.Step) bool { return s.Name == name })
	for _, g := range outline.Fold(r.Steps, drawnAlone) {
		if len(g.Steps) > 1 && slices.Contains(g.Steps, step) {
			for _, i := range g.Steps {
				others = append(others, r.Steps[i])
			}
		}
	}
	return others
}

// drawnAlone is up to how many steps each is drawn alone.
const drawnAlone = 40

// whyWaiting returns why a step that has no task does not run.
func whyWaiting(r view.Run, step view.Step) string {
	switch {
	case step.State == "running" && step.Kind == "await":
		return "it waits for the signal " + step.Signal
	case step.State == "running" && step.Kind == "sleep":
		return "it sleeps"
	case step.State != "waiting" || step.TaskID != "":
		return ""
	case !r.EndedAt.IsZero():
		return "the run has ended before it"
	case r.State == "paused":
		return "the run is paused"
	case !r.BeginsAt.IsZero() && len(step.After) == 0:
		return "the run has not begun"
	}
	var open []string
	for _, before := range r.Steps {
		if slices.Contains(step.After, before.Name) && !outline.StateOf(r, before).Ended() {
			open = append(open, before.Name)
		}
	}
	switch n := len(open); {
	case n > 5:
		return "it waits for " + strings.Join(open[:5], ", ") + " and " + strconv.Itoa(n-5) + " more"
	case n > 0:
		return "it waits for " + strings.Join(open, ", ")
	}
	return ""
}

// stepTask looks at the task of a step: why it is not running, what came of its attempts,
// and what it carries.
func (p *Pages) stepTask(ctx context.Context, r *request, s *runShown, shown *stepShown) error {
	if shown.TaskID == "" || shown.Workflow {
		return nil
	}
	i, err := p.Storage.Inspector.Get(ctx, shown.Queue, shown.TaskID)
	switch {
	case errors.Is(err, queue.ErrTaskNotFound), errors.Is(err, queue.ErrQueueNotFound):
		shown.TaskURL = "" // it is not kept
		return nil
	case err != nil:
		return err
	}
	shown.Attempts = view.TaskOf(i).Attempts
	if len(i.Payload) > 0 {
		shown.Input = p.value(r, i.Payload)
	}
	if outline.StateOf(s.Run, shown.Step).Ended() {
		return nil
	}
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return err
	}
	paused := false
	for _, info := range q.Infos {
		paused = paused || info.Queue == i.Queue && info.Paused
	}
	shown.Why = view.Why(s.now, i, paused, countServing(ctx, p, i))
	return nil
}

// countServing returns how many servers take tasks from the queue of a task.
func countServing(ctx context.Context, p *Pages, i *task.Info) (count int) {
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return 1 // it was asked for a moment ago: nobody is to be told that there is none
	}
	for _, s := range servers {
		if _, serves := s.Queues[i.Queue]; serves {
			count++
		}
	}
	return count
}

// stepOutput looks at what a step has given.
func (p *Pages) stepOutput(ctx context.Context, r *request, s *runShown, shown *stepShown) error {
	if shown.State != "done" || shown.Kind == "map" && shown.Width > itemsPage {
		return nil
	}
	b, err := s.handle.Output(ctx, shown.Name)
	switch {
	case errors.Is(err, workflow.ErrNoOutput), errors.Is(err, workflow.ErrSkipped):
		shown.NoOutput = "it is not kept by itself"
	case err != nil:
		return err
	default:
		shown.Output = p.value(r, b)
	}
	return nil
}

// stepItems looks at a page of the items of a map.
func (p *Pages) stepItems(ctx context.Context, r *request, s *runShown, shown *stepShown) error {
	if shown.Kind != "map" || shown.Width == 0 {
		return nil
	}
	from, _ := strconv.Atoi(r.get("items")) // what is none is 0
	from = max(min(from, shown.Width-1), 0) / itemsPage * itemsPage
	items, err := s.handle.Items(ctx, shown.Name, from, itemsPage)
	if err != nil {
		return err
	}
	page := &itemsShown{From: from + 1, To: from + len(items), Width: shown.Width}
	at := func(from int) string { return s.look("items", strconv.Itoa(from)) }
	if from > 0 {
		page.Prev, page.First = at(from-itemsPage), at(0)
	}
	if page.To < shown.Width {
		page.Next, page.Last = at(from+itemsPage), at((shown.Width-1)/itemsPage*itemsPage)
	}
	for _, i := range items {
		one := itemShown{ItemStatus: i}
		if i.Failure != nil {
			one.Error = i.Failure.Message
		}
		path, id := "/task", i.TaskID
		if i.Child != "" {
			path, id = "/run", i.Child
		}
		if id != "" {
			address, failed := p.url(path, "queue", i.Queue, "id", id)
			err = errors.Join(err, failed)
			one.URL = address
		}
		page.Items = append(page.Items, one)
	}
	shown.Items = page
	return err
}

// A previewShown is what a retry would run.
type previewShown struct {
	workflow.RetryPreview
	From   string // the step from which on; "": what has failed
	Refuse string // why there is none
	Deed   string // the name of the deed that does it
	Label  string
}

// preview looks at what a retry would run.
func (p *Pages) preview(ctx context.Context, s *runShown, what string) (*previewShown, error) {
	shown := &previewShown{Deed: "retry", Label: "Retry what has failed"}
	if what == "from" && s.step != "" {
		shown.Deed, shown.From, shown.Label = "retry-from", s.step, "Retry from "+s.step
	}
	if what == "all" {
		shown.Deed, shown.Label = "retry-all", "Retry all"
	}
	var err error
	shown.RetryPreview, err = deed.PreviewRetry(ctx, s.handle, shown.Deed, shown.From)
	if errors.Is(err, workflow.ErrRunState) {
		shown.Refuse = "a run that is " + s.Run.State + " is not retried"
		return shown, nil
	}
	if d, failed := deed.Find(deed.Run, shown.Deed); failed != nil || !d.SuitsState(s.Run.State) {
		shown.Refuse = "a run that is " + s.Run.State + " is not retried"
	}
	return shown, err
}
