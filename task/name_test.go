package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/leatwork/leat/task"
)

func TestNames(t *testing.T) {
	long, made := strings.Repeat("n", task.MaxName), strings.Repeat("n", 4*task.MaxName)
	const good = ""
	for _, c := range []struct{ name, user, engine string }{
		{"default", good, good},
		{"email:welcome", good, good},
		{"AZaz09_.:/@+-", good, good},
		{"0197f9d0-0000-4000-8000-000000000000", good, good},
		{long, good, good},
		{"run~step", "has '~' at byte 3", good},
		{long + "n", "is longer than 256 bytes", good},
		{made, "is longer than 256 bytes", good},
		{made + "n", "is longer than 256 bytes", "is longer than 1024 bytes"},
		{"", "must not be empty", "must not be empty"},
		{" ", "has ' ' at byte 0", "has ' ' at byte 0"},
		{"a b", "has ' ' at byte 1", "has ' ' at byte 1"},
		{"{a}", "has '{' at byte 0", "has '{' at byte 0"},
		{"a}", "has '}' at byte 1", "has '}' at byte 1"},
		{"a\n", `has '\n' at byte 1`, `has '\n' at byte 1`},
		{"a\x00", `has '\x00' at byte 1`, `has '\x00' at byte 1`},
		{"grün", "has 'ü' at byte 2", "has 'ü' at byte 2"},
		{"a\xff", "has '\uFFFD' at byte 1", "has '\uFFFD' at byte 1"},
	} {
		check(t, "CheckName", c.name, task.CheckName("queue", c.name), c.user)
		check(t, "CheckMadeName", c.name, task.CheckMadeName("queue", c.name), c.engine)
	}
}

func check(t *testing.T, call, name string, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s(%q): %v", call, name, err)
		}
		return
	}
	if !errors.Is(err, task.ErrInvalid) || !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%s(%q): got %v, want it to say %s", call, name, err, want)
	}
}

func TestEveryByteIsAllowedOrNot(t *testing.T) {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@+-"
	for b := range 256 {
		name := string([]byte{byte(b)})
		if got, want := task.CheckName("id", name) == nil, b < 128 && strings.Contains(allowed, name); got != want {
			t.Errorf("CheckName(%q) allows it: %t, want %t", name, got, want)
		}
	}
}
