package access

import "errors"

// ErrUnknown is matched by the error of an [Authoriser] to whom a request names nobody.
var ErrUnknown = errors.New("who asks is not known")

// An UnknownError says that a request names nobody. It matches [ErrUnknown].
type UnknownError struct {
	Reason     string   // for the log: without what was sent as a credential
	Challenges []string // how to name oneself, for WWW-Authenticate
	Wrong      bool     // there was a credential, and it is none of ours
}

// Error returns the reason.
func (e *UnknownError) Error() string { return ErrUnknown.Error() + ": " + e.Reason }

// Is reports whether target is [ErrUnknown].
func (e *UnknownError) Is(target error) bool { return target == ErrUnknown }
