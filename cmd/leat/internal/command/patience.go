package command

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
)

// patient returns a context for something that takes as long as it takes, but ends when
// the storage is silent for --timeout: whoever hears of it calls heard.
func (a *app) patient(ctx context.Context) (patient context.Context, heard, done func()) {
	patient, cancel := context.WithCancelCause(ctx)
	silence := time.AfterFunc(a.Timeout(), func() {
		cancel(fmt.Errorf("%w: silent for %s", connect.ErrUnreachable, a.Timeout()))
	})
	return patient, func() { silence.Reset(a.Timeout()) }, func() { silence.Stop(); cancel(nil) }
}

// cutShort returns why ctx has ended, nil if it has not. A call to the storage may end at
// the deadline of ctx some moments before ctx itself does.
func cutShort(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		<-ctx.Done()
	}
	return context.Cause(ctx)
}
