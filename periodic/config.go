package periodic

import (
	"context"
	"log/slog"
	"time"

	"github.com/leatwork/leat/task"
)

// What holds for a scheduler that is not told otherwise.
const (
	DefaultSyncInterval = 5 * time.Second
	DefaultPollInterval = 10 * time.Second
)

// Attempts is how often a scheduler tries to make the task of a tick, if that fails.
const Attempts = 3

// A Config says how a [Scheduler] works. The zero value is ready to use.
//
// The functions are the user's: a panic in one, or that it does not return within ten
// seconds, or one once Run's context has ended, is logged and otherwise nothing.
type Config struct {
	// Provider, if not nil, knows entries beside those that are registered. It is
	// asked at the start and every PollInterval; 0: DefaultPollInterval.
	Provider     Provider
	PollInterval time.Duration

	// SyncInterval is how often a scheduler looks for what others have changed: entries
	// that were added, changed or removed, paused or resumed, are to be run now or
	// backfilled. 0: DefaultSyncInterval.
	SyncInterval time.Duration

	// Before is called with each tick and its task before that is enqueued, by each
	// scheduler that sets out to do it. nil: nothing is called.
	Before func(ctx context.Context, tick Tick, t *task.Task)

	// After is called with each tick whose task was enqueued, or waits to be, by the
	// scheduler that has done it. nil: nothing is called.
	After func(ctx context.Context, tick Tick, info *task.Info)

	// OnError is called with what went wrong with a tick, or with an entry or the
	// Provider; then the tick has no Time, or no Entry, either. Most is tried again; that
	// the storage does not answer is told of each entry now and then. nil: nothing is
	// called; all of it is logged.
	OnError func(ctx context.Context, tick Tick, err error)

	// Logger gets what an operator should know. nil: slog.Default().
	Logger *slog.Logger

	clock func() time.Time // nil: time.Now
	beat  time.Duration    // 0: beatInterval
}

func (c Config) withDefaults() (Config, []error) {
	var faults []error
	for _, d := range []struct {
		field string
		value *time.Duration
		usual time.Duration
	}{{"PollInterval", &c.PollInterval, DefaultPollInterval}, {"SyncInterval", &c.SyncInterval, DefaultSyncInterval}} {
		if *d.value < 0 {
			faults = append(faults, task.Invalid("Config."+d.field, *d.value, "must not be negative"))
		}
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.beat == 0 {
		c.beat = beatInterval
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	return c, faults
}
