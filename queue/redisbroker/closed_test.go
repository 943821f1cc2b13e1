package redisbroker_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
)

// asynq's subscriber ends the process when the client that it shares is closed.
func TestListeningOnAClosedClientIsAnError(t *testing.T) {
	for name, early := range map[string]bool{"closed before": true, "closed meanwhile": false} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, redistest.Options{})
			c := client(t, server)
			b, err := redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix()})
			if err != nil {
				t.Fatal(err)
			}
			if early {
				_ = c.Close() // what it returns is no matter here
			}
			ended := make(chan error, 1)
			go func() {
				ended <- b.Listen(t.Context(), func(s broker.Signal) {
					if s.Kind == broker.Listening && !early {
						_ = c.Close()
						server.Kill() // so that it would have to connect again
					}
				})
			}()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("Listen() = nil, want an error")
				}
			case <-time.After(10 * time.Second):
				t.Error("Listen() has not returned after 10s")
			}
		})
	}
}
