package deed

import (
	"errors"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

// A Target is what a deed is done to. Which of the fields are needed, the kind says: a
// task and a run have a queue and an id, a group a queue and an id, which is its name, a
// queue only Queue, an entry, a server and a view only ID.
type Target struct {
	Queue string `json:"queue,omitempty"`
	ID    string `json:"id,omitempty"`
}

// String returns the target as people write it: "mail/4f1c", or the one name that it has.
func (t Target) String() string {
	if t.Queue == "" || t.ID == "" {
		return plain.Name(t.Queue + t.ID)
	}
	return plain.Name(t.Queue + "/" + t.ID)
}

// NamesQueue reports whether what is of this kind lies in a queue, or is one.
func (k Kind) NamesQueue() bool { return k != Entry && k != Server && k != View }

// NamesID reports whether what is of this kind has a name of its own beside its queue's.
func (k Kind) NamesID() bool { return k != Queue }

// Check returns a [task.InvalidError] for each name that a target of this kind needs and
// that is none, and for each that it does not need.
func (k Kind) Check(t Target) error {
	return errors.Join(checkPart(k.NamesQueue(), "queue", t.Queue), checkPart(k.NamesID(), "id", t.ID))
}

func checkPart(needed bool, field, name string) error {
	switch {
	case needed && name == "":
		return task.Invalid(field, name, "is needed")
	case needed:
		return task.CheckMadeName(field, name)
	case name != "":
		return task.Invalid(field, name, "does not belong to it")
	}
	return nil
}

// What the state of something is called that [Deed].States may name, beside the states of
// tasks and runs.
const (
	Orphaned = "orphaned" // an active task that has no worker any more
	Paused   = "paused"   // a queue, an entry or a run
	Going    = "running"  // a queue, an entry or a run that is not
)

// TaskState returns the state of a task, as [Deed].States names it.
func TaskState(i *task.Info) string {
	if i.State == task.Active && i.IsOrphaned {
		return Orphaned
	}
	return i.State.String()
}

// QueueState returns the state of a queue, as [Deed].States names it.
func QueueState(paused bool) string {
	if paused {
		return Paused
	}
	return Going
}

// EntryState returns the state of a periodic entry, as [Deed].States names it.
func EntryState(i periodic.Info) string { return QueueState(i.Paused != nil) }
