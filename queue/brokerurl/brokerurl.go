// Package brokerurl opens a broker by its URL, for programs that let their user
// choose one. It is apart from package queue so that a program which always uses
// the same broker carries no other.
package brokerurl

import (
	"crypto/tls"
	"log/slog"
	"net/url"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// Forms says what [Open] understands, for a flag's help.
const Forms = "memory:, sqlite:FILE, redis://[USER:PASSWORD@]HOST[:PORT][/DB], redis-socket://PATH[?db=N], " +
	"redis-sentinel://HOST,HOST[/DB]?master=NAME, redis-cluster://HOST,HOST[?shards=N], and rediss… for each over TLS"

// Open opens the broker that url names, with the default options of its package:
//
//	memory:          an embedded broker that ends with the process
//	sqlite:FILE      an embedded broker in a file, which is made if it is not there
//	redis://…        Redis, as package redisbroker describes
//
// A URL of another form is a [task.InvalidError], which does not tell a password
// that is in it.
func Open(rawURL string) (broker.Broker, error) { return OpenWith(rawURL, Options{}) }

// Options are what a URL has no room for. The zero value is every default.
type Options struct {
	Prefix string       // of all keys in Redis, as redisbroker.Options has it
	TLS    *tls.Config  // for rediss URLs, as redisbroker.Options has it
	Events int          // how many events are kept, about; 0: none
	Logger *slog.Logger // nil: slog.Default

	// MustExist refuses a SQLite file that is not there with an error that matches
	// [io/fs.ErrNotExist]: who only looks should not make one.
	MustExist bool
}

// OpenWith opens the broker that url names, as [Open] does, with options. Prefix and
// TLS are about Redis, and mean nothing to an embedded broker; it logs nothing.
func OpenWith(rawURL string, o Options) (broker.Broker, error) {
	scheme, rest, found := strings.Cut(rawURL, ":")
	switch {
	case !found:
	case scheme == "memory" && rest == "":
		return opened(sqlitebroker.Open(":memory:", &sqlitebroker.Options{Events: o.Events}))
	case scheme == "sqlite" && rest != "":
		return opened(sqlitebroker.Open(rest, &sqlitebroker.Options{Events: o.Events, MustExist: o.MustExist}))
	case scheme == "redis" || scheme == "rediss" || strings.HasPrefix(scheme, "redis-") || strings.HasPrefix(scheme, "rediss-"):
		return opened(redisbroker.Open(rawURL, &redisbroker.Options{Prefix: o.Prefix, TLS: o.TLS, Events: o.Events, Logger: o.Logger}))
	}
	if u, err := url.Parse(rawURL); err == nil {
		rawURL = u.Redacted()
	}
	return nil, task.Invalid("broker URL", rawURL, "must be one of "+Forms)
}

// opened returns no broker with an error: one in an interface is never nil.
func opened[B broker.Broker](b B, err error) (broker.Broker, error) {
	if err != nil {
		return nil, err
	}
	return b, nil
}
