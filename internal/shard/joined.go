package shard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/leatwork/leat/queue/broker"
)

// Joined implements [broker.Operator]. Each world is asked for a part of the page, and
// what of it does not fit is left for the next.
func (b *Broker) Joined(ctx context.Context, r broker.JoinedRequest) (broker.JoinedPage, error) {
	if err := r.Check(); err != nil {
		return broker.JoinedPage{}, fmt.Errorf("joined: %w", err)
	}
	names := b.layout.Of(r.Queue)
	if len(names) == 1 {
		return b.layout.World(names[0]).Joined(ctx, r)
	}
	next := strings.Split(r.After, between)
	if len(next) != len(names) {
		next = make([]string, len(names))
	}
	after := make(map[string]string, len(names))
	for i, name := range names {
		after[name] = next[i]
	}
	pages, errs := parallel(names, func(name string) (broker.JoinedPage, error) {
		part := broker.JoinedRequest{Queue: r.Queue, After: after[name], Limit: max(r.Limit/len(names), 1)}
		return b.layout.World(name).Joined(ctx, part)
	})
	if err := errors.Join(errs...); err != nil {
		return broker.JoinedPage{}, err
	}
	var all broker.JoinedPage
	for i, p := range pages {
		if len(all.Groups)+len(p.Groups) > r.Limit {
			all.More = true
			continue
		}
		all.Groups = append(all.Groups, p.Groups...)
		all.More = all.More || p.More
		next[i] = p.Next
	}
	all.Next = strings.Join(next, between)
	return all, nil
}
