package task

import (
	"maps"
	"slices"
)

// A Task is a unit of work: a type, which decides the handler, and a payload,
// which is for the handler to understand. It never changes, so that one Task
// may be enqueued several times and from several goroutines.
type Task struct {
	typ     string
	payload []byte
	headers map[string]string
	options []Option
	writer  *ResultWriter

	defaults []Option // of its Kind
}

// New returns a task of the given type. The options are used whenever it is
// enqueued; those given to the call that enqueues it win over them.
//
// New checks nothing: a wrong type or option is refused where the task is
// enqueued. It keeps payload, which must not be modified afterwards.
func New(typ string, payload []byte, options ...Option) *Task {
	return &Task{
		typ:     typ,
		payload: payload,
		headers: headersOf(options),
		options: slices.Clone(options),
	}
}

// Received returns the task that is handed to a handler. It keeps payload and
// headers, which must not be modified afterwards. It is for the engine, and for
// tests of handlers that write a result.
func Received(typ string, payload []byte, headers map[string]string, w *ResultWriter) *Task {
	return &Task{typ: typ, payload: payload, headers: headers, writer: w}
}

// Type returns the type that the task was made with.
func (t *Task) Type() string { return t.typ }

// Payload returns the payload. It is shared and must not be modified.
func (t *Task) Payload() []byte { return t.payload }

// Headers returns a copy of the headers, or nil if there are none. A task that
// one made oneself has those of its own [Header] options.
func (t *Task) Headers() map[string]string {
	if len(t.headers) == 0 {
		return nil
	}
	return maps.Clone(t.headers)
}

// Options returns a copy of the options that the task was made with. A task
// that a handler receives has none.
func (t *Task) Options() []Option { return slices.Clone(t.options) }

// Defaults returns a copy of the defaults of its [Kind]. A task that was made
// with [New] has none, nor has one that a handler receives.
func (t *Task) Defaults() []Option { return slices.Clone(t.defaults) }

// ResultWriter returns the writer for what the handler has to say about a task
// that it received. It is nil on a task that one made oneself.
func (t *Task) ResultWriter() *ResultWriter { return t.writer }
