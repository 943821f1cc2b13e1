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
// What is told of a commit is told by the one who has made it, after it.
type Tracer interface {
	queue.Tracer

	// StartRun is called before a run is stored, by whoever starts it with ctx, or before
	// it begins again in another epoch. The headers that it returns are kept with the run,
	// and all its tasks have them. started is called with nil if the run has begun, or why
	// it has not: somebody else may have begun it.
	StartRun(ctx context.Context, r TracedRun) (headers map[string]string, started func(error))

	// EndRun is called when a run has ended.
	EndRun(ctx context.Context, r TracedRun)

	// EndStep is called when a step has ended that is not told of as a
	// [queue.TracedAttempt]: a wait, a run within the run, or one whose entry was lost.
	EndStep(ctx context.Context, r TracedRun, s TracedStep)

	// Inputs is called when the attempt that has ctx knows from which steps its input
	// comes: none if it is the run's own.
	Inputs(ctx context.Context, r TracedRun, s TracedStep, from []TracedStep)

	// HandOff is called when the attempt that has ctx, of the step s, has made tasks
	// ready by its commit.
	HandOff(ctx context.Context, r TracedRun, s TracedStep, to []HandOff)

	// SendSignal is called before a signal is sent to a run. Its headers travel with it.
	// sent is called with what became of that.
	SendSignal(ctx context.Context, r TracedRun, signal string) (headers map[string]string, sent func(error))

	// TakeSignal is called when a step, that has waited for it, has taken a signal.
	TakeSignal(ctx context.Context, r TracedRun, s TracedStep, signal TracedSignal)
}

// A TracedRun is a run, as far as a [Tracer] needs to know it.
type TracedRun struct {
	Workflow string
	Queue    string // beside which it is kept
	ID       string
	Root     string            // what the ids of its entries begin with, another in each epoch
	Epoch    int               // how often it was retried
	Headers  map[string]string // what StartRun returned; of one that is about to begin again, what it has returned before

	Started    time.Time
	Begins     time.Time // if it was started to begin later, or zero
	Ended      time.Time
	State      State
	Failed     string     // the step that is to blame; "" if none is
	Entry      string     // the periodic entry that has started it; "" if none has
	Tick       string     // and the tick's time
	Parent     *TracedRun // whose step ParentStep it is; nil if it is no run's
	ParentStep TracedStep
}

// A TracedStep is a step of a run, an item of one, or a round.
type TracedStep struct {
	ID    string // of its entry, or that an entry of it would have
	Queue string // in which it is run; "" if it is run in none
	Name  string
	Item  int    // -1: it has none
	Kind  string // "step", "wait" for a signal, "sleep", "run" within the run, "undo"
	State StepState
	Began time.Time // zero if that is not known
	Ended time.Time
	Width int // of a map, as one from which input comes: how many items it has
}

// A HandOff is tasks that were made ready in one queue.
type HandOff struct {
	Queue string
	Count int // 0: not known
}

// A TracedSignal is a signal that was taken.
type TracedSignal struct {
	Name    string
	Number  int // of those of its name that were sent to the run, from 1 on
	Sent    time.Time
	Headers map[string]string
}
