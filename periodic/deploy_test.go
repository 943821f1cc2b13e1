package periodic_test

import (
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
)

func TestADeployThatChangesTheScheduleMakesNoStorm(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		old := every("e", 10*time.Minute, periodic.Allow)
		old.Missed, old.Window = periodic.RunAll(500, 24*time.Hour), time.Hour
		fresh := old
		fresh.Schedule = "@every 10s"
		a, b := x.schedule(periodic.Config{}, old), x.schedule(periodic.Config{}, old)
		time.Sleep(25 * time.Minute)
		a()
		changed := time.Now()
		x.schedule(periodic.Config{}, fresh)
		time.Sleep(30 * time.Minute) // both run
		b()
		x.schedule(periodic.Config{}, fresh)
		time.Sleep(5*time.Minute + time.Second)
		ticks := x.ticks("e")
		want := []time.Time{start.Add(10 * time.Minute), start.Add(20 * time.Minute)}
		for at := changed.Add(10 * time.Second); !at.After(start.Add(time.Hour)); at = at.Add(10 * time.Second) {
			want = append(want, at)
		}
		x.wantTimes("e", want)
		if !slices.IsSortedFunc(ticks, time.Time.Compare) {
			t.Error("ticks are not in order")
		}
	})
}

func TestADeployThatChangesThePayloadLosesNoTick(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		e := every("e", time.Hour, periodic.Allow)
		stop := x.schedule(periodic.Config{}, e)
		time.Sleep(time.Hour - 2*time.Second)
		stop()
		time.Sleep(5 * time.Second)
		e.Payload, e.Overlap = periodic.Bytes([]byte("more")), periodic.QueueOne
		x.schedule(periodic.Config{}, e)
		time.Sleep(5 * time.Second)
		x.wantTimes("e", []time.Time{start.Add(time.Hour)})
		if got := x.info("e").Overlap; got != periodic.QueueOne {
			t.Errorf("what is known is %v, want queue", got)
		}
	})
}

func TestAnEntryThatIsRegisteredAgainGoesOn(t *testing.T) {
	inBubble(t, func(x *bench) {
		e := every("e", time.Hour, periodic.Allow)
		e.Missed = periodic.RunAll(10, 30*24*time.Hour)
		x.schedule(periodic.Config{}, e)()
		stop := x.schedule(periodic.Config{}, e)
		time.Sleep(30 * time.Minute)
		stop()
		time.Sleep(60 * 24 * time.Hour)
		stop = x.schedule(periodic.Config{}, e)
		time.Sleep(time.Minute)
		stop()
		if n := len(x.ticks("e")); n != 10 {
			t.Errorf("%d ticks after 60 days, want 10", n)
		}
		time.Sleep(100 * 24 * time.Hour)
		x.schedule(periodic.Config{})
		time.Sleep(time.Minute)
		if infos, err := x.look.List(t.Context()); err != nil || len(infos) > 0 {
			t.Errorf("after 100 days that nobody runs it List() = %v, %v, want none", infos, err)
		}
	})
}
