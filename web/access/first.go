package access

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leatwork/leat/task"
)

// First takes the word of the first of several that knows who asks. A credential that is
// wrong is not overlooked: who sends one, and is not known by another, is not taken for
// somebody without one ([Identity].Weak). Any error other than one that matches
// [ErrUnknown] ends the search.
func First(all ...Authoriser) (Authoriser, error) {
	if len(all) == 0 {
		return nil, task.Invalid("authorisers", 0, "there must be one")
	}
	for i, a := range all {
		if a == nil {
			return nil, task.Invalid(fmt.Sprintf("authorisers[%d]", i), nil, "is needed")
		}
	}
	return first(append([]Authoriser(nil), all...)), nil
}

type first []Authoriser

// Authorise implements [Authoriser].
func (f first) Authorise(r *http.Request) (Identity, error) {
	none := &UnknownError{}
	var reasons []string
	for _, a := range f {
		id, err := a.Authorise(r)
		switch {
		case err == nil && (!id.Weak || !none.Wrong):
			return id, nil
		case err == nil:
			continue
		case !errors.Is(err, ErrUnknown):
			return Identity{}, err
		}
		unknown, ok := errors.AsType[*UnknownError](err)
		if !ok {
			unknown = &UnknownError{Reason: err.Error()}
		}
		none.Wrong = none.Wrong || unknown.Wrong
		none.Challenges = append(none.Challenges, unknown.Challenges...)
		reasons = append(reasons, unknown.Reason)
	}
	none.Reason = strings.Join(reasons, "; ")
	return Identity{}, none
}
