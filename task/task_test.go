package task_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

func TestATaskHasWhatItWasMadeWith(t *testing.T) {
	options := []task.Option{task.Queue("low"), task.MaxRetry(3)}
	tk := task.New("email:welcome", []byte(`{"user_id":42}`), options...)

	if got, want := tk.Type(), "email:welcome"; got != want {
		t.Errorf("Type() = %q, want %q", got, want)
	}
	if got, want := string(tk.Payload()), `{"user_id":42}`; got != want {
		t.Errorf("Payload() = %s, want %s", got, want)
	}
	if diff := cmp.Diff(printed(options), printed(tk.Options())); diff != "" {
		t.Errorf("Options (-want +got):\n%s", diff)
	}
	if got := tk.Headers(); got != nil {
		t.Errorf("Headers() = %v, want nil", got)
	}
	if got := tk.ResultWriter(); got != nil {
		t.Errorf("ResultWriter() = %v, want nil on a task one made oneself", got)
	}
}

func TestATaskHasTheHeadersOfItsOptions(t *testing.T) {
	tk := task.New("t", nil, task.Header("a", "1"), task.MaxRetry(1), nil, task.Header("b", "2"), task.Header("a", "3"))
	if diff := cmp.Diff(map[string]string{"a": "3", "b": "2"}, tk.Headers()); diff != "" {
		t.Errorf("Headers (-want +got):\n%s", diff)
	}
}

func TestATaskSharesNoOptionsAndNoHeaders(t *testing.T) {
	options := []task.Option{task.Header("a", "1")}
	tk := task.New("t", nil, options...)

	options[0] = task.Header("a", "changed by the caller")
	tk.Options()[0] = task.MaxRetry(9)
	tk.Headers()["a"] = "changed by a reader"

	if got := tk.Options()[0]; got != task.Header("a", "1") {
		t.Errorf("option is now %v", got)
	}
	if got := tk.Headers()["a"]; got != "1" {
		t.Errorf("header is now %q", got)
	}
}

func TestAReceivedTaskHasHeadersAndAWriter(t *testing.T) {
	w := task.NewResultWriter(t.Context(), "id-1", 0)
	tk := task.Received("t", []byte("p"), map[string]string{"a": "1"}, w)

	if diff := cmp.Diff(map[string]string{"a": "1"}, tk.Headers()); diff != "" {
		t.Errorf("Headers (-want +got):\n%s", diff)
	}
	if tk.ResultWriter() != w {
		t.Error("ResultWriter() is not the one that it was made with")
	}
	if got := tk.Options(); len(got) != 0 {
		t.Errorf("Options() = %v, want none", got)
	}
	if got := task.Received("t", nil, map[string]string{}, nil).Headers(); got != nil {
		t.Errorf("Headers() of an empty map = %v, want nil", got)
	}
}

func printed(options []task.Option) []string {
	var words []string
	for _, o := range options {
		words = append(words, o.String())
	}
	return words
}

// answer returns a handler whose error is err.
func answer(err error) task.Handler {
	return task.HandlerFunc(func(context.Context, *task.Task) error { return err })
}
