package sqlitebroker

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/leatwork/leat/queue/broker"
)

// ErrSchema is matched by the error of [Open] for a file that a newer version
// of this package has written.
var ErrSchema = errors.New("schema is newer than this program")

// An OpenError reports a path that cannot be opened. Nothing was written to
// what is there.
type OpenError struct {
	Path string
	Err  error
}

// Error names the path.
func (e *OpenError) Error() string { return fmt.Sprintf("open %s: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

// refused returns the error of a call that has changed nothing because of err.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", broker.ErrRefused, err)
}

// uncertain returns the error of a commit that failed. The end of it may be on
// the disk all the same, unless it was another process that was in the way.
func uncertain(err error) error {
	if errors.Is(err, sqlite3.BUSY) {
		return refused(err)
	}
	return err
}
