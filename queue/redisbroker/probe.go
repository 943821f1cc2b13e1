package redisbroker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// A probe asks a server what it is and can do. What it may not ask, it takes to
// be in order.
type probe struct {
	client  redis.UniversalClient
	address string
	secure  bool // over TLS
	channel string
	log     *slog.Logger
}

// run refuses what the broker cannot work with, and tells whether the server
// knows no declared scripts.
func (p probe) run(ctx context.Context) (plainScripts bool, err error) {
	if err := p.client.Ping(ctx).Err(); err != nil {
		return false, p.explain(err)
	}
	info, err := p.client.Info(ctx).Result()
	if err != nil {
		p.log.DebugContext(ctx, "redis does not tell about itself", "address", p.address, "err", err)
	} else if err := p.judge(ctx, info); err != nil {
		return false, err
	}
	p.subscribe(ctx)
	return p.scripts(ctx)
}

// judge reads the reply to INFO.
func (p probe) judge(ctx context.Context, info string) error {
	about := make(map[string]string)
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		about[name] = value
	}
	_, knowsClusters := p.client.(*redis.ClusterClient)
	switch version := about["redis_version"]; {
	case version != "" && olderThan(version, 6, 2):
		return p.refuse(fmt.Sprintf("is version %s: 6.2 or later is needed", version), nil)
	case about["redis_mode"] == "sentinel":
		return p.refuse("is a sentinel: name it with redis-sentinel://", nil)
	case about["redis_mode"] == "cluster" && !knowsClusters:
		return p.refuse("is part of a cluster: name it with redis-cluster://, or use a client of the cluster", nil)
	case about["role"] == "slave":
		return p.refuse("is a replica: the primary is needed", nil)
	}
	if policy := about["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		p.log.WarnContext(ctx, "redis may evict tasks when it is full: set maxmemory-policy to noeviction",
			"address", p.address, "maxmemory-policy", policy)
	}
	return nil
}

// scripts finds out which kind of scripts the server runs.
func (p probe) scripts(ctx context.Context) (plain bool, err error) {
	if p.client.Eval(ctx, mayAdd+"\nreturn 1", nil).Err() == nil {
		return false, nil
	}
	if err := p.client.Eval(ctx, "return 1", nil).Err(); err != nil {
		return false, p.explain(err)
	}
	return true, nil
}

// subscribe tells an operator if nothing will be heard from the server.
func (p probe) subscribe(ctx context.Context) {
	s := p.client.Subscribe(ctx, p.channel)
	_, err := s.Receive(ctx)
	if err != nil {
		p.log.WarnContext(ctx, "redis cannot be listened to: what happens is found out by asking, a second later or five",
			"address", p.address, "err", err)
	}
	if err := s.Close(); err != nil {
		p.log.DebugContext(ctx, "subscription not closed", "err", err)
	}
}

func olderThan(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}

func (p probe) refuse(reason string, err error) error {
	return &OpenError{Address: p.address, Reason: reason, Err: err}
}

// meanings are what errors of a first call are likely to mean, by what they say.
var meanings = []struct {
	reason string
	parts  []string
}{
	{"refuses the user or password", []string{"WRONGPASS"}},
	{"refuses the user or password", []string{"invalid password"}},
	{"wants a password: before the @ stands that of the servers, that of sentinels is sentinel_password", []string{"sentinels specified", "NOAUTH"}},
	{"wants a password", []string{"NOAUTH"}},
	{"does not let the user run scripts", []string{"NOPERM", "eval"}},
	{"does not let the user in", []string{"NOPERM"}},
	{"does not run scripts", []string{"unknown command", "EVAL"}},
	{"has no such database", []string{"DB index"}},
	{"has no such database", []string{"DB number"}},
	{"is not part of a cluster", []string{"cluster support disabled"}},
	{"watches no master of that name", []string{"sentinels specified", "redis: nil"}},
	{"does not answer", []string{"sentinels specified"}},
	{"does not speak TLS", []string{"tls: first record"}},
	{"wants another certificate of the client, or one at all", []string{"remote error: tls"}},
	{"shows a certificate that is not trusted", []string{"certificate"}},
	{"speaks TLS, or is no Redis", []string{`"\x15`}},
	{"speaks TLS, or is no Redis", []string{"invalid reply"}},
}

// explain says what a first call's error is likely to mean.
func (p probe) explain(err error) error {
	text := err.Error()
	for _, m := range meanings {
		if containsAll(text, m.parts) {
			return p.refuse(m.reason, err)
		}
	}
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case notTLS:
		return p.refuse("does not speak TLS", err)
	case p.secure && errors.Is(err, context.DeadlineExceeded):
		return p.refuse("does not answer, or does not speak TLS", err)
	case text == "EOF":
		return p.refuse("closes the connection: it may speak only TLS, or be no Redis", err)
	case errors.Is(err, broker.ErrRefused):
		return err
	}
	return p.refuse("does not answer", err)
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
