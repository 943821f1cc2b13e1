package task_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/task"
)

func TestOptionsPrintAsAsynqWritesThem(t *testing.T) {
	eastern := time.FixedZone("EST", -5*3600)
	at := time.Date(2024, 1, 2, 3, 4, 5, 678, eastern)
	for _, c := range []struct {
		option task.Option
		want   string
	}{
		{task.MaxRetry(3), `MaxRetry(3)`},
		{task.Queue("low"), `Queue("low")`},
		{task.Queue(`a"b`), `Queue("a\"b")`},
		{task.ID("x"), `TaskID("x")`},
		{task.Timeout(90 * time.Second), `Timeout(1m30s)`},
		{task.Deadline(at), `Deadline(Tue Jan  2 03:04:05 EST 2024)`},
		{task.Unique(time.Hour), `Unique(1h0m0s)`},
		{task.ProcessAt(at), `ProcessAt(Tue Jan  2 03:04:05 EST 2024)`},
		{task.ProcessIn(time.Minute), `ProcessIn(1m0s)`},
		{task.Retention(24 * time.Hour), `Retention(24h0m0s)`},
		{task.Group("g"), `Group("g")`},
		{task.StartBy(at), `StartBy(Tue Jan  2 03:04:05 EST 2024)`},
		{task.NoTimeout(), `NoTimeout()`},
		{task.MaxCrashes(3), `MaxCrashes(3)`},
		{task.UniqueUntilDone(), `UniqueUntilDone()`},
		{task.UniqueUntilStart(), `UniqueUntilStart()`},
		{task.UniqueFor(time.Hour), `UniqueFor(1h0m0s)`},
		{task.Debounce(time.Second, time.Minute), `Debounce(1s, 1m0s)`},
		{task.Rerun(), `Rerun()`},
		{task.UniqueKey("order"), `UniqueKey("order")`},
		{task.OnConflict(task.Replace), `OnConflict(replace)`},
		{task.Header("k", "v"), `Header(["k","v"])`},
		{task.Header("<k>", `"v"`), `Header(["\u003ck\u003e","\"v\""])`},
	} {
		if got := c.option.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestOptionsAreComparable(t *testing.T) {
	if task.MaxRetry(3) != task.MaxRetry(3) || task.Header("a", "b") != task.Header("a", "b") {
		t.Error("equal options differ")
	}
	if task.Queue("x") == task.ID("x") || task.Timeout(1) == task.Retention(1) {
		t.Error("options of different kinds are equal")
	}
}
