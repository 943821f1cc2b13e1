package periodic

import (
	"errors"
	"fmt"
)

// What a program branches on.
var (
	// ErrEntryNotFound is matched for an entry that no scheduler has run, or that was
	// removed.
	ErrEntryNotFound = errors.New("entry not found")

	// ErrEntryExists is matched by [ExistsError].
	ErrEntryExists = errors.New("entry exists already")

	// ErrSource is matched by [SourceError].
	ErrSource = errors.New("source of the entry does not allow it")

	// ErrAbandoned is matched if a function of the user's did not return.
	ErrAbandoned = errors.New("has not returned, and was given up")

	// ErrRunning is returned by [Scheduler.Run] if it runs, or has run, already.
	ErrRunning = errors.New("scheduler runs once")

	// ErrTooMany is matched if as many runs or backfills wait as an entry keeps.
	ErrTooMany = errors.New("too many wait already")

	// ErrBackfillNotFound is matched if nothing is known of a backfill: there was none,
	// or it has ended long ago.
	ErrBackfillNotFound = errors.New("backfill not found")
)

// An EntryError says what is wrong with one entry. It unwraps to a
// [task.InvalidError] for each fault, or to whatever else it is.
type EntryError struct {
	Entry string
	Err   error
}

// Error names the entry and what is wrong.
func (e *EntryError) Error() string { return fmt.Sprintf("entry %s: %v", e.Entry, e.Err) }

// Unwrap returns what is wrong.
func (e *EntryError) Unwrap() error { return e.Err }

// An ExistsError is that an entry of that name is there already. It matches
// [ErrEntryExists].
type ExistsError struct {
	Entry  string
	Source Source // where the one comes from that exists
}

// Error names the entry, and where the other one comes from.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("entry %s, from %s: %v", e.Entry, e.Source, ErrEntryExists)
}

// Is reports whether target is [ErrEntryExists].
func (e *ExistsError) Is(target error) bool { return target == ErrEntryExists }

// A SourceError is that something cannot be done to an entry because of where it
// comes from: one from code or a provider is changed there. It matches [ErrSource].
type SourceError struct {
	Entry  string
	Source Source
}

// Error names the entry and where it comes from.
func (e *SourceError) Error() string {
	return fmt.Sprintf("entry %s is from %s: %v", e.Entry, e.Source, ErrSource)
}

// Is reports whether target is [ErrSource].
func (e *SourceError) Is(target error) bool { return target == ErrSource }
