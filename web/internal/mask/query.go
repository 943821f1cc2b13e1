package mask

import (
	"errors"
	"fmt"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/web/access"
)

// ErrMasked is matched by the error of a query that asks for what is hidden.
var ErrMasked = errors.New("it is masked")

// A MaskedError says what somebody may not ask for. It matches [ErrMasked].
type MaskedError struct {
	Field string
	Role  access.Role // of who asks
	Least access.Role // that may ask
}

// Error names the field and the roles.
func (e *MaskedError) Error() string {
	return fmt.Sprintf("%s may not be asked for by %s: %v, except for %s", e.Field, e.Role, ErrMasked, e.Least)
}

// Is reports whether target is [ErrMasked].
func (e *MaskedError) Is(target error) bool { return target == ErrMasked }

// An Asker is a query of whatever language.
type Asker interface {
	Asks() []query.Ask
}

// Query returns a [MaskedError] if q asks for something from which who has the role could
// find out what is hidden, or nil.
func (r *Rules) Query(role access.Role, q Asker) error {
	if !r.Hides(role) {
		return nil
	}
	for _, a := range q.Asks() {
		if r.betrays(a) {
			return &MaskedError{Field: a.Field, Role: role, Least: r.unmasked}
		}
	}
	return nil
}

// betrays reports whether an answer to a tells of what is hidden.
func (r *Rules) betrays(a query.Ask) bool {
	switch a.Field {
	case "payload", "result", "progress", "unique":
		return r.all || front(r.paths).meets(a.Path)
	case "header":
		return len(a.Path) == 0 || r.hidesHeader(a.Path[0].Name)
	}
	return false
}
