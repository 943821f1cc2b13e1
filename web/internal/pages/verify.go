package pages

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/problem"
)

// A verdict is what came of looking whether what is stored contradicts itself.
type verdict struct {
	At     time.Time
	Took   time.Duration
	By     string
	Faults []broker.Mended // Done is what would be done about each; "": nothing, or that is not known
	Left   int             // faults that are not told, because they are too many
}

// Seconds returns how long it took.
func (v verdict) Seconds() float64 { return v.Took.Seconds() }

const (
	mostFaults     = 200
	verifyPatience = 5 * time.Minute // it reads everything
)

// checks are the times at which the storage was checked: one at a time.
type checks struct {
	busy sync.Mutex

	mu   sync.Mutex
	last *verdict
}

// latest returns the last verdict, or nil.
func (c *checks) latest() *verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *checks) keep(v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = &v
}

var (
	errCannotVerify = problem.New(http.StatusNotFound, "", "this storage cannot be checked")
	errMayNotVerify = problem.New(http.StatusForbidden, "role", "your role does not allow it: it takes operator, because everything is read")
	errVerifying    = problem.New(http.StatusConflict, "busy", "somebody else has it checked just now")
)

// verify looks whether what is stored contradicts itself, changes nothing, and leads back
// to the page that tells.
func (p *Pages) verify(w http.ResponseWriter, r *http.Request) {
	who := access.From(r.Context())
	if !who.Role.Allows(access.Operator) {
		p.fail(w, r, errMayNotVerify)
		return
	}
	if !p.checks.busy.TryLock() {
		p.fail(w, r, errVerifying)
		return
	}
	defer p.checks.busy.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), verifyPatience)
	defer cancel()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(verifyPatience + time.Minute)) // if it can be set
	began := time.Now()
	faults, err := p.faults(ctx)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := verdict{At: p.Storage.Now(), Took: time.Since(began), By: who.Name, Faults: faults, Left: max(len(faults)-mostFaults, 0)}
	v.Faults = faults[:len(faults)-v.Left]
	p.checks.keep(v)
	http.Redirect(w, r, p.Root+"/storage", http.StatusSeeOther)
}

// faults returns what contradicts itself in the storage, and what would be done about it.
func (p *Pages) faults(ctx context.Context) ([]broker.Mended, error) {
	switch b := p.Storage.Broker.(type) {
	case broker.Mender:
		return b.Mend(ctx, p.Storage.Now(), true)
	case broker.Verifier:
		said, err := b.Verify(ctx, p.Storage.Now())
		faults := make([]broker.Mended, len(said))
		for i, s := range said {
			faults[i].Fault = s
		}
		return faults, err
	}
	return nil, errCannotVerify
}
