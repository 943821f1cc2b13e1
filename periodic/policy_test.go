package periodic_test

import (
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
)

func TestPoliciesAreReadAsTheyPrint(t *testing.T) {
	for _, m := range []periodic.Missed{periodic.Skip(), periodic.RunOnce(), periodic.RunAll(10, time.Hour), periodic.RunAll(1, 1500*time.Millisecond)} {
		if got, err := periodic.ParseMissed(m.String()); got != m || err != nil {
			t.Errorf("ParseMissed(%q) = %v, %v", m.String(), got, err)
		}
	}
	for _, o := range []periodic.Overlap{periodic.Allow, periodic.SkipOverlap, periodic.QueueOne, periodic.CancelPrevious} {
		if got, err := periodic.ParseOverlap(o.String()); got != o || err != nil {
			t.Errorf("ParseOverlap(%q) = %v, %v", o.String(), got, err)
		}
	}
	for _, text := range []string{"", "none", "all", "all 3", "all x within 1h", "all 3 within x", "all 3 in 1h"} {
		if got, err := periodic.ParseMissed(text); err == nil {
			t.Errorf("ParseMissed(%q) = %v, nil", text, got)
		}
	}
}

// k is by how many ticks the fleet is away, in the tests of what is missed.
const k = 7

func TestWhatWasMissed(t *testing.T) {
	cases := []struct {
		name   string
		missed periodic.Missed
		want   []int // of the ticks 1 to k
	}{
		{"is skipped", periodic.Skip(), nil},
		{"is run once, as the latest", periodic.RunOnce(), []int{7}},
		{"is run as often as it may, the latest, oldest first", periodic.RunAll(3, 24*time.Hour), []int{5, 6, 7}},
		{"is run as far back as it may", periodic.RunAll(500, 149*time.Minute), []int{6, 7}},
		{"is all run", periodic.RunAll(500, 24*time.Hour), []int{1, 2, 3, 4, 5, 6, 7}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				e := periodic.Entry{Name: "e", Schedule: "0 * * * *", Type: "t", Missed: c.missed}
				start := time.Now()
				stop := x.schedule(periodic.Config{}, e)
				time.Sleep(30 * time.Minute)
				stop()
				time.Sleep(k * time.Hour)
				stop = x.schedule(periodic.Config{}, e)
				time.Sleep(time.Minute)
				stop()
				var want []time.Time
				for _, n := range c.want {
					want = append(want, start.Add(time.Duration(n)*time.Hour))
				}
				x.wantTimes("e", want)
			})
		})
	}
}

func TestATickThatIsLateByTheWindowIsOnTime(t *testing.T) {
	for _, late := range []time.Duration{10 * time.Minute, 10*time.Minute + time.Second} {
		inBubble(t, func(x *bench) {
			e := periodic.Entry{Name: "e", Schedule: "0 * * * *", Type: "t", Window: 10 * time.Minute}
			start := time.Now()
			stop := x.schedule(periodic.Config{}, e)
			time.Sleep(30 * time.Minute)
			stop()
			time.Sleep(30*time.Minute + late - 2*time.Millisecond) // it reads first
			x.schedule(periodic.Config{}, e)
			time.Sleep(time.Minute)
			var want []time.Time
			if late == e.Window {
				want = []time.Time{start.Add(time.Hour)}
			}
			x.wantTimes("e", want)
		})
	}
}

func TestATickOnTimeStandsForThoseMissed(t *testing.T) {
	for _, missed := range []periodic.Missed{periodic.RunOnce(), periodic.RunAll(1, 24*time.Hour)} {
		inBubble(t, func(x *bench) {
			e := periodic.Entry{Name: "e", Schedule: "0 * * * *", Type: "t", Missed: missed}
			start := time.Now()
			stop := x.schedule(periodic.Config{}, e)
			time.Sleep(30 * time.Minute)
			stop()
			time.Sleep(4*time.Hour + 30*time.Minute + 10*time.Second) // the fifth is on time
			x.schedule(periodic.Config{}, e)
			time.Sleep(time.Minute)
			x.wantTimes("e", []time.Time{start.Add(5 * time.Hour)})
			if got, want := x.told("e"), []string{"missed", "fired"}; !slices.Equal(got, want) {
				t.Errorf("history tells %v, want %v", got, want)
			}
		})
	}
}

func TestTenYearsOfSecondsAreNotCounted(t *testing.T) {
	inBubble(t, func(x *bench) {
		e := every("e", time.Second, periodic.Allow)
		e.Missed, e.Window = periodic.RunAll(500, 20*365*24*time.Hour), time.Second
		stop := x.schedule(periodic.Config{}, e)
		time.Sleep(500 * time.Millisecond)
		stop()
		time.Sleep(80 * 24 * time.Hour) // 90 days later it would be forgotten
		back := time.Now()
		stop = x.schedule(periodic.Config{}, e)
		time.Sleep(400 * time.Millisecond)
		stop()
		x.wantTicks("e", time.Second, back.Add(-500*time.Second), back)
	})
}
