package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/task"
)

func TestAnInvalidErrorNamesFieldValueAndRule(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"a\nb", `invalid x "a\nb": is wrong`},
		{"", `invalid x "": is wrong`},
		{"\xff", `invalid x "\xff": is wrong`},
		{-3, `invalid x -3: is wrong`},
		{nil, `invalid x <nil>: is wrong`},
		{90 * time.Second, `invalid x 1m30s: is wrong`},
		{strings.Repeat("é", 40), `invalid x "` + strings.Repeat("é", 40) + `": is wrong`},
		{strings.Repeat("a", 81), `invalid x "` + strings.Repeat("a", 80) + `"… (81 bytes): is wrong`},
		{errors.New(strings.Repeat("a", 79) + "é"), `invalid x ` + strings.Repeat("a", 79) + `…: is wrong`},
	} {
		err := task.Invalid("x", c.value, "is wrong")
		if got := err.Error(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if !utf8.ValidString(err.Error()) {
			t.Errorf("%q is not valid UTF-8", err.Error())
		}
	}
}

func TestAnInvalidErrorMatchesErrInvalid(t *testing.T) {
	err := fmt.Errorf("enqueue: %w", errors.Join(errors.New("other"), task.Invalid("queue", "", "must not be empty")))
	if !errors.Is(err, task.ErrInvalid) {
		t.Errorf("%v does not match ErrInvalid", err)
	}
	if invalid, ok := errors.AsType[*task.InvalidError](err); !ok || invalid.Field != "queue" {
		t.Errorf("got %v, %t, want the error of the queue", invalid, ok)
	}
	if errors.Is(err, task.SkipRetry) {
		t.Errorf("%v matches an error that it does not wrap", err)
	}
}
