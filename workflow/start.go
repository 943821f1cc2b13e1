package workflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A StartOption changes how one run starts.
type StartOption func(*start)

type start struct {
	id         string
	at         time.Time
	deadline   time.Duration
	attributes map[string]string
	running    IfRunningPolicy
	ended      IfEndedPolicy
}

// RunID gives the run its id. Starting the same workflow with the same id and
// input again finds the run instead of starting a second one.
func RunID(id string) StartOption { return func(s *start) { s.id = id } }

// At has the run begin at a time instead of at once. Its deadline counts from then.
func At(t time.Time) StartOption { return func(s *start) { s.at = t } }

// RunDeadline sets how long this run may take, in place of what its workflow says
// ([Deadline]).
func RunDeadline(d time.Duration) StartOption { return func(s *start) { s.deadline = d } }

// Attribute gives the run something to be found by: see [Runs].
func Attribute(key, value string) StartOption {
	return func(s *start) {
		s.attributes = maps.Clone(s.attributes)
		if s.attributes == nil {
			s.attributes = make(map[string]string)
		}
		s.attributes[key] = value
	}
}

// An IfRunningPolicy says what becomes of a start whose id belongs to a run that has
// not ended.
type IfRunningPolicy int

// What becomes of a start whose id belongs to a run that has not ended.
const (
	UseRunning    IfRunningPolicy = iota // it returns that run
	RejectRunning                        // it fails with a [RunExistsError]
	CancelRunning                        // that run is cancelled, and its end waited for
)

// An IfEndedPolicy says what becomes of a start whose id belongs to a run that has
// ended and is still kept.
type IfEndedPolicy int

// What becomes of a start whose id belongs to a run that has ended.
const (
	UseEnded    IfEndedPolicy = iota // it returns that run, and so its result
	RejectEnded                      // it fails with a [RunExistsError]
	AgainFailed                      // another run begins unless that one is done
	AgainAlways                      // another run begins
)

// IfRunning sets what becomes of the start if its id belongs to a run that has not
// ended. The default is [UseRunning].
func IfRunning(p IfRunningPolicy) StartOption { return func(s *start) { s.running = p } }

// IfEnded sets what becomes of the start if its id belongs to a run that has ended
// and is still kept. A run that begins under its id takes its place, with whatever
// input. The default is [UseEnded].
func IfEnded(p IfEndedPolicy) StartOption { return func(s *start) { s.ended = p } }

// lastYear is the last in which a run can begin, so that its deadline can be written, too.
const lastYear = 9000

// check refuses what makes no sense.
func (s start) check() error {
	faults := []error{task.CheckName("run id", s.id)}
	if year := s.at.Year(); year > lastYear {
		faults = append(faults, task.Invalid("workflow.At", year, fmt.Sprintf("is after the year %d", lastYear)))
	}
	if s.deadline < 0 {
		faults = append(faults, task.Invalid("workflow.RunDeadline", s.deadline, "must not be negative"))
	}
	if s.running < UseRunning || s.running > CancelRunning {
		faults = append(faults, task.Invalid("workflow.IfRunning", int(s.running), "is no policy"))
	}
	if s.ended < UseEnded || s.ended > AgainAlways {
		faults = append(faults, task.Invalid("workflow.IfEnded", int(s.ended), "is no policy"))
	}
	const most = 16
	if n := len(s.attributes); n > most {
		faults = append(faults, task.Invalid("workflow.Attribute", n, fmt.Sprintf("are more than %d", most)))
	}
	for k, v := range s.attributes {
		if k == "" || strings.Contains(k, "=") || len(k)+len(v) > 256 {
			faults = append(faults, task.Invalid("workflow.Attribute", k+"="+v, "needs a key without =, and at most 256 bytes"))
		}
	}
	return errors.Join(faults...)
}

func (w Workflow[In, Out]) start(ctx context.Context, c *queue.Client, in In, opts []StartOption) (Run[Out], error) {
	if c == nil {
		return Run[Out]{}, task.Invalid("client", nil, "must not be nil")
	}
	l, err := w.launch(c, in, uuid.NewString(), opts)
	if err != nil {
		return Run[Out]{}, err
	}
	run := w.Open(c, l.home.ID)
	run.Existed, err = l.ensure(ctx, c.Broker())
	return run, err
}

// launch returns a run that is to begin with in, under the id unless the options give
// it another.
func (w Workflow[In, Out]) launch(c *queue.Client, in In, id string, opts []StartOption) (launch, error) {
	s := start{id: id}
	for _, o := range opts {
		o(&s)
	}
	if err := s.check(); err != nil {
		return launch{}, err
	}
	input, err := w.encode(in)
	if err != nil {
		return launch{}, err
	}
	return launch{plan: w.plan, home: w.Open(c, s.id).home, control: newControl(w.plan, input, s), input: input, start: s, audience: callers{c}}, nil
}

// encode returns an input as it is stored, or why it cannot be.
func (w Workflow[In, Out]) encode(in In) ([]byte, error) {
	b, err := plan.Encode(in)
	if err == nil {
		err = w.plan.CheckOutput("the input of workflow "+w.plan.Name, w.plan.Nodes[0], b)
	}
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return b, nil
}
