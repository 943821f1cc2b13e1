package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Joined implements [broker.Operator].
func (b *world) Joined(ctx context.Context, r broker.JoinedRequest) (broker.JoinedPage, error) {
	if err := errors.Join(r.Check(), b.started(ctx)); err != nil {
		return broker.JoinedPage{}, fmt.Errorf("joined: %w", err)
	}
	args := append(b.common(atNoTime), r.Queue, r.After, r.Limit)
	reply, err := b.run(ctx, joinedScript, []string{b.registry(), b.keys.queue(r.Queue)}, args...).Slice()
	if err != nil {
		return broker.JoinedPage{}, fmt.Errorf("joined groups of %s: %w", r.Queue, refusal(err))
	}
	page := broker.JoinedPage{Next: textAt(reply, 0), More: textAt(reply, 1) != ""}
	for _, one := range listAt(reply, 2) {
		words, _ := one.([]any)
		if g := group(words); task.CheckMadeName("Group", g.Name) == nil { // asynq may have given another back
			page.Groups = append(page.Groups, g)
		}
	}
	return page, nil
}

// group reads what lua/joined.lua says of a group.
func group(words []any) broker.Group {
	added := func(at int) time.Time { return time.Unix(numberAt(words, at), 0).UTC() }
	return broker.Group{Name: textAt(words, 0), Size: int(numberAt(words, 1)), Oldest: added(2), Newest: added(3)}
}
