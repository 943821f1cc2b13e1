package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/storage"
)

// What keeps somebody from a deed.
var (
	ErrForbidden = errors.New("your role does not allow it")
	ErrUnknown   = errors.New("there is no such deed")
)

// A Doer does what is asked for. It may be used by several goroutines.
type Doer struct {
	Storage *storage.Storage
}

// Find returns the deed of that kind and name.
func Find(kind Kind, name string) (Deed, error) {
	for _, d := range table {
		if d.Kind == kind && d.Name == name {
			return d, nil
		}
	}
	return Deed{}, fmt.Errorf("%w: %s %s", ErrUnknown, kind, name)
}

// All returns the deeds that who may do, of all kinds.
func All(who access.Role) (may []Deed) {
	for _, d := range table {
		if who.Allows(d.Role) {
			may = append(may, d)
		}
	}
	return may
}

// Do does a deed to one thing, and says what came of it.
func (d *Doer) Do(ctx context.Context, who access.Identity, what Deed, t Target, args map[string]string) (string, error) {
	if !who.Role.Allows(what.Role) {
		return "", fmt.Errorf("%s %s: %w: it takes %s", what.Kind, what.Name, ErrForbidden, what.Role)
	}
	for _, p := range what.Params {
		if p.Required && args[p.Name] == "" {
			return "", task.Invalid(p.Name, "", "is needed")
		}
	}
	return what.do(ctx, d, who, t, args)
}
