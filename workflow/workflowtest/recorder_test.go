package workflowtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A recorder is a test whose failures are remembered, and are none of the test's.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// during calls f, which may end the test that it thinks it is in.
func (r *recorder) during(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// want demands that something was said once.
func (r *recorder) want(t *testing.T, when, what string) {
	t.Helper()
	if len(r.said) != 1 || !strings.Contains(r.said[0], what) {
		t.Errorf("%s: it says %q, want one failure with %q", when, r.said, what)
	}
}
