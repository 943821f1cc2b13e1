package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A task that is begun in the very millisecond in which it became ready has waited, too: or
// the quickest would be missing where waits are counted.
func TestATaskThatIsBegunAtOnceHasWaited(t *testing.T) {
	inBubble(t, func(x *bench) {
		time.Sleep(300 * time.Microsecond) // within a millisecond
		x.enqueue("a")
		x.serve(func(context.Context, *task.Task) error { return nil })
		x.pass(time.Second)
		started := x.seen(queue.EventStarted)
		if len(started) != 1 || started[0].Waited <= 0 {
			t.Errorf("the observer was told %+v, want a start after a wait", started)
		}
	})
}
