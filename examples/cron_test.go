package examples

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
)

var (
	secondLine = regexp.MustCompile(`(?m)^  (\d\d:\d\d:\d\d)  (ann|bob)$`)
	nightLine  = regexp.MustCompile(`(?m)^  (\w+day \d+ \w+): 28\.00 from Hill Street, Mill Lane, Old Weir$`)
)

// Two replicas share the ticks; one is killed, and the other has them all; the last three
// nights are counted.
func TestCron(t *testing.T) {
	for name, args := range map[string][]string{
		"in a file": nil,
		"on sqlite": {"-broker", "sqlite:cron.db"},
		"on redis":  {"-broker", redistest.Start(t, redistest.Options{}).URL()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, "cron", args...)
			if got.code != 0 || got.stderr != "" {
				t.Fatalf("exit status %d: %s", got.code, got.stderr)
			}
			before, after, killed := strings.Cut(got.stdout, "Ann is killed. Bob goes on alone:\n")
			after, end, filled := strings.Cut(after, "The last three nights are made up for, two at a time:\n")
			if !killed || !filled || strings.Contains(after, "ann") || strings.Contains(end, "ann") || !strings.Contains(before, "bob") && !strings.Contains(before, "ann") {
				t.Errorf("it prints\n%s", got.stdout)
			}
			wantSeconds(t, got.stdout)
			var days []string
			for _, m := range nightLine.FindAllStringSubmatch(end, -1) {
				days = append(days, m[1])
			}
			slices.Sort(days)
			if len(days) != 3 || len(slices.Compact(days)) != 3 {
				t.Errorf("the nights are %q, want three", days)
			}
		})
	}
}

// wantSeconds demands that each second from the first to the last is printed once.
func wantSeconds(t *testing.T, text string) {
	t.Helper()
	var seconds []string
	for _, m := range secondLine.FindAllStringSubmatch(text, -1) {
		seconds = append(seconds, m[1])
	}
	if len(seconds) < 8 {
		t.Fatalf("it prints\n%s\nand not eight seconds", text)
	}
	var at []int
	for _, s := range seconds {
		at = append(at, after(t, seconds[0], s))
	}
	slices.Sort(at)
	for i := range at[1:] {
		if at[i+1] != at[i]+1 {
			t.Errorf("the seconds are %q, want one after another", seconds)
		}
	}
	if !strings.Contains(text, " had their tick, 0 twice.\n") {
		t.Errorf("it prints\n%s", text)
	}
}

// after returns by how many seconds one time of day is after another that is near, be
// midnight between them or not.
func after(t *testing.T, one, other string) int {
	t.Helper()
	a, errA := time.Parse(time.TimeOnly, one)
	b, errB := time.Parse(time.TimeOnly, other)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	const day, half = 24 * 60 * 60, 12 * 60 * 60
	return (int(b.Sub(a).Seconds())+day+half)%day - half
}
