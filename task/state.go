package task

import "fmt"

// A State says where a stored task stands. The numbers are asynq's.
type State int

// The states of a task.
const (
	Active      State = iota + 1 // a worker holds its lease
	Pending                      // waits for a worker
	Scheduled                    // waits for its time
	Retry                        // failed before, waits for its next attempt
	Archived                     // out of attempts, or refused; kept to be looked at
	Completed                    // done; kept until its retention ends
	Aggregating                  // waits in a group to be folded into a batch
)

// States lists every state, in the order of their numbers.
func States() []State {
	return []State{Active, Pending, Scheduled, Retry, Archived, Completed, Aggregating}
}

var stateNames = [...]string{
	Active:      "active",
	Pending:     "pending",
	Scheduled:   "scheduled",
	Retry:       "retry",
	Archived:    "archived",
	Completed:   "completed",
	Aggregating: "aggregating",
}

// String returns the state's word as it is stored: "pending".
// A State that is none of the constants prints as "State(n)".
func (s State) String() string {
	if s < Active || s > Aggregating {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

// ParseState returns the state whose [State.String] is word, or an
// [InvalidError].
func ParseState(word string) (State, error) {
	for _, s := range States() {
		if stateNames[s] == word {
			return s, nil
		}
	}
	return 0, Invalid("state", word, "is not the name of a state")
}

// moves lists, for each state, the states that a task may move to next.
// A task may also be deleted, from any state but Active.
var moves = map[State][]State{
	Active:      {Pending, Retry, Archived, Completed},
	Pending:     {Active, Archived},
	Scheduled:   {Pending, Aggregating, Archived},
	Retry:       {Pending, Aggregating, Archived},
	Archived:    {Pending},
	Completed:   {Pending},
	Aggregating: {Pending, Archived},
}

// CanMove reports whether a task in state s may move to state to.
func (s State) CanMove(to State) bool {
	for _, next := range moves[s] {
		if next == to {
			return true
		}
	}
	return false
}

// Ended reports whether s is a state in which nothing more happens by itself.
func (s State) Ended() bool { return s == Archived || s == Completed }
