package redisbroker_test

import (
	"errors"
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

func TestListeningEndsWithTheBroker(t *testing.T) {
	server := redistest.Shared(t)
	c := client(t, server)
	defer c.Close()
	shared := func() (*redisbroker.Broker, error) {
		return redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix(), Logger: discard})
	}
	divided := func() (*redisbroker.Broker, error) {
		return redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix(), Logger: discard, Shards: 3})
	}
	owned := func() (*redisbroker.Broker, error) { return open(t, server, redistest.Prefix()), nil }
	for name, open := range map[string]func() (*redisbroker.Broker, error){
		"whose client stays open": shared, "of shards": divided, "whose client is its own": owned,
	} {
		b, err := open()
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			ended <- b.Listen(t.Context(), func(broker.Signal) { go b.Close() })
		}()
		select {
		case err := <-ended:
			if !errors.Is(err, broker.ErrClosed) || !errors.Is(err, broker.ErrRefused) {
				t.Errorf("%s: Listen() = %v, want %v", name, err, broker.ErrClosed)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: Listen() has not returned after 10s", name)
		}
	}
}
