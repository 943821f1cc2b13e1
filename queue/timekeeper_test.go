package queue

import (
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// after has a call made at noon that did due things, next being due later, and
// returns for how long k waits then.
func after(k *timekeeper, due int, later time.Duration) time.Duration {
	return k.after(broker.Advanced{Due: due, Next: noon.Add(later)}, noon, noon, quietInterval)
}

func TestWhoIsToldOfATimeComesThen(t *testing.T) {
	k := newTimekeeper()
	if got := k.remaining(noon); got > 0 {
		t.Errorf("a new timekeeper waits %v, want it to come at once", got)
	}
	k.after(broker.Advanced{}, noon, noon, quietInterval)
	if got := k.remaining(noon); got != quietInterval {
		t.Errorf("with nothing to do it waits %v, want %v", got, quietInterval)
	}
	k.tell(broker.Wake{Queue: "a", At: noon.Add(time.Second)})
	k.tell(broker.Wake{Queue: "b", At: noon.Add(300 * time.Millisecond)})
	k.tell(broker.Wake{Queue: "c", At: noon.Add(time.Hour)})
	if got := k.remaining(noon); got != 300*time.Millisecond {
		t.Errorf("told of 1s, 300ms and 1h it waits %v, want 300ms", got)
	}
	select {
	case <-k.sooner:
	default:
		t.Error("whoever sleeps is not told that it is to come sooner")
	}
}

func TestAWakeOutlastsCallsBeforeItsTime(t *testing.T) {
	k := newTimekeeper()
	k.tell(broker.Wake{Queue: "a", At: noon.Add(time.Second)})
	if got := after(k, 0, time.Hour); got != time.Second {
		t.Errorf("waits %v, want 1s", got)
	}
	if got := k.after(broker.Advanced{}, noon.Add(time.Second), noon.Add(time.Second), quietInterval); got != quietInterval {
		t.Errorf("after its time it waits %v, want %v", got, quietInterval)
	}
}

func TestWhoComesTooLateTwiceLeavesTheTimeToOthers(t *testing.T) {
	k := newTimekeeper()
	for i, want := range []time.Duration{time.Millisecond, time.Millisecond, quietInterval, quietInterval} {
		k.next = noon
		if i == 0 {
			k.next = time.Time{}
		}
		if got := after(k, 0, time.Millisecond); got != want {
			t.Errorf("call %d that finds nothing: waits %v, want %v", i, got, want)
		}
	}
	if got := after(k, 1, time.Millisecond); got != time.Millisecond {
		t.Errorf("once it has found something it waits %v, want 1ms", got)
	}
}

func TestALookThatFindsNothingIsNoMiss(t *testing.T) {
	k := newTimekeeper()
	for range 5 {
		if got := after(k, 0, 300*time.Millisecond); got != 300*time.Millisecond {
			t.Errorf("waits %v, want 300ms", got)
		}
	}
}

func TestWhoGoesLeavesTheTimesItKeeps(t *testing.T) {
	k := newTimekeeper()
	after(k, 0, time.Minute)
	k.tell(broker.Wake{Queue: "b", At: noon.Add(time.Second)})
	got := k.leave([]string{"a", "b"})
	want := []broker.Wake{{Queue: "b", At: noon.Add(time.Second)}, {Queue: "a", At: noon.Add(time.Minute)}, {Queue: "b", At: noon.Add(time.Minute)}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("leaves %v, want %v", got, want)
	}
	k.idle = true
	if got := k.leave([]string{"a", "b"}); len(got) != 1 || got[0] != want[0] {
		t.Errorf("who keeps no time leaves %v, want what it was told", got)
	}
}
