package redisbroker

import (
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

// Listen implements [broker.Listener]. It returns an error if the server does not
// let the channels be subscribed to, or the first connection cannot be made; one
// that breaks later is made anew, unless the client has been closed.
func (b *world) Listen(ctx context.Context, hear func(broker.Signal)) error {
	return b.listen(ctx, hear, b.keys)
}

// listen listens to all channels that are named by all.
func (b *world) listen(ctx context.Context, hear func(broker.Signal), all ...keys) error {
	if err := b.started(ctx); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	kinds, asynqs := make(map[string]broker.SignalKind), make(map[string]bool)
	for _, k := range all {
		asynqs[k.asynqCancels()] = true
		kinds[k.asynqCancels()], kinds[k.cancels()] = broker.CancelSent, broker.CancelSent
		kinds[k.ends()], kinds[k.progress()] = broker.EndSeen, broker.ProgressSeen
	}
	var channels []string
	for channel := range kinds {
		channels = append(channels, channel)
	}
	subscription := b.client.Subscribe(ctx)
	defer context.AfterFunc(ctx, func() { subscription.Close() })()
	defer subscription.Close()
	err := subscription.Subscribe(ctx, channels...)
	if err == nil {
		l := listener{b: b, subscription: subscription, kinds: kinds, asynqs: asynqs, hear: hear}
		err = l.run(ctx)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("listen: %w", refusal(err))
}

// A listener hears what is told on the channels of kinds.
type listener struct {
	b            *world
	subscription *redis.PubSub
	kinds        map[string]broker.SignalKind
	asynqs       map[string]bool // channels that are asynq's
	hear         func(broker.Signal)

	confirmed int  // how many channels are subscribed to on this connection
	listening bool // has been, ever
	asked     bool // whether the connection is still there
}

func (l *listener) run(ctx context.Context) error {
	for pause := firstPause; ; {
		message, err := l.subscription.ReceiveTimeout(ctx, silence)
		switch {
		case err == nil:
			l.take(message)
			l.asked, pause = false, firstPause
			continue
		case ctx.Err() != nil, isReply(err), errors.Is(err, redis.ErrClosed), !l.listening, l.b.closed.Load():
			return err
		case isTimeout(err) && !l.asked:
			if l.asked = true; l.subscription.Ping(ctx) == nil {
				continue
			}
		}
		// go-redis connects anew, and subscribes, at the next call.
		l.confirmed, l.asked = 0, false
		if !wait(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, longestPause)
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
			l.confirmed, l.listening = 0, true
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
