package dash

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
)

// A watched broker fails the test if it is asked while a message is handled or the screen
// is drawn, and fails to answer when it is told to.
type watched struct {
	*model.Model
	t      *testing.T
	silent *bool // a message is being handled
	err    error
	last   error // of the last context
}

func (w *watched) look(ctx context.Context) error {
	if *w.silent {
		w.t.Error("the storage is asked while a message is handled")
	}
	w.last = ctx.Err()
	return errors.Join(w.err, w.last)
}

func (w *watched) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	return w.Model.Counts(ctx, now, queues...)
}

func (w *watched) Queues(ctx context.Context) ([]string, error) {
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	return w.Model.Queues(ctx)
}

func (w *watched) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	return w.Model.List(ctx, r)
}

func (w *watched) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := w.look(ctx); err != nil {
		return broker.Stored{}, err
	}
	return w.Model.Entry(ctx, ref)
}

func (w *watched) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	return w.Model.Servers(ctx, now)
}

func (w *watched) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if err := w.look(ctx); err != nil {
		return nil, err
	}
	return w.Model.Groups(ctx, queue)
}

func (w *watched) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	if err := w.look(ctx); err != nil {
		return 0, err
	}
	return w.Model.Sweep(ctx, now, r)
}

// newWatched returns a stage on a storage that has been in use, and the storage.
func newWatched(t *testing.T, w, h int) (*stage, *watched) {
	t.Helper()
	b, err := filled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, b, w, h)
	s.settle()
	storage := &watched{Model: b.(*model.Model), t: t, silent: &s.handling}
	s.reach(storage)
	return s, storage
}

var randomKeys = strings.Fields("up down left right enter esc tab shift+tab pgup pgdown home end space backspace " +
	"ctrl+l / ? * + x m s S r p v c y n g G h j k l 1 2 3 4 5 6 7 q D A R C P X Y a : ~ > , 0 日")

// TestNothingThatIsPressedBreaksIt presses keys and the mouse at random, resizes the
// terminal, and lets answers come whenever they come, some of which are errors.
func TestNothingThatIsPressedBreaksIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, storage := newWatched(t, 80, 24)
		for range rapid.IntRange(50, 300).Draw(r, "steps") {
			switch rapid.IntRange(0, 9).Draw(r, "kind") {
			case 0:
				s.tell(tea.WindowSizeMsg{Width: rapid.IntRange(0, 220).Draw(r, "width"), Height: rapid.IntRange(0, 60).Draw(r, "height")})
			case 1:
				s.tell(tea.MouseClickMsg{X: rapid.IntRange(-1, 220).Draw(r, "x"), Y: rapid.IntRange(-1, 60).Draw(r, "y"), Button: tea.MouseLeft})
			case 2:
				s.tell(tea.MouseWheelMsg{Button: rapid.SampledFrom([]tea.MouseButton{tea.MouseWheelUp, tea.MouseWheelDown}).Draw(r, "wheel")})
			case 3:
				s.clock = s.clock.Add(time.Duration(rapid.IntRange(0, 5000).Draw(r, "ms")) * time.Millisecond)
				s.tell(ticked{})
			case 4:
				storage.err = nil
				if rapid.IntRange(0, 3).Draw(r, "fails") == 0 {
					storage.err = errors.New("the storage is away\nfor \x1b[31ma while")
				}
			default:
				s.tell(keyOf(rapid.SampledFrom(randomKeys).Draw(r, "key")))
			}
			if rapid.Bool().Draw(r, "answered") {
				s.settle()
			}
			s.whole()
		}
	})
}

func TestErrorsAreShownAndWhatIsKnownStays(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	storage.err = errors.New("connection \x1b[31mrefused")
	s.clock = s.clock.Add(10 * time.Second)
	s.tell(ticked{})
	s.settle()
	s.shows(`connection \x1b[31mrefused`)
	s.shows("› billing")
	s.shows("10s old")
	storage.err = nil
	s.clock = s.clock.Add(DefaultRefresh)
	s.tell(ticked{})
	s.settle()
	if strings.Contains(s.screen(), "refused") {
		t.Errorf("the error stays when it is over:\n%s", s.screen())
	}
	s.shows("0s old")
}

func TestLeavingAScreenCancelsItsQuestion(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	s.tell(keyOf("r"))
	s.tell(keyOf("2"))
	s.settle()
	if s.tabs[0].pages[0].flight != nil || s.tabs[0].pages[0].state.err != nil {
		t.Errorf("the question is still under way, or failed with %v", s.tabs[0].pages[0].state.err)
	}
	if storage.last != nil {
		t.Errorf("the last question was asked with a context that had ended: %v", storage.last)
	}
}

func TestOneQuestionAtATime(t *testing.T) {
	s, _ := newWatched(t, 80, 24)
	for range 5 {
		s.tell(keyOf("r"))
		s.clock = s.clock.Add(time.Minute)
		s.tell(ticked{})
	}
	if len(s.asked) != 1 {
		t.Errorf("%d questions are under way, want 1", len(s.asked))
	}
	if lines := s.lines(); !strings.ContainsAny(lines[0], spinner) {
		t.Errorf("nothing tells that an answer is late: %s", lines[0])
	}
}

func TestTheEndOfALongListIsReadAlone(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	s.keys("down", "enter")
	lists := 0
	counting := &countingLists{watched: storage, lists: &lists}
	s.reach(counting)
	s.keys("G")
	s.shows("624–637 of 637")
	s.keys("pgup")
	s.shows("610–623 of 637")
	s.keys("pgdown", "g")
	s.shows("1–14 of 637")
	s.keys("n", "n", "b")
	s.shows("15–28 of 637")
	if lists > 7 {
		t.Errorf("%d pages were read, want 7", lists)
	}
}

type countingLists struct {
	*watched
	lists *int
}

func (c *countingLists) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	*c.lists++
	return c.watched.List(ctx, r)
}

func TestMarkedTasksAreDeleted(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	before := pendingTasks(t, storage)
	s.keys("down", "enter", "x", "x", "down", "x", "D")
	s.shows("Delete 3 tasks")
	s.keys("n")
	if got := pendingTasks(t, storage); got != before {
		t.Errorf("%d tasks are left, want %d: nothing was confirmed", got, before)
	}
	s.keys("D", "y")
	s.shows("✓ 3 tasks deleted")
	if got := pendingTasks(t, storage); got != before-3 {
		t.Errorf("%d tasks are left, want %d", got, before-3)
	}
}

func TestAllThatAQueryTakesAreArchived(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	s.keys("down", "enter", "/")
	s.write("type:stats:visit")
	s.keys("enter", "*")
	s.shows("all are marked")
	want, _ := storage.Model.Counts(t.Context(), time.Now(), "default")
	s.keys("A", "y")
	s.shows("tasks archived")
	got, _ := storage.Model.Counts(t.Context(), time.Now(), "default")
	left := inState(t, storage, task.Pending)
	for _, e := range left {
		if e.Entry.Type == "stats:visit" {
			t.Errorf("task %s is left", e.Entry.ID)
		}
	}
	if moved := want[0].Pending - len(left); moved == 0 || got[0].Archived-want[0].Archived != moved {
		t.Errorf("%d more are archived, %d fewer pending", got[0].Archived-want[0].Archived, moved)
	}
}

func TestABulkCanBeStopped(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	before := pendingTasks(t, storage)
	s.keys("down", "enter", "*", "D")
	s.tell(keyOf("y"))
	s.tell(keyOf("esc"))
	s.shows("stopping")
	s.settle()
	s.shows("stopped: ")
	if got := pendingTasks(t, storage); got == 0 || got == before {
		t.Errorf("%d tasks are left of %d, want some", got, before)
	}
}

func TestAWholeQueueGoesOnlyIfItsNameIsTyped(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	s.keys("down", "down", "X", "y", "enter")
	s.shows("Type images")
	s.keys("esc", "X")
	s.write("images")
	s.keys("enter")
	s.shows("✓ queue images is removed")
	if names, err := storage.Model.Queues(t.Context()); err != nil || len(names) != 4 {
		t.Errorf("queues are %v, %v; want four", names, err)
	}
}

// pendingTasks returns how many tasks are pending in the queue default.
func pendingTasks(t *testing.T, w *watched) int {
	t.Helper()
	c, err := w.Model.Counts(t.Context(), time.Now(), "default")
	if err != nil {
		t.Fatal(err)
	}
	return c[0].Pending
}

func inState(t *testing.T, w *watched, state task.State) []broker.Stored {
	t.Helper()
	all, err := w.Model.List(t.Context(), broker.ListRequest{Queue: "default", State: state, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEntriesArePausedRunAndRemoved(t *testing.T) {
	s, storage := newWatched(t, 80, 24)
	s.keys(s.tabKey("Periodic"), "G", "P", "y")
	s.shows("✓ entry sweep is paused")
	s.keys("P", "y")
	s.shows("✓ entry sweep is resumed")
	s.keys("R", "y")
	s.shows("✓ a task of sweep is enqueued soon")
	i, err := periodic.NewInspector(storage.Model).Get(t.Context(), "sweep")
	if err != nil || i.Asked != 1 || i.History[len(i.History)-1].By != "ann" {
		t.Errorf("the entry is %+v, %v; want one run asked for by ann", i, err)
	}
	s.keys("D", "y")
	s.shows("✓ entry sweep is removed")
}

func TestAHelpTellsEveryKeyOnce(t *testing.T) {
	s, _ := newWatched(t, 200, 60)
	for i := range s.tabs {
		s.keys(s.tabs[i].key(i))
		for _, b := range append(s.top().bindings(), s.everywhere()...) {
			if b.help == "" || len(b.keys) == 0 || b.do == nil {
				t.Errorf("on %s, the binding %+v lacks something", s.top().title(), b)
			}
		}
		s.keys("?")
		s.shows("Everywhere")
		s.keys("q")
	}
}
