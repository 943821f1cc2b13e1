package task_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/leatwork/leat/task"
)

func TestAnOptionIsReadBackFromWhatItPrints(t *testing.T) {
	at := time.Date(2030, 3, 17, 5, 4, 3, 0, time.UTC)
	for _, o := range []task.Option{
		task.ID("a/b"), task.ID(`odd ")" id`), task.Queue("low"), task.Group("g)h"), task.MaxRetry(3), task.MaxRetry(-1),
		task.Timeout(90 * time.Second), task.Unique(time.Hour), task.ProcessIn(-time.Minute), task.Retention(1500 * time.Millisecond),
		task.Header("k", "v"), task.Header("k)", `"<,>"`), task.Header("", ""),
		task.Deadline(at), task.ProcessAt(at),
	} {
		got, err := task.ParseOption(o.String())
		if err != nil || got.String() != o.String() {
			t.Errorf("ParseOption(%s) = %v, %v, want the same", o, got, err)
		}
	}
}

func TestATextThatIsNoOptionIsRefusedAndNamed(t *testing.T) {
	for _, text := range []string{
		"", "(", ")", "()", "MaxRetry", "MaxRetry(", "MaxRetry)", "MaxRetry(x)", "MaxRetry(3", "Queue(low)", "Nothing(3)",
		"Timeout(5)", "Deadline(soon)", `Header("k")`, `Header(["k"])`, `Header(["k","v","w"])`, "maxretry(3)",
		"ProcessAt(Tue Jan  2 03:04:05 XYZ 2024)",
	} {
		o, err := task.ParseOption(text)
		if e, ok := errors.AsType[*task.InvalidError](err); !ok || o != nil || e.Field != "option" || e.Value != strconv.Quote(text) {
			t.Errorf("ParseOption(%q) = %v, %v, want an InvalidError that names it", text, o, err)
		}
	}
}

func FuzzParseOption(f *testing.F) {
	for _, seed := range []string{"MaxRetry(3)", `Queue("low")`, `Header(["k","v"])`, "ProcessAt(Tue Jan  2 03:04:05 UTC 2024)", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := task.ParseOption(text)
		if (o == nil) != (err != nil) {
			t.Errorf("ParseOption(%q) = %v, %v, want one of them", text, o, err)
		}
	})
}
