package dash

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
)

func enqueued(t *testing.T, name string, n int) (*model.Model, *queue.Client) {
	t.Helper()
	b := model.New(model.Options{})
	c := queue.NewClient(b)
	for i := range n {
		_, err := c.Enqueue(t.Context(), task.New("a", nil), task.Queue(name), task.ID(fmt.Sprintf("a-%03d", i)))
		if err != nil {
			t.Fatal(err)
		}
	}
	return b, c
}

// TestPositionIsThatOfAPageWhosePredecessorsHaveGone deletes tasks of the first page while
// the second is shown.
func TestPositionIsThatOfAPageWhosePredecessorsHaveGone(t *testing.T) {
	b, _ := enqueued(t, "mail", 20)
	s := newStage(t, b, 80, 24)
	s.settle()
	s.keys("enter", "n")
	s.shows("15–20 of 20")
	for i := range 10 {
		if err := queue.NewInspector(b).Delete(t.Context(), "mail", fmt.Sprintf("a-%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	s.clock = s.clock.Add(time.Minute)
	s.tell(ticked{})
	s.settle()
	s.shows("5–10 of 10")
}

func TestWhatMustBeTypedIsTakenAsItIsShown(t *testing.T) {
	removed := false
	s := newStage(t, model.New(model.Options{}), 80, 24)
	s.settle()
	s.confirm("Remove", nil, "ev\x1bil", func() { removed = true })
	s.shows(`Type ev\x1bil and Enter`)
	s.write(`ev\x1bil`)
	s.keys("enter")
	if !removed {
		t.Error("the name as it is shown is not taken")
	}
}

func TestWhatMustBeTypedIsShownWithItsKeysHoweverLongItIs(t *testing.T) {
	s := newStage(t, model.New(model.Options{}), 80, 24)
	s.settle()
	s.confirm("Remove", nil, "a-queue-with-a-name-that-is-so-long-as-hardly-any-is", func() {})
	s.shows("is-so-long-as-hardly-any-is")
	s.shows("as it is.")
}

// TestAClickBesideTheStatesChoosesNone clicks on the free end of their line.
func TestAClickBesideTheStatesChoosesNone(t *testing.T) {
	b, _ := enqueued(t, "mail", 1)
	s := newStage(t, b, 200, 50)
	s.settle()
	s.keys("enter")
	s.shows("[pending 1]")
	s.tell(tea.MouseClickMsg{X: 190, Y: headLines + stateLine, Button: tea.MouseLeft})
	s.settle()
	s.shows("[pending 1]")
	s.tell(tea.MouseClickMsg{X: 3, Y: headLines + stateLine, Button: tea.MouseLeft})
	s.settle()
	s.shows("[active 0]")
}

// TestASearchThatIsNotShownHearsOfADeed goes to another tab while something is being done.
func TestASearchThatIsNotShownHearsOfADeed(t *testing.T) {
	b, _ := enqueued(t, "mail", 600)
	s := newStage(t, b, 80, 24)
	s.settle()
	s.keys("6")
	s.shows("a-000")
	s.keys("D")
	s.tell(keyOf("y"))
	s.tell(keyOf("1"))
	s.settle()
	s.keys("6")
	s.shows("of 599")
}

// TestTheEndOfItsContextIsNoError has the program be told to end, as by a signal.
func TestTheEndOfItsContextIsNoError(t *testing.T) {
	b := model.New(model.Options{})
	in, _ := io.Pipe()
	out := &sheet{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Broker: b, Address: "here", Refresh: MinRefresh, Timeout: time.Minute}, in, out)
	}()
	out.await(t, "\x1b[")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v", err)
	}
}
