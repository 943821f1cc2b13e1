package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
)

// A Codec turns values into payloads or results, and back. Its methods may be
// called from several goroutines. Equal values should encode to equal bytes:
// [Unique] compares payloads.
type Codec[T any] interface {
	// Encode returns v as bytes, nil if there is nothing to say.
	Encode(v T) ([]byte, error)

	// Decode returns the value that b was made of. It must not keep or modify b,
	// which is nil or empty if there is nothing.
	Decode(b []byte) (T, error)
}

// None is the input or output of a [Kind] that has none. As JSON it is no byte
// at all, and whatever is there is taken for it.
type None = struct{}

// JSON returns the codec of package encoding/json. Keys that T does not have are
// ignored, so that a program may be older than the one that enqueues.
func JSON[T any]() Codec[T] { return jsonCodec[T]{} }

type jsonCodec[T any] struct{}

func (jsonCodec[T]) Encode(v T) ([]byte, error) {
	if _, none := any(v).(None); none {
		return nil, nil
	}
	return json.Marshal(v)
}

func (jsonCodec[T]) Decode(b []byte) (v T, err error) {
	if _, none := any(v).(None); none {
		return v, nil
	}
	return v, json.Unmarshal(b, &v)
}

// ErrDecode is matched by every [DecodeError].
var ErrDecode = errors.New("cannot be decoded")

// A DecodeError says that a payload or a result is not what it should be. It
// names the shape of what was there, but no value in it.
type DecodeError struct {
	Type  string // of the task
	What  string // "payload" or "result"
	Want  string // the Go type that was wanted
	Found string // what was there: "JSON object with keys a, b"
	Err   error  // what the codec says
}

// Error names the task's type, what was wanted, and what was there.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("%s of %s %v: want %s, found %s: %v", e.What, e.Type, ErrDecode, e.Want, e.Found, e.Err)
}

// Is reports whether target is [ErrDecode].
func (e *DecodeError) Is(target error) bool { return target == ErrDecode }

// Unwrap returns what the codec said.
func (e *DecodeError) Unwrap() error { return e.Err }

// decode has c decode b. Payloads come from elsewhere: one on which the codec
// panics is as bad as one that it refuses.
func decode[T any](c Codec[T], typ, what string, b []byte) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		if err != nil {
			v, err = *new(T), &DecodeError{Type: typ, What: what, Want: reflect.TypeFor[T]().String(), Found: shape(b), Err: err}
		}
	}()
	return c.Decode(b)
}
