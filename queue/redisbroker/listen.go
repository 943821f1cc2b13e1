package redisbroker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// silence is how long nothing is heard before it is asked whether the connection
// is still there.
const silence = 15 * time.Second

var errSilent = errors.New("nothing is heard, not even an answer")

// Listen implements [broker.Listener]. It returns an error if the server does not
// let the channels be subscribed to, or the first connection cannot be made; one
// that breaks later is made anew, unless the client has been closed. It ends with
// the broker, too.
func (b *world) Listen(ctx context.Context, hear func(broker.Signal)) error {
	return b.listen(ctx, hear, b.keys)
}

// listen listens to all channels that are named by all.
func (b *world) listen(ctx context.Context, hear func(broker.Signal), all ...keys) error {
	if err := b.started(ctx); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	l := &listener{b: b, hear: hear, kinds: make(map[string]broker.SignalKind), asynqs: make(map[string]bool)}
	for _, k := range all {
		l.asynqs[k.asynqCancels()] = true
		l.kinds[k.asynqCancels()], l.kinds[k.cancels()] = broker.CancelSent, broker.CancelSent
		l.kinds[k.ends()], l.kinds[k.progress()] = broker.EndSeen, broker.ProgressSeen
	}
	open, stop := context.WithCancel(ctx)
	defer stop()
	b.listeners.Store(l, stop)
	defer b.listeners.Delete(l)
	for {
		err := b.started(ctx)
		if err == nil {
			err = l.connect(open)
		}
		switch {
		case b.started(ctx) != nil:
			err = cmp.Or(ctx.Err(), b.started(ctx))
		case isReply(err), errors.Is(err, redis.ErrClosed), !l.listening:
		case wait(open, l.pause):
			l.pause = min(2*l.pause, longestPause)
			continue
		default:
			continue // it has ended
		}
		return fmt.Errorf("listen: %w", refusal(err))
	}
}

// A listener hears what is told on the channels of kinds.
type listener struct {
	b         *world
	kinds     map[string]broker.SignalKind
	asynqs    map[string]bool // channels that are asynq's
	hear      func(broker.Signal)
	confirmed int           // how many channels are subscribed to on this connection
	listening bool          // has been, ever
	pause     time.Duration // before the next connection
}

// connect listens on one connection until that breaks, and returns why.
func (l *listener) connect(ctx context.Context) error {
	subscription := l.b.client.Subscribe(ctx)
	defer context.AfterFunc(ctx, func() { subscription.Close() })()
	defer subscription.Close()
	l.confirmed = 0
	var channels []string
	for channel := range l.kinds {
		channels = append(channels, channel)
	}
	if err := subscription.Subscribe(ctx, channels...); err != nil {
		return err
	}
	asked := false // whether the connection is still there
	for {
		message, err := subscription.ReceiveTimeout(ctx, silence)
		switch {
		case err == nil:
			asked = false
			l.take(message)
		case !isTimeout(err):
			return err
		case asked:
			return errSilent
		default:
			asked = true
			if err := subscription.Ping(ctx); err != nil {
				return err
			}
		}
	}
}

func isTimeout(err error) bool {
	failed, ok := errors.AsType[net.Error](err)
	return ok && failed.Timeout()
}

func (l *listener) take(message any) {
	switch m := message.(type) {
	case *redis.Subscription:
		if m.Kind != "subscribe" {
			return
		}
		if l.confirmed++; l.confirmed == len(l.kinds) {
			l.listening, l.pause = true, firstPause
			l.hear(broker.Signal{Kind: broker.Listening})
		}
	case *redis.Message:
		if signal, ok := l.signal(m); ok {
			l.hear(signal)
		}
	}
}

// signal returns what m tells. asynq's cancels are bare ids, and ours name the
// queue first.
func (l *listener) signal(m *redis.Message) (broker.Signal, bool) {
	signal := broker.Signal{Kind: l.kinds[m.Channel]}
	if l.asynqs[m.Channel] {
		signal.Entry.ID = m.Payload
		return signal, m.Payload != ""
	}
	queue, id, ok := strings.Cut(m.Payload, " ")
	signal.Entry = broker.EntryRef{Queue: queue, ID: id}
	return signal, ok
}
