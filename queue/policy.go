package queue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A TypeConfig says what holds for the tasks of some types. A zero field leaves
// it at what the [Config] says.
type TypeConfig struct {
	RetryDelayFunc task.RetryPolicy
	IsFailure      func(error) bool
	MaxCrashes     int
}

// ArchiveLimits say how many archived tasks of each queue are kept: the newest.
// In each field 0 is the default, and a negative value no limit.
type ArchiveLimits struct {
	Count int           // 0: 10,000
	Age   time.Duration // 0: 90 days
	Bytes int64         // of payloads and results, estimated; 0: no limit
}

// What is kept of the archive where the Config is silent.
const (
	defaultArchiveCount = 10_000
	defaultArchiveAge   = 90 * 24 * time.Hour
)

// defaultMaxCrashes is how many workers may be lost with a task, one after
// another, where nobody says otherwise.
const defaultMaxCrashes = 3

// keep returns l as a broker takes it.
func (l ArchiveLimits) keep() broker.ArchiveLimits {
	setDefault(&l.Count, defaultArchiveCount)
	setDefault(&l.Age, defaultArchiveAge)
	return broker.ArchiveLimits{Count: max(l.Count, 0), Age: max(l.Age, 0), Bytes: max(l.Bytes, 0)}
}

// forType returns what holds for the tasks of a type.
func (c Config) forType(typ string) TypeConfig {
	own, length := TypeConfig{}, -1
	for prefix, t := range c.ByType {
		if len(prefix) > length && strings.HasPrefix(typ, prefix) {
			own, length = t, len(prefix)
		}
	}
	if own.RetryDelayFunc == nil {
		own.RetryDelayFunc = c.RetryDelayFunc
	}
	if own.IsFailure == nil {
		own.IsFailure = c.IsFailure
	}
	setDefault(&own.MaxCrashes, c.MaxCrashes)
	return own
}

// unfit returns how the task of e ends if it is not to be run at now, and why, or
// a nil error.
func (c Config) unfit(now time.Time, e broker.Entry) (broker.End, error) {
	if e.Crashes > 0 {
		most := e.MaxCrashes
		if most == 0 {
			most = c.forType(e.Type).MaxCrashes
		}
		if most >= 0 && e.Crashes > most {
			return broker.Poison, fmt.Errorf("%w: its workers were lost %d times in a row", ErrPoison, e.Crashes)
		}
	}
	if !e.StartBy.IsZero() && now.After(e.StartBy) {
		return broker.Expired, fmt.Errorf("%w: it was to begin by %s", ErrExpired, e.StartBy.UTC().Format(time.RFC3339Nano))
	}
	if !e.Deadline.IsZero() && !now.Before(e.Deadline) {
		return broker.Expired, fmt.Errorf("%w: its deadline was %s", ErrExpired, e.Deadline.UTC().Format(time.RFC3339Nano))
	}
	return 0, nil
}

// exhausted returns what the OnExhausted function wants enqueued.
func (c Config) exhausted(ctx context.Context, info *task.Info, err error) (ts []*task.Task) {
	var wanted []*task.Task
	if callBack(ctx, c.Logger, "OnExhausted", func() { wanted = c.OnExhausted(ctx, info, err) }) {
		ts = wanted
	}
	return ts
}
