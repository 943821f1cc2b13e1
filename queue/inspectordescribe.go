package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Describe returns what the storage tells of itself, and of the named queues where
// they are, if that is a cluster. The error matches [errors.ErrUnsupported] if the
// broker tells nothing. It takes a few trips.
func (i *Inspector) Describe(ctx context.Context, queues ...string) (broker.About, error) {
	if err := checkBroker(i.broker); err != nil {
		return broker.About{}, fmt.Errorf("describe: %w", err)
	}
	d, ok := i.broker.(broker.Describer)
	if !ok {
		return broker.About{}, fmt.Errorf("describe broker %T: %w", i.broker, errors.ErrUnsupported)
	}
	return d.Describe(ctx, queues...)
}

// Verify returns one sentence for each thing in storage that contradicts itself, such
// as a task in two states. It reads everything, and what changes meanwhile may be told
// although it is sound: who wants to be sure asks again. The error matches
// [errors.ErrUnsupported] if the broker cannot check its storage.
func (i *Inspector) Verify(ctx context.Context) ([]string, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	v, ok := i.broker.(broker.Verifier)
	if !ok {
		return nil, fmt.Errorf("verify broker %T: %w", i.broker, errors.ErrUnsupported)
	}
	return v.Verify(ctx, time.Now())
}

// Mend puts right what Verify finds and there is one plain remedy for, and returns that
// and what is left, as [broker.Mender] has it. It may be called beside servers that go
// on. With dry it changes nothing, and tells what it would do. The error matches
// [errors.ErrUnsupported] if the broker mends nothing; what was done before another is
// told beside it.
func (i *Inspector) Mend(ctx context.Context, dry bool) ([]broker.Mended, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("mend: %w", err)
	}
	m, ok := i.broker.(broker.Mender)
	if !ok {
		return nil, fmt.Errorf("mend broker %T: %w", i.broker, errors.ErrUnsupported)
	}
	return m.Mend(ctx, time.Now(), dry)
}
