package redisbroker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
)

func TestAURLThatMakesNoSenseIsRefused(t *testing.T) {
	for url, reason := range map[string]string{
		"":                             "must begin with",
		"http://localhost":             "must begin with",
		"localhost:6379":               "must begin with",
		"redis://localhost/nine":       "no number",
		"redis://localhost/-1":         "no number",
		"redis://localhost/1/2":        "no number",
		"redis://localhost?timeout=1s": "query",
		"redis://a,b":                  "one host",
		"redis://a:b:c":                "a host that is none",
		"redis://:se/cret@localhost":   "must be escaped",
		"redis-sentinel://a,b:26380":   "must name the master",
		"redis-sentinel://:secret@a?master=m&password=secret": "query",
		"redis-sentinel://a?master=m&master=n":                "said twice",
		"redis-cluster://a,b/1":                               "must not name a database",
		"redis-cluster://a?shards=many":                       "no number",
		"redis-cluster://a?shards=1000":                       "must be 0 to",
		"redis://a?noblocking=perhaps":                        "must be true or false",
		"redis-cluster://a:secret@b:x":                        "a host that is none",
		"redis-socket://host/path":                            "must name a socket",
		"redis-socket://":                                     "must name a socket",
		"redis-socket:///path?db=x":                           "no number",
		"redis://:se%cret@localhost":                          "must be escaped",
		"redis://:12#secret@localhost":                        "must be escaped",
		"redis://:secret@localhost/x":                         "no number",
		"redis://:secret@local host":                          "must be escaped",
		"rediss://u:secret@localhost/x":                       "no number",
	} {
		_, err := redisbroker.Open(url, nil)
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), reason) {
			t.Errorf("Open(%q) = %v, want %v that says %q", url, err, task.ErrInvalid, reason)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) = %v, which tells the password", url, err)
		}
	}
}

func TestAURLSaysWhoAndWhere(t *testing.T) {
	for url, want := range map[string]redisbroker.Target{
		"redis://":                  {Hosts: []string{"localhost:6379"}},
		"redis://h":                 {Hosts: []string{"h:6379"}},
		"rediss://ann@h:7/2":        {Hosts: []string{"h:7"}, User: "ann", DB: 2},
		"redis://:secret@[::1]":     {Hosts: []string{"[::1]:6379"}, Password: "secret"},
		"redis://ann:se%2Fcret@h/1": {Hosts: []string{"h:6379"}, User: "ann", Password: "se/cret", DB: 1},
		"redis-socket://ann:secret@/run/redis.sock?db=3": {Hosts: []string{"/run/redis.sock"}, User: "ann", Password: "secret", DB: 3},
		"redis-sentinel://ann:secret@h,i:7/1?master=m":   {Hosts: []string{"h:26379", "i:7"}, User: "ann", Password: "secret", DB: 1},
		"rediss-cluster://ann:secret@h,i:7":              {Hosts: []string{"h:6379", "i:7"}, User: "ann", Password: "secret"},
	} {
		got, err := redisbroker.ReadURL(url)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", url, err, diff)
		}
	}
}

// oldServer has a client be told that its server is of another version.
type oldServer string

func (oldServer) DialHook(next redis.DialHook) redis.DialHook { return next }

func (version oldServer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "info" {
			return next(ctx, cmd)
		}
		cmd.(*redis.StringCmd).SetVal("redis_version:" + string(version) + "\r\n")
		return nil
	}
}

func (oldServer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestAServerThatIsTooOldIsRefused(t *testing.T) {
	for version, old := range map[string]bool{
		"2.8.24": true, "5.0.14": true, "6.0.20": true, "6.1.241": true,
		"6.2.0": false, "7.0.15": false, "10.1.0": false, "unstable": false,
	} {
		c := client(t, redistest.Shared(t))
		c.AddHook(oldServer(version))
		b, err := redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix()})
		if _, refused := errors.AsType[*redisbroker.OpenError](err); refused != old {
			t.Errorf("New() with version %s = %v, want refused: %t", version, err, old)
		}
		if old && err != nil && !strings.Contains(err.Error(), "6.2 or later is needed") {
			t.Errorf("New() with version %s = %v, want it to say what is needed", version, err)
		}
		if b != nil {
			b.Close()
		}
		c.Close()
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	server := redistest.Shared(t)
	for _, prefix := range []string{"a{b}", "a b", "a|b", strings.Repeat("a", 300)} {
		if _, err := redisbroker.Open(server.URL(), &redisbroker.Options{Prefix: prefix}); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Open() with prefix %q = %v, want %v", prefix, err, task.ErrInvalid)
		}
	}
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": server.Addr}})
	defer ring.Close()
	for _, c := range []redis.UniversalClient{nil, ring} {
		if _, err := redisbroker.New(c, nil); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("New(%T) = %v, want %v", c, err, task.ErrInvalid)
		}
	}
}

func TestAServerThatCannotBeUsedIsRefused(t *testing.T) {
	plain := redistest.Shared(t)
	guarded := redistest.Start(t, redistest.Options{Password: "secret"})
	secure := redistest.Start(t, redistest.Options{TLS: true})
	replica := redistest.Start(t, redistest.Options{Args: []string{"--replicaof", "127.0.0.1", "1"}})
	strict := redistest.Start(t, redistest.Options{TLS: true, ClientCerts: true})
	node := redistest.Start(t, redistest.Options{Args: []string{"--cluster-enabled", "yes", "--cluster-port", freeport.Port(t)}})
	sentinel := redistest.Start(t, redistest.Options{Sentinel: "sentinel monitor leat 127.0.0.1 1 2\n"})
	shy := redistest.Start(t, redistest.Options{Sentinel: "requirepass secret\n"})
	mute := redistest.Start(t, redistest.Options{})
	mute.Do(t, "ACL", "SETUSER", "leat", "on", ">secret", "~*", "&*", "+@all", "-@scripting")
	mute.Do(t, "ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*")
	for _, c := range []struct{ name, url, reason string }{
		{"nobody is there", "redis://:secret@" + freeport.Address(t), "does not answer"},
		{"no socket", "redis-socket:///nowhere.sock", "does not answer"},
		{"no password", "redis://" + guarded.Addr, "wants a password"},
		{"wrong password", "redis://:secret2@" + guarded.Addr, "refuses the user or password"},
		{"unknown user", "redis://u:secret@" + guarded.Addr, "refuses the user or password"},
		{"no such database", "redis://" + plain.Addr + "/99", "has no such database"},
		{"TLS where plain is spoken", "rediss://" + plain.Addr, "TLS"},
		{"plain where TLS is spoken", "redis://" + secure.Addr, "TLS"},
		{"a certificate of nobody", "rediss://" + secure.Addr, "certificate that is not trusted"},
		{"a replica", "redis://" + replica.Addr, "is a replica"},
		{"one who wants a client's certificate", "rediss://" + strict.Addr, "certificate"},
		{"a node of a cluster", "redis://" + node.Addr, "part of a cluster"},
		{"a cluster that is none", "redis-cluster://" + plain.Addr, "not part of a cluster"},
		{"a sentinel", "redis://" + sentinel.Addr, "is a sentinel"},
		{"a master that nobody watches", "redis-sentinel://" + sentinel.Addr + "?master=other", "no master of that name"},
		{"no sentinel", "redis-sentinel://:secret@" + freeport.Address(t) + "?master=leat", "does not answer"},
		{"a sentinel that wants a password", "redis-sentinel://:secret@" + shy.Addr + "?master=leat", "sentinel_password"},
		{"a user who may not run scripts", "redis://leat:secret@" + mute.Addr, "does not let the user run scripts"},
		{"a user who may nothing", "redis://ann:secret@" + mute.Addr, "does not let the user in"},
		{"one who says nothing", "redis://" + silent(t), "does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			_, err := redisbroker.Open(c.url, nil)
			open, ok := errors.AsType[*redisbroker.OpenError](err)
			if !ok || !errors.Is(err, broker.ErrRefused) {
				t.Fatalf("Open() = %v, want an OpenError", err)
			}
			if !strings.Contains(err.Error(), c.reason) || !strings.Contains(c.url, open.Address) {
				t.Errorf("Open() = %v, want it to name %s and say %q", err, open.Address, c.reason)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("Open() = %v, which tells the password", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("Open() took %v", took)
			}
		})
	}
}

func TestAServerThatIsReachedIsUsed(t *testing.T) {
	plain := redistest.Shared(t)
	guarded := redistest.Start(t, redistest.Options{Password: "se#cr/et"})
	secure := redistest.Start(t, redistest.Options{TLS: true})
	strict := redistest.Start(t, redistest.Options{TLS: true, ClientCerts: true})
	for _, c := range []struct {
		name, url string
		server    *redistest.Server
	}{
		{"over TCP", plain.URL(), plain},
		{"over TCP in another database", plain.URL() + "/3", plain},
		{"over a socket", plain.SocketURL(), plain},
		{"over a socket in another database", plain.SocketURL() + "?db=2", plain},
		{"with a password", "redis://:se%23cr%2Fet@" + guarded.Addr, guarded},
		{"with a user", "redis://default:se%23cr%2Fet@" + guarded.Addr + "/", guarded},
		{"over TLS", secure.URL(), secure},
		{"over TLS with a certificate of the client", strict.URL(), strict},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := redisbroker.Open(c.url, &redisbroker.Options{Prefix: redistest.Prefix(), TLS: c.server.TLS()})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Ping(t.Context()); err != nil {
				t.Errorf("Ping() = %v, want nil", err)
			}
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
			if err := b.Ping(t.Context()); !errors.Is(err, broker.ErrRefused) {
				t.Errorf("Ping() after Close() = %v, want %v", err, broker.ErrRefused)
			}
		})
	}
}

func TestACallersClientStaysOpen(t *testing.T) {
	c := client(t, redistest.Shared(t))
	defer c.Close()
	b, err := redisbroker.New(c, &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("ping after the broker's Close() = %v, want nil", err)
	}
}

func TestAPolicyThatEvictsIsReported(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Args: []string{"--maxmemory-policy", "allkeys-lru"}})
	var log bytes.Buffer
	b, err := redisbroker.Open(server.URL(), &redisbroker.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "allkeys-lru") {
		t.Errorf("log = %q, want a warning that names the policy", got)
	}
}

// TestAUserWhoMayNotAskIsServed opens a broker as a user that may use the keys
// of its prefix, and none of the commands that administer a server.
func TestAUserWhoMayNotAskIsServed(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	c := client(t, server)
	defer c.Close()
	err := c.Do(t.Context(), "ACL", "SETUSER", "leat", "on", ">pw", "~shop:*", "&shop:*", "+@all", "-@admin", "-@dangerous").Err()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	b, err := redisbroker.Open("redis://leat:pw@"+server.Addr, &redisbroker.Options{
		Prefix: "shop", Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}
	applied, err := b.Apply(t.Context(), time.Now(), []broker.Change{{Enqueue: []broker.Entry{e}}},
		broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 1, Until: time.Now().Add(time.Minute)})
	if err != nil || len(applied.Leases) != 1 {
		t.Errorf("Apply() = %+v, %v, want one lease", applied, err)
	}
	if log.Len() > 0 {
		t.Errorf("log = %q, want silence", log.String())
	}
}

// silent returns an address at which somebody listens and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
