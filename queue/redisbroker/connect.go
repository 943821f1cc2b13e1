package redisbroker

import (
	"context"
	"crypto/tls"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// What every client of ours has. Only we repeat a call, because only we can
// tell a repetition: see repeat.go. A cluster's client, which has to follow keys
// that move, repeats calls nevertheless: see doubts.
const (
	dialTimeout = 2 * time.Second
	ioTimeout   = 3 * time.Second

	// reloadInterval is how old a client's picture of its cluster may be. What
	// has failed over is not found before.
	reloadInterval = 2 * time.Second
)

func noMaintenance() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// connect returns a client of t, which has not been asked for anything yet.
func (t target) connect(secure *tls.Config) redis.UniversalClient {
	switch {
	case !t.secure:
		secure = nil
	case secure == nil:
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	switch t.kind {
	case sentinels:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: t.master, SentinelAddrs: t.hosts,
			SentinelUsername: t.sentinelUser, SentinelPassword: t.sentinelPassword,
			Username: t.user, Password: t.password, DB: t.db, TLSConfig: secure,
			MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
			DisableIdentity: true,
		})
	case cluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: t.hosts, Username: t.user, Password: t.password, TLSConfig: secure,
			MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
			ClusterStateReloadInterval: reloadInterval, DisableRoutingPolicies: true,
			DisableIdentity: true, MaintNotificationsConfig: noMaintenance(),
		})
	default:
		network := "tcp"
		if t.kind == socket {
			network = "unix"
		}
		return redis.NewClient(&redis.Options{
			Network: network, Addr: t.hosts[0],
			Username: t.user, Password: t.password, DB: t.db, TLSConfig: secure,
			MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
			DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
			DisableIdentity: true, MaintNotificationsConfig: noMaintenance(),
		})
	}
}

// address is how t is named in errors.
func (t target) address() string { return strings.Join(t.hosts, ",") }

// doubts notes that an answer was lost on the way through a cluster's client.
// That repeats what it got no answer to, and returns what comes of the
// repetition: a refusal then does not say that nothing was executed.
type doubts struct{}

type doubtKey struct{}

// doubting returns a context whose calls note in the flag that one of them has
// got no answer.
func doubting(ctx context.Context) (context.Context, *atomic.Bool) {
	lost := new(atomic.Bool)
	return context.WithValue(ctx, doubtKey{}, lost), lost
}

func (doubts) note(ctx context.Context, err error) {
	if err == nil || isReply(err) || notExecuted(err) {
		return
	}
	if lost, ok := ctx.Value(doubtKey{}).(*atomic.Bool); ok {
		lost.Store(true)
	}
}

// DialHook is part of redis.Hook, and does nothing.
func (doubts) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook notes what becomes of one command that a node is sent.
func (d doubts) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		d.note(ctx, err)
		return err
	}
}

// ProcessPipelineHook notes what becomes of several.
func (d doubts) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		d.note(ctx, err)
		return err
	}
}

// watch has doubts noted by the nodes of c, those that it knows and those that
// it gets to know.
func watch(ctx context.Context, c *redis.ClusterClient) error {
	c.OnNewNode(func(node *redis.Client) { node.AddHook(doubts{}) })
	return c.ForEachShard(ctx, func(_ context.Context, node *redis.Client) error {
		node.AddHook(doubts{})
		return nil
	})
}
