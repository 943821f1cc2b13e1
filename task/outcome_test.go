package task_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/task"
)

func TestSnoozeIsRecognizedWhereItIsWrapped(t *testing.T) {
	err := fmt.Errorf("the shop is closed: %w", task.Snooze(90*time.Second))
	snooze, ok := errors.AsType[*task.SnoozeError](err)
	if !ok || snooze.Delay != 90*time.Second {
		t.Errorf("got %v, %t, want a delay of 1m30s", snooze, ok)
	}
	if got, want := err.Error(), "the shop is closed: snooze for 1m30s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	past, _ := errors.AsType[*task.SnoozeError](task.Snooze(-time.Second))
	if past.Delay != 0 {
		t.Errorf("Snooze(-1s) delays by %v, want 0", past.Delay)
	}
}

// recovered returns the PanicError of f, made as an engine makes it.
func recovered(f func()) (p *task.PanicError) {
	defer func() { p = &task.PanicError{Value: recover(), Stack: debug.Stack()} }()
	f()
	return nil
}

func TestAPanicErrorNamesValueAndPlace(t *testing.T) {
	var nowhere *task.Info
	var zero int
	_, _, here, _ := runtime.Caller(0)
	for i, c := range []struct {
		name, value string
		f           func()
	}{
		{"a text", "boom", func() { panic("boom") }},
		{"an error", "unexpected EOF", func() { panic(io.ErrUnexpectedEOF) }},
		{"a nil pointer", "runtime error: invalid memory address or nil pointer dereference", func() { nowhere.ID = "x" }},
		{"an index", "runtime error: index out of range [1] with length 0", func() { _ = []int{}[zero+1] }},
		{"a division", "runtime error: integer divide by zero", func() { zero = 1 / zero }},
		{"nil", "panic called with nil argument", func() { panic(nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := fmt.Sprintf("panic at task/outcome_test.go:%d: %s", here+5+i, c.value)
			if got := recovered(c.f).Error(); !strings.HasPrefix(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAPanicErrorNamesThePlaceBelowDeferredCalls(t *testing.T) {
	_, _, here, _ := runtime.Caller(0)
	err := recovered(func() {
		defer func() {}() // cleans up, and does not recover
		defer func() { _ = recovered(func() { panic("caught further down") }) }()
		panic("boom")
	})
	if want := fmt.Sprintf("panic at task/outcome_test.go:%d: boom", here+4); err.Error() != want {
		t.Errorf("got %s\nwant %s", err, want)
	}
}

func TestAPanicErrorReadsPathsWithSpaces(t *testing.T) {
	stack := strings.Join([]string{
		"goroutine 1 [running]:",
		"runtime/debug.Stack()", "\t/go/src/runtime/debug/stack.go:26 +0x5e",
		"main.main.func1()", "\t/home/my user/the app/main.go:9 +0x1f",
		"panic({0x100, 0x200})", "\t/go/src/runtime/panic.go:787 +0x132",
		"main.main()", "\t/home/my user/the app/main.go:11 +0x3e",
	}, "\n")
	err := &task.PanicError{Value: 1, Stack: []byte(stack)}
	if got, want := err.Error(), "panic at the app/main.go:11: 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestATraceBeginsWithTheFunctionThatPanicked(t *testing.T) {
	var nowhere *task.Info
	for _, f := range []func(){func() { panic("boom") }, func() { nowhere.ID = "x" }} {
		trace := recovered(f).Trace()
		if lines := strings.Split(trace, "\n"); !strings.Contains(lines[0], "TestATraceBegins") || !strings.HasPrefix(lines[1], "\t") ||
			!strings.Contains(lines[1], "outcome_test.go:") || !strings.Contains(trace, "testing.tRunner(") {
			t.Errorf("the trace is\n%s", trace)
		}
	}
}

func TestAPanicErrorWithoutAStackStillNamesTheValue(t *testing.T) {
	for _, stack := range []string{"", "goroutine 1 [running]:\nmain.main()\n\t/main.go:1\n", "panic(", "panic(\n\truntime/panic.go:1"} {
		err := &task.PanicError{Value: "boom", Stack: []byte(stack)}
		if got := err.Error(); got != "panic: boom" {
			t.Errorf("stack %q: got %q", stack, got)
		}
		if got := err.Trace(); strings.Contains(got, "main") {
			t.Errorf("stack %q: its trace is %q", stack, got)
		}
	}
}

func TestAPanicErrorUnwrapsToAnError(t *testing.T) {
	var err error = &task.PanicError{Value: fmt.Errorf("read: %w", io.ErrUnexpectedEOF)}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v does not match the error that it was made of", err)
	}
	err = &task.PanicError{Value: "boom"}
	if got := errors.Unwrap(err); got != nil {
		t.Errorf("a panic with a text unwraps to %v", got)
	}
}

func TestTheOutcomesAreDistinct(t *testing.T) {
	skip, revoke := fmt.Errorf("a: %w", task.SkipRetry), fmt.Errorf("b: %w", task.Revoke)
	if !errors.Is(skip, task.SkipRetry) || errors.Is(skip, task.Revoke) {
		t.Error("a wrapped SkipRetry is not just that")
	}
	if !errors.Is(revoke, task.Revoke) || errors.Is(revoke, task.SkipRetry) {
		t.Error("a wrapped Revoke is not just that")
	}
}
