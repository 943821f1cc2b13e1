package redisbroker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/leatwork/leat/task"
)

const defaultPort = "6379"

// Open returns a broker on the Redis that url names, once that has answered,
// which takes a few seconds at most. The forms of url are
//
//	redis://user:password@host:port/db           port and db may be left out
//	rediss://user:password@host:port/db          the same over TLS
//	redis-socket://user:password@/path?db=db     a Unix socket
//
// It returns a [task.InvalidError] for a url or options that make no sense, and
// an [OpenError] for a server that cannot be reached or used.
func Open(url string, o *Options) (*Broker, error) {
	settings, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if settings.TLSConfig != nil && o != nil && o.TLS != nil {
		named := o.TLS.Clone()
		if named.ServerName == "" {
			named.ServerName = settings.TLSConfig.ServerName
		}
		settings.TLSConfig = named
	}
	client := redis.NewClient(settings)
	w, err := newWorld(client, o)
	if err == nil {
		err = w.probe(settings.Addr)
	}
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &Broker{storage: w, client: client, owned: true}, nil
}

// settings are what every client of ours has. Only we repeat a call, because
// only we can tell a repetition: see repeat.go.
func settings() *redis.Options {
	return &redis.Options{
		MaxRetries:               -1,
		DialerRetries:            1,
		ContextTimeoutEnabled:    true,
		DialTimeout:              2 * time.Second,
		ReadTimeout:              3 * time.Second,
		WriteTimeout:             3 * time.Second,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// parseURL returns the settings of a client for raw. Its errors do not repeat
// raw, which may hold a password.
func parseURL(raw string) (*redis.Options, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Fragment != "" || u.Opaque != "" {
		scheme, _, _ := strings.Cut(raw, ":")
		return nil, task.Invalid("url", scheme+"://…", "is not a URL; special characters in a user or password must be escaped, such as # as %23")
	}
	s := settings()
	s.Username = u.User.Username()
	s.Password, _ = u.User.Password()
	db := strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "redis", "rediss":
		host, port := u.Hostname(), u.Port()
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = defaultPort
		}
		s.Addr = net.JoinHostPort(host, port)
		if u.Scheme == "rediss" {
			s.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
		}
		if u.RawQuery != "" {
			return nil, task.Invalid("url", u.Redacted(), "must have no query")
		}
	case "redis-socket":
		s.Network, s.Addr, db = "unix", u.Path, u.Query().Get("db")
		if u.Host != "" || u.Path == "" {
			return nil, task.Invalid("url", u.Redacted(), "must name a socket, as in redis-socket:///run/redis.sock")
		}
	default:
		return nil, task.Invalid("url", u.Redacted(), "must begin with redis://, rediss:// or redis-socket://")
	}
	if db != "" {
		s.DB, err = strconv.Atoi(db)
		if err != nil || s.DB < 0 {
			return nil, task.Invalid("url", u.Redacted(), fmt.Sprintf("names the database %q, which is no number", db))
		}
	}
	return s, nil
}

// probe asks the server what it is, and refuses what the broker cannot work
// with. What it may not ask, it takes to be in order.
func (b *world) probe(address string) error {
	// Whoever opens a broker has no context to give: the time is bounded here.
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	if err := b.client.Ping(ctx).Err(); err != nil {
		return explain(address, b.speaksTLS(), err)
	}
	info, err := b.client.Info(ctx).Result()
	if err != nil {
		b.log.DebugContext(ctx, "redis does not tell about itself", "address", address, "err", err)
	} else if err := b.judge(ctx, address, info); err != nil {
		return err
	}
	b.plainScripts = b.client.Eval(ctx, mayAdd+"\nreturn 1", nil).Err() != nil
	if err := b.measure(ctx); err != nil {
		return explain(address, b.speaksTLS(), err)
	}
	return nil
}

// judge reads the reply to INFO.
func (b *world) judge(ctx context.Context, address, info string) error {
	about := make(map[string]string)
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		about[name] = value
	}
	refused := func(reason string) error { return &OpenError{Address: address, Reason: reason} }
	switch version := about["redis_version"]; {
	case version != "" && olderThan(version, 6, 2):
		return refused(fmt.Sprintf("is version %s: 6.2 or later is needed", version))
	case about["redis_mode"] == "cluster":
		return refused("is part of a cluster, which is not supported yet")
	case about["role"] == "slave":
		return refused("is a replica: the primary is needed")
	}
	if policy := about["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		b.log.WarnContext(ctx, "redis may evict tasks when it is full: set maxmemory-policy to noeviction",
			"address", address, "maxmemory-policy", policy)
	}
	return nil
}

func olderThan(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}

func (b *world) speaksTLS() bool {
	c, ok := b.client.(*redis.Client)
	return ok && c.Options().TLSConfig != nil
}

// explain says what a first call's error is likely to mean.
func explain(address string, secure bool, err error) error {
	text := err.Error()
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	reason := "does not answer"
	switch {
	case has("WRONGPASS", "invalid password", "invalid username-password"):
		reason = "refuses the user or password"
	case has("NOAUTH"):
		reason = "wants a password"
	case has("DB index", "DB number"):
		reason = "has no such database"
	case isRecordHeader(err), has("tls: first record"):
		reason = "does not speak TLS"
	case has("certificate"):
		reason = "shows a certificate that is not trusted"
	case has(`"\x15`, "invalid reply"):
		reason = "speaks TLS, or is no Redis"
	case secure && errors.Is(err, context.DeadlineExceeded):
		reason = "does not answer, or does not speak TLS"
	case text == "EOF":
		reason = "closes the connection: it may speak only TLS, or be no Redis"
	}
	return &OpenError{Address: address, Reason: reason, Err: err}
}

func isRecordHeader(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}
