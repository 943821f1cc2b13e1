package main

import (
	"context"
	"errors"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// peer is asynq.
type peer struct {
	address asynq.RedisClientOpt
	client  *asynq.Client
	redis   *redis.Client
}

func openAsynq(c call) (*peer, error) {
	o, err := redis.ParseURL(c.Where)
	if err != nil {
		return nil, err
	}
	address := asynq.RedisClientOpt{Addr: o.Addr}
	return &peer{address: address, client: asynq.NewClient(address), redis: redis.NewClient(&redis.Options{Addr: o.Addr})}, nil
}

func (p *peer) enqueue(ctx context.Context, o order) error {
	options := []asynq.Option{asynq.Queue(o.queue)}
	if !o.at.IsZero() {
		options = append(options, asynq.ProcessAt(o.at))
	}
	if o.group != "" {
		options = append(options, asynq.Group(o.group))
	}
	_, err := p.client.EnqueueContext(ctx, asynq.NewTask(taskType, o.payload, options...))
	return err
}

func (p *peer) enqueueMany(context.Context, []order) error { return errors.ErrUnsupported }

func (p *peer) serve(c call, handle handler) (stop func() error, err error) {
	return p.serveWith(c, asynq.Config{}, handle)
}

func (p *peer) serveWith(c call, config asynq.Config, handle handler) (stop func() error, err error) {
	config.Concurrency, config.Queues = c.Concurrency, c.priorities()
	if !c.Loud {
		config.Logger = silence{}
	}
	srv := asynq.NewServer(p.address, config)
	err = srv.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		return handle(ctx, t.Payload())
	}))
	return func() error { srv.Shutdown(); return nil }, err
}

// serveGroups is for what joins groups.
func (p *peer) serveGroups(c call, fold folder, handle handler) (stop func() error, err error) {
	return p.serveWith(c, asynq.Config{
		GroupGracePeriod: c.Grace, GroupMaxSize: c.Full,
		GroupAggregator: asynq.GroupAggregatorFunc(func(_ string, tasks []*asynq.Task) *asynq.Task {
			payloads := make([][]byte, len(tasks))
			for i, t := range tasks {
				payloads[i] = t.Payload()
			}
			return asynq.NewTask(taskType, fold(payloads))
		}),
	}, handle)
}

// ripe returns when a group is to be folded that something has joined last at a time:
// asynq counts from the second before.
func (p *peer) ripe(joined time.Time, grace time.Duration) time.Time {
	return joined.Truncate(time.Second).Add(grace)
}

func (p *peer) unsettled(ctx context.Context, queues []string) (int, error) {
	n := 0
	for _, queue := range queues {
		for _, list := range []string{"pending", "active"} {
			length, err := p.redis.LLen(ctx, "asynq:{"+queue+"}:"+list).Result()
			if err != nil {
				return 0, err
			}
			n += int(length)
		}
	}
	return n, nil
}

func (p *peer) close() error { return errors.Join(p.client.Close(), p.redis.Close()) }

// silence is an asynq.Logger.
type silence struct{}

func (silence) Debug(...any) {}
func (silence) Info(...any)  {}
func (silence) Warn(...any)  {}
func (silence) Error(...any) {}
func (silence) Fatal(...any) {}
