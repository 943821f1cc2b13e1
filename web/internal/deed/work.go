package deed

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/problem"
)

// What keeps a bulk from beginning, or from being found.
var (
	ErrBusy         = problem.Kind(http.StatusTooManyRequests, "as many are under way as may be at once")
	ErrWorkNotFound = problem.Kind(http.StatusNotFound, "nothing is known of it: it has ended long ago, or never begun")
	ErrClosed       = problem.Kind(http.StatusServiceUnavailable, "the dashboard is being closed")
)

const (
	mostAtOnce   = 4         // bulks
	remembered   = time.Hour // for so long one is known that has ended
	mostFaults   = 20        // that are told of one bulk
	pastPatience = 5 * time.Second
)

// A Standing says how a bulk stands.
type Standing string

// The standings.
const (
	UnderWay Standing = "running"
	Stopping Standing = "stopping" // somebody has asked for that
	Stopped  Standing = "stopped"
	Ended    Standing = "done"
	Broken   Standing = "failed" // by what Error says
)

// A Progress is how far a bulk has come.
type Progress struct {
	ID    string            `json:"id"`
	Kind  Kind              `json:"kind"`
	Deed  string            `json:"deed"`
	Query string            `json:"query"`
	Args  map[string]string `json:"args,omitempty"` // of what is carried only how much it is
	Who   string            `json:"who"`
	State Standing          `json:"state"`

	Began time.Time `json:"began"`
	Ended time.Time `json:"ended,omitzero"`

	Total   int  `json:"total"` // how many there were when it began
	Exact   bool `json:"exact"` // there were not more
	Done    int  `json:"done"`
	Skipped int  `json:"skipped"` // had moved on when it was their turn
	Failed  int  `json:"failed"`

	Rate     float64  `json:"rate"` // how many a second
	Error    string   `json:"error,omitempty"`
	Failures []Result `json:"failures,omitempty"` // the first ones
}

// Going reports whether the bulk has not ended.
func (p Progress) Going() bool { return p.State == UnderWay || p.State == Stopping }

// A work is a bulk on its way.
type work struct {
	end   context.CancelFunc // of what it is at, at once
	ended chan struct{}
	least access.Role // that may stop it

	mu sync.Mutex
	Progress
}

// goesOn reports whether nobody has asked it to stop.
func (w *work) goesOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.State == UnderWay
}

func (w *work) sums() (done, skipped int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Done, w.Skipped
}

// set says how far it has come, and reports whether it goes on.
func (w *work) set(done, skipped int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Done, w.Skipped = done, skipped
	return w.State == UnderWay
}

// fail counts a failure, and reports whether it is one of the first, which are told.
func (w *work) fail(t Target, err error) (isTold bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Failed++
	if isTold = len(w.Failures) < mostFaults; isTold {
		w.Failures = append(w.Failures, Result{Target: t, Err: err})
	}
	return isTold
}

// stop has it end after the step that it is at.
func (w *work) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.State == UnderWay {
		w.State = Stopping
	}
}

// look returns how far it has come at a time.
func (w *work) look(now time.Time) Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.Progress
	p.Failures = slices.Clone(p.Failures)
	if !p.Ended.IsZero() {
		now = p.Ended
	}
	if took := now.Sub(p.Began).Seconds(); took > 0 {
		p.Rate = float64(p.Done) / took
	}
	p.Total = max(p.Total, p.Done+p.Skipped+p.Failed)
	return p
}

// finish says how it has ended.
func (w *work) finish(now time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Progress.Ended = now
	switch {
	case err != nil:
		w.State, w.Error = Broken, problem.Of(err).Detail
	case w.State == Stopping && w.Done+w.Skipped+w.Failed < w.Total:
		w.State = Stopped
	default:
		w.State = Ended
	}
}

// works are the bulks under way, and those that have ended lately.
type works struct {
	mu     sync.Mutex
	all    []*work // the oldest first
	closed bool
}

func (k *works) begin(ctx context.Context, d *Doer, who access.Identity, what Deed, b Bulk, p Preview, chosen selection) (*work, error) {
	now := d.Storage.Now()
	w := &work{ended: make(chan struct{}), least: what.Role}
	w.Progress = Progress{
		ID: rand.Text(), Kind: what.Kind, Deed: what.Name, Query: b.Query, Args: shown(what, b.Args), Who: call{who: who}.by(),
		State: UnderWay, Began: now, Total: p.Count, Exact: p.Exact,
	}
	if err := k.add(w, now); err != nil {
		return nil, fmt.Errorf("%s %s: %w", what.Kind, what.Name, err)
	}
	ctx, w.end = context.WithCancel(context.WithoutCancel(ctx))
	r := record{at: now, who: who, what: what, target: b.Query, args: stage(b.Args, "begun"), count: p.Count}
	d.tell(ctx, r)
	go func() {
		defer close(w.ended)
		defer w.end()
		err := contained(func() error { return chosen.all(ctx, w) })
		w.finish(d.Storage.Now(), err)
		d.log(ctx, what, Target{}, err)
		d.Storage.Changed()
		r.at, r.args, r.count, r.err = d.Storage.Now(), stage(b.Args, "ended"), w.Done, w.shortfall(err)
		d.tell(ctx, r)
	}()
	return w, nil
}

// contained calls f. A panic is a [task.PanicError]: nobody else would stop it.
func contained(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &task.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return f()
}

// bulkArg is what says how far a bulk is, beside the arguments.
const bulkArg = "bulk"

// stage returns arguments that say, too, how far a bulk is of which is told.
func stage(args map[string]string, how string) map[string]string {
	staged := maps.Clone(args)
	if staged == nil {
		staged = map[string]string{}
	}
	staged[bulkArg] = how
	return staged
}

// shortfall returns err, or why it was not done to all.
func (w *work) shortfall(err error) error {
	if err == nil && (w.State == Stopped || w.Failed > 0) {
		err = problem.New(http.StatusConflict, "", fmt.Sprintf("%s: %d of %d done, %d had moved on, %d failed", w.State, w.Done, w.Total, w.Skipped, w.Failed))
	}
	return err
}

// add adds one, if there are not too many, and forgets those that ended long ago.
func (k *works) add(w *work, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	k.forget(now)
	going := 0
	for _, other := range k.all {
		if other.look(now).Going() {
			going++
		}
	}
	if going >= mostAtOnce {
		return ErrBusy
	}
	k.all = append(k.all, w)
	return nil
}

func (k *works) forget(now time.Time) {
	k.all = slices.DeleteFunc(k.all, func(w *work) bool {
		p := w.look(now)
		return !p.Going() && now.Sub(p.Ended) > remembered
	})
}

func (k *works) find(id string, now time.Time) (*work, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(now)
	for _, w := range k.all {
		if w.ID == id {
			return w, nil
		}
	}
	return nil, fmt.Errorf("bulk %q: %w", id[:min(len(id), 40)], ErrWorkNotFound)
}

// Progress returns how far a bulk has come. One that has ended is known for an hour.
func (d *Doer) Progress(id string) (Progress, error) {
	now := d.Storage.Now()
	w, err := d.works.find(id, now)
	if err != nil {
		return Progress{}, err
	}
	return w.look(now), nil
}

// Bulks returns all bulks that are known, the latest first.
func (d *Doer) Bulks() (all []Progress) {
	now := d.Storage.Now()
	d.works.mu.Lock()
	defer d.works.mu.Unlock()
	d.works.forget(now)
	for _, w := range slices.Backward(d.works.all) {
		all = append(all, w.look(now))
	}
	return all
}

// Stop has a bulk end after the step that it is at. Whoever may do the deed may stop it.
func (d *Doer) Stop(who access.Identity, id string) error {
	w, err := d.works.find(id, d.Storage.Now())
	if err != nil {
		return err
	}
	if !who.Role.Allows(w.least) {
		return fmt.Errorf("stop %s %s: %w: it takes %s", w.Kind, w.Deed, ErrForbidden, w.least)
	}
	w.stop()
	return nil
}

// Close stops all bulks, and returns once nothing is done any more. What a storage that
// does not answer is asked for, is given up.
func (d *Doer) Close() {
	d.works.mu.Lock()
	d.works.closed = true
	all := slices.Clone(d.works.all)
	d.works.mu.Unlock()
	for _, w := range all {
		w.stop()
	}
	patience := time.NewTimer(pastPatience)
	defer patience.Stop()
	for _, w := range all {
		select {
		case <-w.ended:
		case <-patience.C:
			for _, w := range all {
				w.end()
			}
		}
		<-w.ended
	}
}
