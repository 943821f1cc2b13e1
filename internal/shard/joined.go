package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/queue/broker"
)

// Joined implements [broker.Operator]. The worlds are asked for the page in turn, and
// each for its part of it if it is long; its Next is that of each.
func (b *Broker) Joined(ctx context.Context, r broker.JoinedRequest) (broker.JoinedPage, error) {
	if err := r.Check(); err != nil {
		return broker.JoinedPage{}, fmt.Errorf("joined: %w", err)
	}
	names := b.layout.Of(r.Queue)
	if len(names) == 1 {
		return b.layout.World(names[0]).Joined(ctx, r)
	}
	j := &joining{b: b, queue: r.Queue, after: make(map[string]string, len(names)), left: b.inTurn(names)}
	if cursors := strings.Split(r.After, between); len(cursors) == len(names) {
		for i, name := range names {
			j.after[name] = cursors[i]
		}
	}
	if err := j.fill(ctx, r.Limit); err != nil {
		return broker.JoinedPage{}, err
	}
	for i, name := range names {
		if i > 0 {
			j.page.Next += between
		}
		j.page.Next += j.after[name]
	}
	return j.page, nil
}

// A joining is a page of several worlds that is being made.
type joining struct {
	b     *Broker
	queue string
	after map[string]string // by name of a world: where it goes on
	left  []string          // the worlds that have not been asked, or have more
	page  broker.JoinedPage
}

// fill has the page filled, as far as limit.
func (j *joining) fill(ctx context.Context, limit int) error {
	all, more := len(j.left), make(map[string]bool)
	for room := limit; room > 0 && len(j.left) > 0; room = limit - len(j.page.Groups) {
		limits := limits(room, len(j.left), all)
		some := j.left[:len(limits)]
		pages, err := j.ask(ctx, some, limits)
		if err != nil {
			return err
		}
		j.left = slices.Clone(j.left[len(some):])
		for i, name := range some {
			j.after[name] = pages[i].Next
			j.page.Groups = append(j.page.Groups, pages[i].Groups...)
			if more[name] = pages[i].More; more[name] {
				j.left = append(j.left, name)
			}
		}
	}
	return j.look(ctx, more)
}

// look finds out whether there is more: in a world that says so, or has something and
// has not been asked.
func (j *joining) look(ctx context.Context, more map[string]bool) error {
	for _, name := range j.left {
		j.page.More = j.page.More || more[name]
	}
	if j.page.More || len(j.left) == 0 {
		return nil
	}
	pages, err := j.ask(ctx, j.left, slices.Repeat([]int{1}, len(j.left)))
	for _, p := range pages {
		j.page.More = j.page.More || p.More || len(p.Groups) > 0
	}
	return err
}

// ask asks worlds for at most as many groups as limits says of each.
func (j *joining) ask(ctx context.Context, names []string, limits []int) ([]broker.JoinedPage, error) {
	pages, errs := parallel(names, func(name string) (broker.JoinedPage, error) {
		r := broker.JoinedRequest{Queue: j.queue, After: j.after[name], Limit: limits[slices.Index(names, name)]}
		return j.b.layout.World(name).Joined(ctx, r)
	})
	return pages, errors.Join(errs...)
}
