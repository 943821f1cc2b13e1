package queue

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// SignalContext returns a context that ends with the first of the signals TERM
// and INT, so that what runs with it stops in good order. A second one then
// ends the process at once, as if no signal had ever been caught. On Unix, TSTP
// has the servers that run with the context take no new tasks; they go on with
// those that they have, until TERM or INT.
//
// stop ends the context too, and gives the signals back. No other function of
// this module catches signals.
func SignalContext() (ctx context.Context, stop func()) {
	quiet := make(chan struct{})
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), quietKey{}, quiet))
	ended, paused := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(ended, endSignals...)
	if len(pauseSignals) > 0 { // none given would be all
		signal.Notify(paused, pauseSignals...)
	}
	quieten := sync.OnceFunc(func() { close(quiet) })
	var watching sync.WaitGroup
	watching.Go(func() {
		defer cancel()
		defer signal.Stop(paused)
		defer signal.Stop(ended)
		for {
			select {
			case <-ended:
				return
			case <-paused:
				quieten()
			case <-ctx.Done():
				return
			}
		}
	})
	return ctx, func() { cancel(); watching.Wait() }
}

type quietKey struct{}

// quieted returns a channel that is closed when servers that run with ctx are
// to take no new tasks, nil if ctx is not from [SignalContext].
func quieted(ctx context.Context) <-chan struct{} {
	quiet, _ := ctx.Value(quietKey{}).(chan struct{})
	return quiet
}
