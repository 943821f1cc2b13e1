package periodic

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"text/template"

	"github.com/leatwork/leat/task"
)

// A Payload says what the task of a tick has as its payload. Its zero value is
// none. It may be made by several schedulers for one tick, of which one enqueues it:
// it should depend on nothing but the tick.
type Payload struct {
	typ      string                         // of the tasks that make makes; "": any
	make     func(Tick) (*task.Task, error) // whose options are the least of all
	bytes    []byte
	template string
}

// Bytes is the same payload at each tick. It keeps b, which must not be modified
// afterwards.
func Bytes(b []byte) Payload { return Payload{bytes: b} }

// JSON is what f returns of the tick, as JSON. f may panic, which is an error; if it
// does not return for a while it is given up.
func JSON[T any](f func(Tick) T) Payload {
	if f == nil {
		panic("periodic: nil function for a payload")
	}
	return Func(func(t Tick) ([]byte, error) { return json.Marshal(f(t)) })
}

// Func is what f returns of the tick. An error, a panic, or that it does not return
// for a while, is told to [Config].OnError, and f tried again; after [Attempts] the tick
// is left out, which [Inspector.History] shows.
func Func(f func(Tick) ([]byte, error)) Payload {
	if f == nil {
		panic("periodic: nil function for a payload")
	}
	return Payload{make: func(t Tick) (*task.Task, error) {
		b, err := f(t)
		return task.New("", b), err
	}}
}

// Input is what f returns of the tick, as the input of a task of kind k. An entry
// that has it needs no Type, and the defaults of k hold for its tasks.
func Input[In, Out any](k *task.Kind[In, Out], f func(Tick) In) Payload {
	if k == nil || f == nil {
		panic("periodic: nil kind or function for a payload")
	}
	return Payload{typ: k.Type(), make: func(t Tick) (*task.Task, error) { return k.New(f(t)) }}
}

// Template is text as package [text/template] executes it over the [Tick]:
//
//	{"day": "{{.Time.Format "2006-01-02"}}"}
//
// An entry whose payload is a template, or the same at each tick, can be stored
// ([Inspector.Add]).
func Template(text string) Payload { return Payload{template: text} }

// Data returns what p was made of, for those who show it: the bytes that are the payload
// of each tick, or the text of a template. Both are empty if p is none, or a function. The
// bytes must not be modified.
func (p Payload) Data() (fixed []byte, text string) { return p.bytes, p.template }

// storable reports whether p is data only.
func (p Payload) storable() bool { return p.make == nil }

// maker returns the function that makes the task of a tick, of the type typ.
func (p Payload) maker(typ string) (func(Tick) (*task.Task, error), error) {
	switch {
	case p.typ != "":
		return p.make, nil
	case p.make != nil:
		return func(t Tick) (*task.Task, error) {
			made, err := p.make(t)
			if err != nil {
				return nil, err
			}
			return task.New(typ, made.Payload()), nil
		}, nil
	case p.template != "":
		return p.fromTemplate(typ)
	}
	made := task.New(typ, slices.Clone(p.bytes))
	return func(Tick) (*task.Task, error) { return made, nil }, nil
}

// fromTemplate is maker for a template, which is tried.
func (p Payload) fromTemplate(typ string) (func(Tick) (*task.Task, error), error) {
	parsed, err := template.New("payload").Option("missingkey=error").Parse(p.template)
	if err != nil {
		return nil, task.Invalid("Payload", p.template, err.Error())
	}
	made := func(t Tick) (*task.Task, error) {
		var b strings.Builder
		if err := parsed.Execute(&b, t); err != nil {
			return nil, err
		}
		return task.New(typ, []byte(b.String())), nil
	}
	background := context.Background() //nolint:forbidigo // who registers an entry has no context
	if _, err := call(background, new(gate), func() (*task.Task, error) { return made(Tick{}) }); err != nil {
		return nil, task.Invalid("Payload", p.template, err.Error())
	}
	return made, nil
}
