package queue

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// reportInterval is how far apart the reports of one attempt are written at
// least.
const reportInterval = time.Second

// Report stores how far the task of the handler with ctx has come, in whatever
// form: at most [broker.MaxProgress] bytes, in place of what was reported before.
// Whoever waits for the task ([OnProgress]) or looks at it sees it.
//
// It is cheap: at most one report a second is written, and the last one always
// is, at the latest before the outcome is recorded. It returns [ErrLeaseLost] if
// the task is somebody else's now, the error of the storage, and the cause of ctx
// if that has ended.
func Report(ctx context.Context, data []byte) error {
	r, ok := FromContext(ctx)
	if !ok {
		return fmt.Errorf("report: %w", task.Invalid("ctx", nil, "is not that of a handler"))
	}
	if n := len(data); n > broker.MaxProgress {
		return fmt.Errorf("report: %w", task.Invalid("progress size", n, fmt.Sprintf("is larger than %d bytes", broker.MaxProgress)))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("report: %w", context.Cause(ctx))
	}
	if err := r.progress.report(ctx, r.server.broker, r.lease.Ref(), data); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// A progress is what an attempt has reported.
type progress struct {
	mu      sync.Mutex // held while it is written: reports keep their order
	data    []byte
	written time.Time                   // when the last was; zero: none was
	pending func(context.Context) error // writes data, if that is not written
	timer   *time.Timer                 // has it written
	over    bool                        // no more reports are taken
}

// report writes data, now or soon.
func (p *progress) report(ctx context.Context, o broker.Operator, ref broker.LeaseRef, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errTooLate
	}
	p.data = bytes.Clone(data)
	if p.data == nil {
		p.data = []byte{}
	}
	p.pending = func(ctx context.Context) error {
		return write(ctx, o, broker.Progress{LeaseRef: ref, Data: p.data})
	}
	wait := reportInterval - time.Since(p.written)
	if p.written.IsZero() || wait <= 0 {
		return p.write(ctx)
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, func() { _ = p.flush(ctx) }) // the next report, or the end, tries again
	}
	return nil
}

func (p *progress) write(ctx context.Context) error {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.written = time.Now()
	err := p.pending(ctx)
	if err == nil {
		p.pending = nil
	}
	return err
}

// flush writes what was reported last, unless it is written.
func (p *progress) flush(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == nil {
		return nil
	}
	return p.write(ctx)
}

// close takes no more reports, and says whether one is left to be written.
func (p *progress) close() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	return p.pending != nil
}

func write(ctx context.Context, o broker.Operator, progress broker.Progress) error {
	held, err := o.Report(ctx, time.Now(), progress)
	switch {
	case err != nil:
		return err
	case len(held) != 1:
		return fmt.Errorf("broker answered about %d of 1 lease", len(held))
	case held[0] == broker.Lost:
		return ErrLeaseLost
	}
	return nil
}

// flush writes the handler's last report, now that it has returned or was given
// up.
func (a *attempt) flush() {
	if !a.progress.close() {
		return
	}
	ctx, cancel := a.lasting()
	defer cancel()
	if err := a.progress.flush(ctx); err != nil {
		a.log(slog.LevelWarn, "last report of a handler was not written", "err", err)
	}
}
