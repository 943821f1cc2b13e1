// Package brokerurl opens a broker by its URL, for programs that let their user
// choose one. It is apart from package queue so that a program which always uses
// the same broker carries no other.
package brokerurl

import (
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
func Open(rawURL string) (broker.Broker, error) {
	scheme, rest, found := strings.Cut(rawURL, ":")
	switch {
	case !found:
	case scheme == "memory" && rest == "":
		return opened(sqlitebroker.Open(":memory:", nil))
	case scheme == "sqlite" && rest != "":
		return opened(sqlitebroker.Open(rest, nil))
	case scheme == "redis" || scheme == "rediss" || strings.HasPrefix(scheme, "redis-") || strings.HasPrefix(scheme, "rediss-"):
		return opened(redisbroker.Open(rawURL, nil))
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
