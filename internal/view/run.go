package view

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A Run is an execution of a workflow. In a list it has no steps.
type Run struct {
	ID         string            `json:"id"`
	Workflow   string            `json:"workflow"`
	Queue      string            `json:"queue"` // beside which it is kept
	State      string            `json:"state"`
	Attributes map[string]string `json:"attributes,omitempty"`

	StartedAt   time.Time `json:"started_at,omitzero"`
	BeginsAt    time.Time `json:"begins_at,omitzero"` // it was started to begin then
	Deadline    time.Time `json:"deadline,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	TookSeconds float64   `json:"took_seconds"` // so far, if it goes on

	Error      string `json:"error,omitempty"`
	FailedStep string `json:"failed_step,omitempty"`
	Retries    int    `json:"retries,omitempty"`

	Parent string `json:"parent,omitempty"` // id of the run that it is a step of
	Step   string `json:"step,omitempty"`   // in a tree: which step that is
	Item   *int   `json:"item,omitempty"`   // and which item or round of it

	Steps     []Step `json:"steps,omitempty"`
	Children  []Run  `json:"children,omitempty"`  // the runs that its steps are
	Truncated bool   `json:"truncated,omitempty"` // there are more of these
}

// A Step is a step of a run.
type Step struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	State string `json:"state"`

	After  []string `json:"after,omitempty"`
	Choice string   `json:"choice,omitempty"` // the choice on an arm of which it is
	Case   string   `json:"case,omitempty"`   // that arm
	Arm    string   `json:"arm,omitempty"`    // of a choice: the arm that was taken

	Runs     string `json:"runs,omitempty"` // type of its tasks, or name of its workflow
	Workflow bool   `json:"workflow,omitempty"`
	Queue    string `json:"queue,omitempty"`
	TaskID   string `json:"task_id,omitempty"`
	Child    string `json:"child,omitempty"` // id of the run that it is
	Signal   string `json:"signal,omitempty"`

	Width  int `json:"width,omitempty"` // how many tasks it consists of; 0: that is not known yet
	Ended  int `json:"ended,omitempty"`
	Failed int `json:"failed,omitempty"`
	Rounds int `json:"rounds,omitempty"`

	Added   []Step `json:"added,omitempty"`    // the steps that it has added to the run
	AddedBy string `json:"added_by,omitempty"` // the step that has added it

	ReadyAt     time.Time `json:"ready_at,omitzero"`
	StartedAt   time.Time `json:"started_at,omitzero"` // the attempt that is running, or that it ended with
	EndedAt     time.Time `json:"ended_at,omitzero"`
	TookSeconds float64   `json:"took_seconds,omitempty"`
	Tries       int       `json:"tries,omitempty"`

	Until     time.Time `json:"until,omitzero"`
	TaskState string    `json:"task_state,omitempty"`
	NextTryAt time.Time `json:"next_try_at,omitzero"`
	Attempts  []Attempt `json:"attempts,omitempty"`
	Worker    *Holder   `json:"worker,omitempty"`

	Error   string `json:"error,omitempty"`   // why it failed
	Problem string `json:"problem,omitempty"` // what keeps it
}

// Find returns the step of a name, one that was added as well. ok says whether there is one.
func (r *Run) Find(name string) (step Step, ok bool) {
	for _, s := range r.Steps {
		if s.Name == name {
			return s, true
		}
		for _, a := range s.Added {
			if a.Name == name {
				return a, true
			}
		}
	}
	return Step{}, false
}

// A Happening is one thing in the history of a run.
type Happening struct {
	At          time.Time `json:"at"`
	What        string    `json:"what"`
	Step        string    `json:"step,omitempty"`
	TookSeconds float64   `json:"took_seconds,omitempty"`
	Tries       int       `json:"tries,omitempty"`
	Why         string    `json:"why,omitempty"`
}

// An Item is how an item of a map stands.
type Item struct {
	Item        int       `json:"item"`
	State       string    `json:"state"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	TookSeconds float64   `json:"took_seconds,omitempty"`
	Tries       int       `json:"tries,omitempty"`
	Error       string    `json:"error,omitempty"`

	Queue  string `json:"queue,omitempty"` // of its task, or beside which the run is kept that it is
	TaskID string `json:"task_id,omitempty"`
	Child  string `json:"child,omitempty"` // id of the run that it is
}

// RunOf returns what is shown of a run and of the runs within it. When the tasks began
// that are running is looked for among servers.
func RunOf(t workflow.Tree, now time.Time, servers ...broker.Server) Run {
	return runOf(t, now, workersOf(servers))
}

// ListedRunOf returns what is shown of a run in a list.
func ListedRunOf(s workflow.Summary, now time.Time) Run {
	return runFrom(s.Queue(), workflow.Status{
		ID: s.ID, Workflow: s.Workflow, State: s.State, Started: s.Started, Ended: s.Ended, Failure: s.Failure, Attributes: s.Attributes,
	}, now)
}

// HistoryOf returns what is shown of a run's history.
func HistoryOf(all []workflow.Happening) []Happening {
	shown := make([]Happening, len(all))
	for i, h := range all {
		shown[i] = Happening{At: utc(h.At), What: h.What, Step: h.Step, TookSeconds: seconds(h.Took), Tries: h.Tries, Why: h.Why}
	}
	return shown
}

// ItemsOf returns what is shown of the items of a map.
func ItemsOf(all []workflow.ItemStatus) []Item {
	shown := make([]Item, len(all))
	for i, s := range all {
		shown[i] = Item{
			Item: s.Item, State: s.State.String(), EndedAt: utc(s.EndedAt), TookSeconds: seconds(s.Took), Tries: s.Tries,
			Queue: s.Queue, TaskID: s.TaskID, Child: s.Child,
		}
		if s.Failure != nil {
			shown[i].Error = s.Failure.Message
		}
	}
	return shown
}

func runOf(t workflow.Tree, now time.Time, workers map[broker.EntryRef]Holder) Run {
	r := runFrom(t.Queue, t.Status, now)
	r.Step, r.Truncated = t.Step, t.Truncated
	if t.Item >= 0 {
		r.Item = &t.Item
	}
	for _, s := range t.Steps {
		r.Steps = append(r.Steps, stepOf(s, workers))
	}
	for _, child := range t.Children {
		r.Children = append(r.Children, runOf(*child, now, workers))
	}
	return r
}

func runFrom(queue string, s workflow.Status, now time.Time) Run {
	r := Run{
		ID: s.ID, Workflow: s.Workflow, Queue: queue, State: string(s.State), Attributes: s.Attributes,
		StartedAt: utc(s.Started), BeginsAt: utc(s.Begins), Deadline: utc(s.Deadline), EndedAt: utc(s.Ended),
		Retries: s.Retries, Parent: s.Parent,
	}
	if s.Failure != nil {
		r.Error, r.FailedStep = s.Failure.Message, s.Failure.Step
	}
	began, until := s.Started, s.Ended
	if s.Begins.After(began) {
		began = s.Begins
	}
	if until.IsZero() {
		until = now
	}
	r.TookSeconds = seconds(max(until.Sub(began), 0))
	return r
}

func stepOf(s workflow.StepStatus, workers map[broker.EntryRef]Holder) Step {
	shown := Step{
		Name: s.Name, Kind: s.Kind, State: s.State.String(), After: s.After, Choice: s.Choice, Case: s.Case, Arm: s.Arm,
		Runs: s.Runs, Workflow: s.Workflow, Queue: s.Queue, TaskID: s.TaskID, Child: s.Child, Signal: s.Signal,
		Ended: s.Ended, Failed: s.Failed, Rounds: s.Rounds,
		ReadyAt: utc(s.ReadyAt), StartedAt: utc(s.Began), EndedAt: utc(s.EndedAt), TookSeconds: seconds(s.Took), Tries: s.Tries,
		Until: utc(s.Until), NextTryAt: utc(s.NextTry), Problem: s.Problem,
	}
	for _, a := range s.Added {
		added := stepOf(a, workers)
		added.AddedBy = s.Name
		shown.Added = append(shown.Added, added)
	}
	if s.Known {
		shown.Width = s.Width
	}
	if s.Failure != nil {
		shown.Error = s.Failure.Message
	}
	if s.TaskState != 0 {
		shown.TaskState = s.TaskState.String()
	}
	for _, a := range s.Attempts {
		shown.Attempts = append(shown.Attempts, attemptOf(task.AttemptRecord(a)))
	}
	if w, running := workers[broker.EntryRef{Queue: s.Queue, ID: s.TaskID}]; running && !s.State.Ended() {
		shown.Worker, shown.StartedAt = &w, w.StartedAt
	}
	return shown
}

func workersOf(servers []broker.Server) map[broker.EntryRef]Holder {
	workers := make(map[broker.EntryRef]Holder)
	for _, s := range servers {
		for _, w := range s.Workers {
			workers[w.Entry] = Holder{Server: s.ID, Host: s.Host, PID: s.PID, StartedAt: utc(w.Started), Deadline: utc(w.Deadline)}
		}
	}
	return workers
}
