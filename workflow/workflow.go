package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Workflow is a graph of steps that turns an In into an Out. It is made by
// package dag, and is a value that can be used by several goroutines at once. It can
// be a step of other workflows.
type Workflow[In, Out any] struct{ plan *plan.Plan }

// FromPlan is for package dag.
func FromPlan[In, Out any](p *plan.Plan) Workflow[In, Out] { return Workflow[In, Out]{p} }

// Spec is for package dag and for [Register].
func (w Workflow[In, Out]) Spec() plan.Spec {
	if w.plan == nil {
		panic("workflow: a Workflow that dag.New has not made, or not yet")
	}
	return plan.Spec{Unit: plan.Unit{Type: w.plan.Name, Workflow: true, Takes: w.plan.Takes, Gives: w.plan.Gives}, Plan: w.plan}
}

func (w Workflow[In, Out]) types(In) (out Out) { return out }

// Name returns the name that the workflow was given.
func (w Workflow[In, Out]) Name() string { return w.plan.Name }

// Mermaid returns the workflow's graph as a flowchart in the Mermaid language, the
// same text as long as the graph is the same.
func (w Workflow[In, Out]) Mermaid() string { return w.plan.Mermaid() }

// Start starts a run with input in. When it returns without error, the run will
// be carried to its end by the servers on which the workflow is registered, even
// if every process stops now.
//
// Without [RunID] the run gets an id of its own (a UUID). If a run of that id
// exists, is of this workflow and has this input, [IfRunning] and [IfEnded] say what
// becomes of that; unless they do it is returned with Existed set. Otherwise the error
// is a [RunExistsError]. An error that matches [queue.ErrUnknown] leaves open whether
// the run was started; starting it again with its id tells.
func (w Workflow[In, Out]) Start(ctx context.Context, c *queue.Client, in In, opts ...StartOption) (Run[Out], error) {
	run, err := w.start(ctx, c, in, opts)
	if err != nil {
		return Run[Out]{}, fmt.Errorf("start %s: %w", w.plan.Name, err)
	}
	return run, nil
}

// Open returns the run of this workflow that has the given id, without asking
// whether there is one.
func (w Workflow[In, Out]) Open(c *queue.Client, id string) Run[Out] {
	home := broker.Home{Queue: w.plan.Queue, ID: id}
	return Run[Out]{Handle: Handle{ID: id, home: home, plan: w.plan, broker: c.Broker(), audience: callers{c}}}
}

// An Option sets what holds for all runs of a workflow.
type Option func(*plan.Plan)

// Queue sets the queue beside which the workflow's runs are kept, and into which
// its steps go unless they say otherwise. The default is [task.DefaultQueue].
func Queue(name string) Option { return func(p *plan.Plan) { p.Queue = name } }

// What holds for a run unless its workflow says otherwise.
const (
	DefaultRetention        = 24 * time.Hour
	DefaultFailureRetention = 7 * 24 * time.Hour
	DefaultMaxOutput        = 1 << 20
	DefaultMaxRun           = 32 << 20
)

// Retention sets how long a run is kept after it was done, for its result to be
// read and its id to be remembered. It is a second at least; the default is
// [DefaultRetention].
func Retention(d time.Duration) Option { return func(p *plan.Plan) { p.Terms.Retention = d } }

// FailureRetention sets how long a run is kept after it has failed, was cancelled or
// was too late, for people to look at it and to retry it. It is a second at least;
// the default is [DefaultFailureRetention].
func FailureRetention(d time.Duration) Option {
	return func(p *plan.Plan) { p.Terms.FailureRetention = d }
}

// Deadline sets how long a run may take from its start, pauses included. A run that
// takes longer is closed, undone and ends as [TimedOut]; no step of it has more time.
// The default is no limit.
func Deadline(d time.Duration) Option { return func(p *plan.Plan) { p.Terms.Deadline = d } }

// MaxOutput sets how many bytes an input, an output or a result may have, as JSON. A
// step that gives more has failed. A list that only maps take, or that a map gives, is
// not one value: each of its elements is. The default is [DefaultMaxOutput].
func MaxOutput(bytes int) Option { return func(p *plan.Plan) { p.Terms.MaxOutput = bytes } }

// MaxRun sets how many bytes all that is kept of a run may have together: its input,
// its outputs and what the engine notes. The step that exceeds it has failed. The
// default is [DefaultMaxRun].
func MaxRun(bytes int64) Option { return func(p *plan.Plan) { p.Terms.MaxRun = bytes } }

// A BlobStore keeps outputs outside of the broker, under keys that never come again.
// Its methods may be called from several goroutines. A blob may be written several
// times, by several attempts, each with a key of its own. It must be kept at least as
// long as its run; deleting it is the store's affair.
type BlobStore interface {
	// Put stores a blob. When it returns without error Get finds it, from wherever.
	Put(ctx context.Context, key string, blob []byte) error

	// Get returns the blob that was stored under a key. Its error has the step that
	// needs the blob tried again.
	Get(ctx context.Context, key string) ([]byte, error)
}

// Blobs has outputs of more than over bytes kept in store, of whatever size. What
// runs the workflow needs the store wherever it does.
func Blobs(over int, store BlobStore) Option {
	return func(p *plan.Plan) { p.Blobs = plan.Blobs{Over: over, Store: store} }
}
