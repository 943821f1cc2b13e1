package guide_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// timelines has, for each rule, how many tasks join a group in each second.
var timelines = []struct {
	name  string
	rule  aggregate.Rule
	joins string
}{
	{"Grace: 4s", aggregate.Rule{Grace: 4 * time.Second}, "1.2..1.................."},
	{"Grace: 4s", aggregate.Rule{Grace: 4 * time.Second}, "1.1.1.1.1.1.1.1........."},
	{"Grace: 4s, MaxDelay: 7s", aggregate.Rule{Grace: 4 * time.Second, MaxDelay: 7 * time.Second}, "1.1.1.1.1.1.1.1........."},
	{"Grace: 4s, MaxSize: 3", aggregate.Rule{Grace: 4 * time.Second, MaxSize: 3}, "1.1.1..4................"},
}

func TestPicturesOfBatches(t *testing.T) {
	var all strings.Builder
	for _, line := range timelines {
		synctest.Test(t, func(t *testing.T) {
			fmt.Fprintf(&all, "%s\n  join   %s\n  batch  %s\n", line.name, line.joins, batches(t, line.rule, line.joins))
		})
	}
	const file = "testdata/batches.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal([]byte(all.String()), want) {
		t.Errorf("the pictures are\n%s\nand %s has, %v,\n%s\nIf it should be so, run the test with -rewrite.", all.String(), file, err, want)
	}
}

// batches has tasks join a group, and returns the size of the batch that begins in each
// second.
func batches(t *testing.T, r aggregate.Rule, joins string) string {
	began, picture := time.Now(), bytes.Repeat([]byte("."), len(joins))
	b, begins := brokertest.NewModel(), make(chan [2]int, len(joins))
	agg := aggregate.New()
	agg.Handle("default", "", r, aggregate.Each(func(_ context.Context, _ string, tasks []*task.Task) []error {
		begins <- [2]int{int(time.Since(began) / time.Second), len(tasks)}
		return nil
	}))
	runner, err := agg.Runner(b, queue.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	besides(t, runner.Run, func() {
		for _, n := range joins {
			for range max(0, int(n-'0')) {
				if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("t", nil, task.Group("g"))); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
	})
	close(begins)
	for begun := range begins {
		picture[begun[0]] = byte('0' + begun[1])
	}
	return string(picture)
}
