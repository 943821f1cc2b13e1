package main

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// stream is River.
type stream struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	log    *slog.Logger
}

// args are what a task of River consists of.
type args struct {
	Payload string `json:"payload"`
}

// Kind names the type of the task.
func (args) Kind() string { return taskType }

func openRiver(ctx context.Context, c call) (*stream, error) {
	pool, err := pgxpool.New(ctx, c.Where)
	if err != nil {
		return nil, err
	}
	s := &stream{pool: pool, log: logger(c)}
	driver := riverpgxv5.New(pool)
	tables, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: s.log})
	if err != nil {
		return nil, err
	}
	if _, err := tables.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	s.client, err = river.NewClient(driver, &river.Config{Logger: s.log})
	return s, err
}

func (o order) river() river.InsertManyParams {
	return river.InsertManyParams{
		Args:       args{Payload: string(o.payload)},
		InsertOpts: &river.InsertOpts{Queue: o.queue, ScheduledAt: o.at},
	}
}

func (s *stream) enqueue(ctx context.Context, o order) error {
	p := o.river()
	_, err := s.client.Insert(ctx, p.Args, p.InsertOpts)
	return err
}

func (s *stream) enqueueMany(ctx context.Context, orders []order) error {
	params := make([]river.InsertManyParams, len(orders))
	for i, o := range orders {
		params[i] = o.river()
	}
	_, err := s.client.InsertManyFast(ctx, params)
	return err
}

func (s *stream) serve(c call, handle handler) (stop func() error, err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, t *river.Job[args]) error {
		return handle(ctx, []byte(t.Args.Payload))
	}))
	queues := make(map[string]river.QueueConfig)
	for _, name := range c.queueNames() {
		queues[name] = river.QueueConfig{MaxWorkers: c.Concurrency}
	}
	client, err := river.NewClient(riverpgxv5.New(s.pool), &river.Config{Logger: s.log, Queues: queues, Workers: workers})
	if err != nil {
		return nil, err
	}
	if err := client.Start(context.Background()); err != nil {
		return nil, err
	}
	return func() error { return client.Stop(context.Background()) }, nil
}

func (s *stream) unsettled(ctx context.Context, queues []string) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available', 'running') AND queue = ANY($1)`, queues).Scan(&n)
	return n, err
}

func (s *stream) close() error {
	s.pool.Close()
	return nil
}
