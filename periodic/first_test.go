package periodic_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

func TestAHandlerGetsTheTick(t *testing.T) {
	inBubble(t, func(x *bench) {
		type input struct{ Day string }
		zone, err := time.LoadLocation("Asia/Tokyo")
		if err != nil {
			t.Fatal(err)
		}
		e := periodic.Entry{
			Name: "report", Schedule: "0 2 * * *", Zone: "Asia/Tokyo", Type: "report:make",
			Payload: periodic.JSON(func(t periodic.Tick) input { return input{t.Time.Format(time.DateOnly)} }),
			Overlap: periodic.SkipOverlap,
			Options: []task.Option{task.MaxRetry(3)},
		}
		type got struct {
			Day  string
			Tick periodic.Tick
			Max  int
		}
		var gots []got
		x.serve(func(ctx context.Context, tk *task.Task) error {
			var in input
			if err := json.Unmarshal(tk.Payload(), &in); err != nil {
				t.Error(err)
			}
			tick, ok := periodic.TickFromContext(ctx)
			same, is := periodic.TickOf(tk)
			if !ok || !is || !cmp.Equal(tick, same) {
				t.Errorf("TickOf() = %v, TickFromContext() = %v", same, tick)
			}
			most, _ := task.GetMaxRetry(ctx)
			gots = append(gots, got{in.Day, tick, most})
			return nil
		})
		x.schedule(periodic.Config{}, e)
		x.pass(24 * time.Hour)
		at := time.Date(2000, 1, 2, 2, 0, 0, 0, zone)
		want := []got{{"2000-01-02", periodic.Tick{Entry: "report", Time: at.UTC(), Overlap: periodic.SkipOverlap}, 3}}
		if d := cmp.Diff(want, gots); d != "" {
			t.Errorf("handler got (-want +got):\n%s", d)
		}
		info := x.info("report")
		if len(info.Open) != 0 || !info.Prev.Equal(at) || !info.Next.Equal(at.AddDate(0, 0, 1)) || info.Source != periodic.FromCode {
			t.Errorf("Get() = %+v", info)
		}
	})
}
