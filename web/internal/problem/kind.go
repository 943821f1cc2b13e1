package problem

// Kind returns an error to be compared with, which and all that wrap it are told as they
// are, with that status. A type of errors is told in the same way if it has the method
// HTTPStatus, and with a code if it has HTTPCode.
func Kind(status int, text string) error { return &kindError{status, text} }

type kindError struct {
	status int
	text   string
}

func (e *kindError) Error() string   { return e.text }
func (e *kindError) HTTPStatus() int { return e.status }

// Behind returns err with what is told before it, whatever is told of err.
func Behind(before string, err error) error { return &behindError{before, err} }

type behindError struct {
	before string
	err    error
}

func (e *behindError) Error() string { return e.before + ": " + e.err.Error() }
func (e *behindError) Unwrap() error { return e.err }
