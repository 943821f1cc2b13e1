package redisbroker_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/redisbroker"
)

func TestBroker(t *testing.T) {
	server := redistest.Shared(t)
	brokertest.Run(t, func(testing.TB) brokertest.Storage { return storage(server, redistest.Prefix()) })
}

func TestAClosedBrokerRefusesEveryCall(t *testing.T) {
	server := redistest.Shared(t)
	t.Run("whose client is its own", func(t *testing.T) { brokertest.Close(t, open(t, server, redistest.Prefix())) })
	t.Run("whose client stays open", func(t *testing.T) {
		c := client(t, server)
		defer c.Close()
		b, err := redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix(), LocalClock: true})
		if err != nil {
			t.Fatal(err)
		}
		brokertest.Close(t, b)
		if err := c.Ping(t.Context()).Err(); err != nil {
			t.Errorf("Ping() of the client = %v, want nil", err)
		}
	})
}

// storage is what server holds under prefix.
func storage(server *redistest.Server, prefix string) brokertest.Storage {
	return brokertest.Storage{
		Open: func(t testing.TB) broker.Broker { return open(t, server, prefix) },
		OpenStreaming: func(t testing.TB, events int) broker.Broker {
			return openWith(t, server, redisbroker.Options{Prefix: prefix, Events: events})
		},
		Leftovers: func(t testing.TB) []string { return leftovers(t, server, prefix) },
	}
}

// open opens a broker that takes the now of calls as it is, and does not close
// it.
func open(t testing.TB, server *redistest.Server, prefix string) *redisbroker.Broker {
	t.Helper()
	return openWith(t, server, redisbroker.Options{Prefix: prefix})
}

func openWith(t testing.TB, server *redistest.Server, o redisbroker.Options) *redisbroker.Broker {
	t.Helper()
	o.LocalClock, o.Logger = true, discard
	b, err := redisbroker.Open(server.SocketURL(), &o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// leftovers names all keys under prefix but those that stay by documentation:
// queues, counters, the version, wakes and answers.
func leftovers(t testing.TB, server *redistest.Server, prefix string) []string {
	c := client(t, server)
	defer c.Close()
	return namesLeft(t, c, prefix)
}

func namesLeft(t testing.TB, c *redis.Client, prefix string) []string {
	t.Helper()
	var names []string
	scan := c.Scan(t.Context(), 0, prefix+":*", 1000).Iterator()
	for scan.Next(t.Context()) {
		name := scan.Val()
		_, rest, _ := strings.Cut(name, "}:")
		switch {
		case strings.HasPrefix(name, prefix+":leat:{wake}:"), name == prefix+":queues", name == prefix+":leat:version", name == prefix+":leat:shards", name == prefix+":leat:events", strings.HasPrefix(name, prefix+":leat:answer:"):
		case strings.HasPrefix(rest, "processed"), strings.HasPrefix(rest, "failed"):
		case rest == "leat:joined" && c.ZCard(t.Context(), name).Val() == 1: // the last number
		case rest == "leat:queues", strings.HasPrefix(rest, "leat:answer:"): // on a cluster
		default:
			names = append(names, name)
		}
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// client returns a client of server that looks up no name: a look-up would
// leave a test's bubble.
func client(t testing.TB, server *redistest.Server) *redis.Client {
	t.Helper()
	return clientOf(server, "", 0)
}

func clientOf(server *redistest.Server, password string, db int) *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: server.Socket, Password: password, DB: db,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

var discard = slog.New(slog.DiscardHandler)
