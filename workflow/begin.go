package workflow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// begin commits the start of a run: its control document, its input, its latches
// and its first entries. It reports whether the run existed already.
func begin(ctx context.Context, b broker.Broker, p *plan.Plan, home broker.Home, input []byte) (existed bool, err error) {
	first := control{Workflow: p.Name, Plan: p.Hash, Input: hashOf(input), Tag: newTag(), State: Running, Started: time.Now()}
	g := graph{p, home, first.Tag}
	c := broker.Change{Home: home, Put: []broker.Put{first.put(0), {Key: plan.InputKey, Body: input}}}
	c.Open, c.Enqueue = g.begin()
	outcome, err := commit(ctx, b, c)
	if err != nil {
		return false, err
	}
	conflict, ok := errors.AsType[*broker.ConflictError](outcome)
	if !ok || conflict.Document.Key != plan.ControlKey {
		return false, outcome
	}
	return true, first.matches(home.ID, conflict.Document)
}

// matches returns a [RunExistsError] if the run whose control document is d was
// not started as c was.
func (c control) matches(id string, d broker.Document) error {
	other, err := decodeControl(d)
	switch {
	case err != nil:
		return fmt.Errorf("run %s: %w", id, err)
	case other.Workflow != c.Workflow:
		return &RunExistsError{ID: id, Workflow: other.Workflow}
	case other.Input != c.Input:
		return &RunExistsError{ID: id, Workflow: other.Workflow, Input: true}
	}
	return nil
}

// commit applies one change. An outcome is what the broker says of the change,
// an error that it could not be asked or did not answer.
func commit(ctx context.Context, b broker.Broker, c broker.Change) (outcome, err error) {
	applied, err := b.Apply(ctx, time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	switch {
	case errors.Is(err, broker.ErrRefused):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", queue.ErrUnknown, err)
	case len(applied.Outcomes) != 1:
		return nil, fmt.Errorf("%w: broker answered one change with %d outcomes", queue.ErrUnknown, len(applied.Outcomes))
	}
	return applied.Outcomes[0], nil
}

// newTag returns eight characters by chance. A run that is started under an id
// that was used before, or beside another queue, then never takes an entry that
// is left of the other for one of its own.
func newTag() string { return strings.ToLower(rand.Text()[:8]) }

func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}
