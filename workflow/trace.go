package workflow

import (
	"context"
	"time"

	"github.com/leatwork/leat/queue"
)

// A Tracer is a [queue.Tracer] that knows of runs. If that of a client or a server is one,
// this package tells it what happens to runs; if not, nothing is told. Its methods are
// called from many goroutines, and must neither block nor panic.
//
// What is told of a commit is told by the one who has made it, after it. What steps have
// come to that are tasks is told of as a [queue.TracedAttempt], with an entry of which
// [PlaceOf] says what it is for.
type Tracer interface {
	queue.Tracer

	// StartRun is called before a run is stored, by whoever starts it with ctx, or before
	// it begins again in another epoch. The headers that it returns are kept with the run,
	// and all its tasks have them. started is called with nil if the run has begun, or why
	// it has not: it matches [ErrRunExists] if somebody else has begun it, and
	// [queue.ErrUnknown] if nobody knows.
	StartRun(ctx context.Context, r TracedRun) (headers map[string]string, started func(error))

	// EndRun is called when a run has ended, or is stuck.
	EndRun(ctx context.Context, r TracedRun)

	// EndStep is called when a step has ended that is not told of as a
	// [queue.TracedAttempt]: a wait, or one whose entry was lost, deleted or cancelled, or
	// that was skipped, and which may have been tried. If an attempt has ended it all the
	// same, what that has left in the entry's headers says so.
	EndStep(ctx context.Context, r TracedRun, s TracedStep)

	// Inputs is called when the attempt that has ctx is about to take its input. from
	// tells of the steps from which that comes, at most a hundred of them, and how many
	// they are; none if it is the run's own input. It may read the storage, and is of no
	// use later.
	Inputs(ctx context.Context, r TracedRun, s TracedStep, from func() ([]TracedStep, int))

	// HandOff is called when the attempt that has ctx, of the step s, has made tasks
	// ready by its commit.
	HandOff(ctx context.Context, r TracedRun, s TracedStep, to []HandOff)

	// Decided is called when the engine has decided how a run goes on, which cause names,
	// since began: about a step, or about the whole run if s has no name.
	Decided(ctx context.Context, r TracedRun, s TracedStep, cause string, began time.Time)

	// SendSignal is called before a signal is sent to a run. Its headers travel with it.
	// sent is called with what became of that.
	SendSignal(ctx context.Context, r TracedRun, signal string) (headers map[string]string, sent func(error))

	// TakeSignal is called instead of EndStep when a step, that has waited for it, has
	// taken a signal.
	TakeSignal(ctx context.Context, r TracedRun, s TracedStep, signal TracedSignal)
}

// A TracedRun is a run, as far as a [Tracer] needs to know it.
type TracedRun struct {
	Workflow string
	Queue    string // beside which it is kept
	ID       string
	Root     string            // what the ids of its entries begin with, another in each epoch
	Epoch    int               // how often it has begun again
	Headers  map[string]string // what StartRun returned; of one that is about to begin again, what it has returned before

	Started    time.Time // in this epoch
	Begins     time.Time // if it was started to begin later, or zero
	Ended      time.Time
	State      State
	Failed     string     // the step that is to blame; "" if none is
	Entry      string     // the periodic entry that has started it; "" if none has
	Tick       string     // and the tick's time
	ByTask     bool       // it is a task that starts it, as [Workflow.StartTask] has it: known to StartRun only
	Parent     *TracedRun // whose step ParentStep it is; nil if it is no run's. Its Headers are known to StartRun only
	ParentStep TracedStep
}

// The kinds of a [TracedStep].
const (
	KindStep  = "step"  // a task
	KindWait  = "wait"  // for a signal
	KindSleep = "sleep" // for a time
	KindRun   = "run"   // within the run
	KindUndo  = "undo"  // a task that undoes a step
)

// A TracedStep is a step of a run, an item of one, or a round.
type TracedStep struct {
	ID    string // of its entry, or that an entry of it would have
	Queue string // in which it is run; "" if it is run in none
	Name  string
	Item  int    // of a map, a round of a loop, or of what the step has added; otherwise -1
	Added bool   // it is one of those
	Kind  string // one of those above

	Signal  string // for which it waits
	State   StepState
	Began   time.Time         // zero if that is not known
	Ended   time.Time         // zero if that is not known
	Headers map[string]string // of its entry, if that is known

	// HandedOff says of a step from which an input comes that its commit has made the one
	// ready that takes it.
	HandedOff bool
}

// A HandOff is tasks that were made ready in one queue.
type HandOff struct {
	Queue string
	Count int // 0: not known
}

// A TracedSignal is a signal that was taken.
type TracedSignal struct {
	Name    string
	Number  int       // of those of its name that were sent to the run, from 1 on
	Sent    time.Time // zero if that is not known
	Headers map[string]string
}
