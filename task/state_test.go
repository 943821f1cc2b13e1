package task_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

func TestStatesHaveAsynqsNumbersAndWords(t *testing.T) {
	var got []string
	for _, s := range task.States() {
		got = append(got, fmt.Sprintf("%d %s", int(s), s))
	}
	want := []string{"1 active", "2 pending", "3 scheduled", "4 retry", "5 archived", "6 completed", "7 aggregating"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestParseStateReadsWhatStringWrites(t *testing.T) {
	for _, s := range task.States() {
		if got, err := task.ParseState(s.String()); got != s || err != nil {
			t.Errorf("ParseState(%q) = %v, %v", s.String(), got, err)
		}
	}
	for _, word := range []string{"", "Active", "running", "State(0)"} {
		if got, err := task.ParseState(word); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("ParseState(%q) = %v, %v, want ErrInvalid", word, got, err)
		}
	}
}

func TestAStateThatIsNoneStillPrints(t *testing.T) {
	for s, want := range map[task.State]string{0: "State(0)", -1: "State(-1)", 8: "State(8)"} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if s.CanMove(task.Pending) || task.Pending.CanMove(s) || s.Ended() {
			t.Errorf("%s takes part in the life of a task", want)
		}
	}
}

func TestMoves(t *testing.T) {
	legal := []string{
		"active to pending", "active to retry", "active to archived", "active to completed",
		"pending to active", "pending to archived",
		"scheduled to pending", "scheduled to archived", "scheduled to aggregating",
		"retry to pending", "retry to archived", "retry to aggregating",
		"archived to pending",
		"completed to pending",
		"aggregating to pending", "aggregating to archived",
	}
	var got []string
	for _, from := range task.States() {
		for _, to := range task.States() {
			if from.CanMove(to) {
				got = append(got, fmt.Sprintf("%s to %s", from, to))
			}
		}
	}
	if diff := cmp.Diff(legal, got); diff != "" {
		t.Errorf("legal moves (-want +got):\n%s", diff)
	}
}

func TestOnlyArchivedAndCompletedHaveEnded(t *testing.T) {
	for _, s := range task.States() {
		if want := slices.Contains([]task.State{task.Archived, task.Completed}, s); s.Ended() != want {
			t.Errorf("%s has ended: %t, want %t", s, s.Ended(), want)
		}
	}
}
