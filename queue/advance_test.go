package queue

import (
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

func TestHowLongAServerWaitsUntilItAdvancesAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		did  broker.Advanced
		want time.Duration
	}{
		{"nothing waits", broker.Advanced{}, time.Second},
		{"the next is soon due", broker.Advanced{Next: noon.Add(3 * time.Millisecond)}, 3 * time.Millisecond},
		{"the next is due late", broker.Advanced{Next: noon.Add(time.Hour)}, time.Second},
		{"there is more to do", broker.Advanced{Due: 500, Next: noon}, 0},
		{"there was more to do long ago", broker.Advanced{Closed: 1, Next: noon.Add(-time.Hour)}, 0},
		{"there seems to be more and nothing is done", broker.Advanced{Next: noon.Add(-time.Hour)}, 50 * time.Millisecond},
	} {
		if got := advanceWait(test.did, noon, time.Second); got != test.want {
			t.Errorf("%s: waits %v, want %v", test.name, got, test.want)
		}
	}
}
