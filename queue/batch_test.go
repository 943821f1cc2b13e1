package queue

import (
	"testing"

	"github.com/leatwork/leat/queue/broker"
)

func TestWhatIsCommittedTogetherIsNeitherManyNorLarge(t *testing.T) {
	put := func(size int) broker.Change { return broker.Change{Put: []broker.Put{{Body: make([]byte, size)}}} }
	parts := broker.Change{Require: make([]broker.Condition, commitParts/2)}
	kept := broker.Change{Settle: []broker.Settlement{{To: broker.Retry, Entry: broker.Entry{Payload: make([]byte, commitBytes/2)}}}}
	done := broker.Change{Settle: []broker.Settlement{{To: broker.Done, Entry: broker.Entry{Payload: make([]byte, commitBytes)}}}}
	for name, test := range map[string]struct {
		change broker.Change
		want   int
	}{
		"small ones":                  {put(1), commitChanges},
		"some of many parts":          {parts, 2},
		"some of a megabyte":          {put(1 << 20), 4},
		"one that is large":           {put(2 * commitBytes), 1},
		"some whose task is kept":     {kept, 2},
		"many whose task is deleted ": {done, commitChanges},
	} {
		p := &pool{}
		for range 2 * commitChanges {
			p.waiting = append(p.waiting, &attempt{change: test.change})
		}
		if got := len(p.batch()); got != test.want {
			t.Errorf("%s: %d changes are committed together, want %d", name, got, test.want)
		}
	}
}
