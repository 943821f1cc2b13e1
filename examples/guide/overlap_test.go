package guide_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

var rewrite = flag.Bool("rewrite", false, "write the pictures in testdata anew")

// A picture of a policy has five ticks, each with a task that takes as long as two and a
// half of them.
const (
	perColumn = 2 * time.Second
	period    = 4 * perColumn
	takes     = 10 * perColumn
	ofTicks   = 5
)

func TestPicturesOfOverlaps(t *testing.T) {
	var all strings.Builder
	for _, o := range []periodic.Overlap{periodic.Allow, periodic.SkipOverlap, periodic.QueueOne, periodic.CancelPrevious} {
		synctest.Test(t, func(t *testing.T) { all.WriteString(picture(t, o)) })
	}
	const file = "testdata/overlap.txt"
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

// A spell is for how long a tick's task runs.
type spell struct {
	begins, ends time.Time
	cancelled    bool
}

// picture runs the ticks under a policy, and draws when the task of each runs.
func picture(t *testing.T, o periodic.Overlap) string {
	b := brokertest.NewModel()
	first := time.Now().Add(period)
	var mu sync.Mutex
	spells := make(map[time.Time]*spell)
	mux := task.NewMux()
	mux.HandleFunc("t", func(ctx context.Context, _ *task.Task) error {
		tick, _ := periodic.TickFromContext(ctx)
		s := spell{begins: time.Now()}
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			s.cancelled = true
		}
		s.ends = time.Now()
		mu.Lock()
		defer mu.Unlock()
		spells[tick.Time] = &s
		return nil
	})
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 10})
	if err != nil {
		t.Fatal(err)
	}
	s := periodic.New(queue.NewClient(b), periodic.Config{})
	err = s.Register(periodic.Entry{
		Name: "e", Schedule: fmt.Sprintf("@every %v", period), Start: first, End: first.Add((ofTicks - 1) * period), Type: "t", Overlap: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, 2*time.Minute, func(ctx context.Context) error { return queue.Run(ctx, srv.Serving(mux), s) })
	drawn := o.String() + "\n"
	for n := range ofTicks {
		at := first.Add(time.Duration(n) * period)
		line := strings.Repeat(" ", columns(at.Sub(first))) + spells[at.UTC()].draw(at)
		drawn += fmt.Sprintf("  %d  %s\n", n+1, line)
	}
	return drawn
}

func columns(d time.Duration) int { return int(d.Round(perColumn) / perColumn) }

// draw draws s from its tick on; nil: its task is not run.
func (s *spell) draw(tick time.Time) string {
	if s == nil {
		return "-"
	}
	line := strings.Repeat(".", columns(s.begins.Sub(tick))) + strings.Repeat("=", columns(s.ends.Sub(s.begins)))
	if s.cancelled {
		line += "x"
	}
	return line
}
