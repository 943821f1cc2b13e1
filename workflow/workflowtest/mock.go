package workflowtest

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// Mock has fn run in place of the step's own function, from now on, wherever the step
// is in the engine's workflows. As a step's function, fn may be called from several
// goroutines, and more than once; for a batched step it is called with each input by
// itself. It fails the test if the workflows do not have the step.
func Mock[In, Out any](e *Engine, s workflow.Step[In, Out], fn func(context.Context, In) (Out, error)) {
	e.t.Helper()
	spec := s.Spec()
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.steps[spec.Type]
	if !ok || known.origin != spec.Origin {
		e.t.Fatalf("workflowtest.Mock: the engine's workflows do not have step %q", spec.Type)
	}
	known.mock = func(ctx context.Context, input []byte) ([]byte, error) {
		in, err := plan.Decode[In](input)
		if err != nil {
			return nil, fmt.Errorf("input of mock of step %s: %w", spec.Type, err)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		return plan.Encode(out)
	}
}

// Calls returns how often the step's function, or what stands in for it, was called so
// far, in all runs together. It fails the test if the engine's workflows do not have
// the step.
func (e *Engine) Calls(s workflow.Registrable) int {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	spec := s.Spec()
	known, ok := e.steps[spec.Type]
	if !ok || known.origin != spec.Origin {
		e.t.Fatalf("workflowtest.Engine.Calls: the engine's workflows do not have step %q", spec.Type)
	}
	return known.calls
}

// A standIn is a workflow or a step whose functions are called by way of the engine.
type standIn plan.Spec

// Spec is for [workflow.Register].
func (s standIn) Spec() plan.Spec { return plan.Spec(s) }

// watch returns s with functions that are called by way of the engine, which serves its
// queues; queue is that of steps that name none.
func (e *Engine) watch(s plan.Spec, queue string) plan.Spec {
	if s.Plan != nil {
		specs := make(map[string]plan.Spec, len(s.Plan.Specs))
		for name, part := range s.Plan.Specs {
			specs[name] = e.watch(part, s.Plan.Queue)
		}
		for _, n := range s.Plan.Nodes {
			e.nodes[n.Name] = e.nodes[n.Name] || n.Kind.Settles()
			if n.Unit != nil && !n.Unit.Workflow {
				e.config.Queues[n.Unit.Queue] = 1
			}
		}
		s.Plan = s.Plan.With(specs)
		return s
	}
	if s.Undoing != nil {
		undoing := e.watch(*s.Undoing, queue)
		s.Undoing = &undoing
	}
	unit := s.Unit
	if err := unit.Resolve(queue, s.Options); err == nil { // otherwise Register refuses it
		e.config.Queues[unit.Queue] = 1
	}
	known := e.steps[s.Type]
	if known == nil {
		known = &step{origin: s.Origin}
		e.steps[s.Type], e.nodes[s.Type] = known, true
	}
	s.Call, s.Many = e.single(known, s.Call), e.batch(known, s.Many)
	return s
}

// single returns a function that is called by way of the engine in place of own.
func (e *Engine) single(s *step, own func(context.Context, []byte) ([]byte, error)) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, input []byte) ([]byte, error) {
		if mock := e.called(s); mock != nil {
			return mock(ctx, input)
		}
		return own(ctx, input)
	}
}

// batch is single for a step that is batched. What stands in for it is not.
func (e *Engine) batch(s *step, own func(context.Context, [][]byte) ([]plan.Result, error)) func(context.Context, [][]byte) ([]plan.Result, error) {
	if own == nil {
		return nil
	}
	return func(ctx context.Context, inputs [][]byte) ([]plan.Result, error) {
		mock := e.called(s)
		if mock == nil {
			return own(ctx, inputs)
		}
		results := make([]plan.Result, len(inputs))
		for i, input := range inputs {
			results[i].Output, results[i].Err = mock(ctx, input)
		}
		return results, nil
	}
}

// called counts a call, and returns what stands in for the step, or nil.
func (e *Engine) called(s *step) func(context.Context, []byte) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.calls++
	return s.mock
}
