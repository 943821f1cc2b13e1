package yamlfile_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/periodic/yamlfile"
	"github.com/leatwork/leat/queue/queuetest"
)

func TestASchedulerFollowsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "periodic.yaml")
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		faults := 0
		s := periodic.New(rec.Client, periodic.Config{
			Provider: yamlfile.New(path),
			OnError:  func(context.Context, periodic.Tick, error) { faults++ },
			Logger:   slog.New(slog.DiscardHandler),
		})
		write := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("entries: {clock: {schedule: '0 * * * *', type: strike, template: '{{.Time.Hour}}'}}")
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(150 * time.Minute) // 01:00, 02:00
		write("entries: {clock: {schedule: '30 * * * *'")
		time.Sleep(time.Hour) // 03:00: what is faulty changes nothing
		if faults == 0 {
			t.Error("a faulty file is not told")
		}
		write("entries: {}")
		time.Sleep(time.Hour)
		cancel()
		running.Wait()
		var got []string
		for _, info := range rec.Enqueued(queuetest.OfType("strike")) {
			got = append(got, string(info.Payload))
		}
		if want := []string{"1", "2", "3"}; !slices.Equal(got, want) {
			t.Errorf("ticks have the payloads %q, want %q", got, want)
		}
	})
}
