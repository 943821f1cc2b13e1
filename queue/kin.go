package queue

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/leatwork/leat/task"
)

// A kin is what the ids that a client makes have in common where several tasks
// are stored in one commit: their root, which is what stands before the first
// [task.Joint]. A storage in shards keeps what has one root in one shard, and
// cannot commit over two.
type kin struct {
	root string
	last *atomic.Int64 // of ids that are numbered; nil: they get a UUID each
}

type kinKey struct{}

// among returns a context in which ids are made for tasks of k.
func among(ctx context.Context, k kin) context.Context { return context.WithValue(ctx, kinKey{}, k) }

// kinOf returns the kin of the task with id.
func kinOf(id string) kin {
	root, _, _ := strings.Cut(id, string(task.Joint))
	return kin{root: root}
}

// newKin returns one that has no tasks yet.
func newKin() kin { return kin{root: uuid.NewString(), last: new(atomic.Int64)} }

// madeID returns an id for a task that was given none.
func madeID(ctx context.Context) string {
	k, ok := ctx.Value(kinKey{}).(kin)
	switch {
	case !ok:
		return uuid.NewString()
	case k.last == nil:
		return k.root + string(task.Joint) + uuid.NewString()
	default:
		return k.root + string(task.Joint) + strconv.FormatInt(k.last.Add(1), 10)
	}
}
