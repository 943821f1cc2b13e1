package broker

import (
	"errors"
	"fmt"

	"github.com/leatwork/leat/task"
)

// What a program branches on. Outcomes are of the types below, or wrap one of
// these with the subject.
var (
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("exists already")
	ErrClaimed   = errors.New("claimed by another entry")
	ErrLeaseLost = errors.New("lease lost")
	ErrConflict  = errors.New("conflict")
	ErrState     = errors.New("state does not allow it")
	ErrChanged   = errors.New("changed meanwhile")
	ErrNotEmpty  = errors.New("not empty")
	ErrApart     = errors.New("kept apart")
	ErrQuota     = errors.New("quota exceeded")

	// ErrRefused is matched by the error of a call that certainly changed
	// nothing: the storage could not be reached, or said no. An error that
	// does not match it leaves open whether the call took effect.
	ErrRefused = errors.New("refused")

	// ErrClosed is matched by the error of every call of a broker that is
	// closed. Such an error matches ErrRefused, too.
	ErrClosed = errors.New("broker is closed")
)

// An ExistsError is the outcome of a change that adds an entry or a latch
// whose id is taken. It matches [ErrExists].
type ExistsError struct {
	Entry EntryRef // zero if it was a latch
	Latch string   // "" if it was an entry
}

// Error names what exists.
func (e *ExistsError) Error() string {
	if e.Latch != "" {
		return fmt.Sprintf("latch %s exists already", e.Latch)
	}
	return fmt.Sprintf("entry %s exists already", e.Entry)
}

// Is reports whether target is [ErrExists].
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// A ClaimedError is the outcome of a change that adds an entry whose claim is
// held, or replaces one that neither holds its claim nor waits behind it. It
// matches [ErrClaimed].
type ClaimedError struct {
	Entry  EntryRef // the entry that was refused
	Key    string
	Holder string // id of the entry that holds the key, or else waits behind it; "" if none does
}

// Error names the claim and its holder.
func (e *ClaimedError) Error() string {
	return fmt.Sprintf("entry %s: claim %s is held by %s", e.Entry, e.Key, e.Holder)
}

// Is reports whether target is [ErrClaimed].
func (e *ClaimedError) Is(target error) bool { return target == ErrClaimed }

// A ConflictError is the outcome of a change that expected another version of
// a document. It matches [ErrConflict].
type ConflictError struct {
	Home     Home
	Document Document // as it is now
}

// Error names the document and its version.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("document %s of %s is at version %d: conflict", e.Document.Key, e.Home, e.Document.Version)
}

// Is reports whether target is [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// A QuotaError is the outcome of a change whose documents would make a home
// larger than the change allows. It matches [ErrQuota].
type QuotaError struct {
	Home  Home
	Bytes int64 // that the home would have had
	Quota int64
}

// Error names the home and its size.
func (e *QuotaError) Error() string {
	return fmt.Sprintf("%s would have %d bytes, of %d: %v", e.Home, e.Bytes, e.Quota, ErrQuota)
}

// Is reports whether target is [ErrQuota].
func (e *QuotaError) Is(target error) bool { return target == ErrQuota }

// LeaseLost returns the outcome of a change that settles ref without holding
// its lease. It wraps [ErrLeaseLost].
func LeaseLost(ref EntryRef) error { return fmt.Errorf("settle %s: %w", ref, ErrLeaseLost) }

// LatchNotFound returns the outcome of a change that feeds or reaches a latch
// that home does not have, or a member that the latch does not have. It wraps
// [ErrNotFound].
func LatchNotFound(home Home, latch string) error {
	return fmt.Errorf("latch %s of %s: %w", latch, home, ErrNotFound)
}

// A StateError is the outcome of a change that moves or replaces an entry whose
// state does not allow that. It matches [ErrState].
type StateError struct {
	Entry  EntryRef
	State  task.State
	Frozen bool // it is in a batch
}

// Error names the entry and its state.
func (e *StateError) Error() string {
	if e.Frozen {
		return fmt.Sprintf("entry %s is being folded: %v", e.Entry, ErrState)
	}
	return fmt.Sprintf("entry %s is %s: %v", e.Entry, e.State, ErrState)
}

// Is reports whether target is [ErrState].
func (e *StateError) Is(target error) bool { return target == ErrState }

// EntryNotFound returns the outcome of a change about an entry that does not
// exist. It wraps [ErrNotFound].
func EntryNotFound(ref EntryRef) error { return fmt.Errorf("entry %s: %w", ref, ErrNotFound) }

// EntryChanged returns the outcome of a change that expected another version of
// an entry. It wraps [ErrChanged].
func EntryChanged(ref EntryRef) error { return fmt.Errorf("entry %s: %w", ref, ErrChanged) }

// An ApartError is the outcome of a change about things that the storage keeps
// apart, so that they cannot change together: see rule 1 of the package comment.
// It matches [ErrApart].
type ApartError struct {
	One, Other string // "entry q/a"
	Rule       string // what must lie together
}

// Error names both, and the rule.
func (e *ApartError) Error() string {
	return fmt.Sprintf("%s and %s are %v: %s", e.One, e.Other, ErrApart, e.Rule)
}

// Is reports whether target is [ErrApart].
func (e *ApartError) Is(target error) bool { return target == ErrApart }
