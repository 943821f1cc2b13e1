package audit

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// keep is for how long what was done in a month is kept once the month is over.
	keep = 90 * 24 * time.Hour

	// patience is how long a deed waits for its entry to be kept: what is done is done,
	// and a storage that does not answer must not hold up who did it.
	patience = 3 * time.Second

	// tries is how often an entry is written of which others were faster each time.
	tries = 50

	// between is how much time passes at least between two looks for months to delete.
	between = time.Hour
)

// A Log is told of everything that is done. It may be used by several goroutines, and
// several processes may have one on the same storage.
type Log struct {
	broker broker.Broker
	logger *slog.Logger
	clock  func() time.Time
	turn   chan struct{} // who has it writes: within a process nobody is in another's way

	mu    sync.Mutex
	swept time.Time
}

// New returns a log that tells logger, and keeps the latest entries in b.
func New(b broker.Broker, logger *slog.Logger) *Log {
	return &Log{broker: b, logger: logger, clock: time.Now, turn: make(chan struct{}, 1)}
}

// Record tells the logger of e and keeps it. It fills in At if that is zero. It waits
// for the storage, but no longer than a few seconds, and not for ctx: who has gone away
// has done it all the same. If e cannot be kept the logger is told that, too.
func (l *Log) Record(ctx context.Context, e Entry) {
	if e.At.IsZero() {
		e.At = l.clock()
	}
	e = e.within()
	l.tell(ctx, e)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := l.write(ctx, e); err != nil {
		l.logger.ErrorContext(ctx, "audit: an entry is not kept", "deed", e.Deed, "kind", e.Kind, "target", e.Target, "by", e.By, "err", err)
	}
	l.sweep(ctx)
}

// tell tells the logger of e.
func (l *Log) tell(ctx context.Context, e Entry) {
	level := slog.LevelInfo
	facts := []any{"deed", e.Deed, "kind", e.Kind, "target", e.Target, "by", e.By, "role", e.Role.String(), "from", e.From, "count", e.Count}
	var args []any
	for _, name := range slices.Sorted(maps.Keys(e.Args)) {
		args = append(args, name, e.Args[name])
	}
	facts = append(facts, slog.Group("args", args...))
	if e.Err != "" {
		level = slog.LevelWarn
		facts = append(facts, "err", e.Err)
	}
	l.logger.Log(ctx, level, "audit", facts...)
}

// Latest returns the n entries that were recorded last by any process, the last one
// first: fewer if there are no more, or the others are no longer kept.
func (l *Log) Latest(ctx context.Context, n int) ([]Entry, error) {
	var latest []Entry
	now := l.clock().UTC()
	for month := monthOf(now); len(latest) < n && !now.After(month.closes()); month = month.before() {
		entries, err := l.read(ctx, month, n-len(latest))
		if err != nil {
			return nil, err
		}
		latest = append(latest, entries...)
	}
	return latest, nil
}

// sweep deletes the months that are kept no longer, from time to time.
func (l *Log) sweep(ctx context.Context) {
	now := l.clock()
	l.mu.Lock()
	due := now.Sub(l.swept) >= between
	if due {
		l.swept = now
	}
	l.mu.Unlock()
	if !due {
		return
	}
	_, err := l.broker.Advance(ctx, now, broker.AdvanceRequest{Queues: []string{homes}, Limit: broker.MaxParts})
	if err != nil {
		l.logger.WarnContext(ctx, "audit: what is old is not deleted", "err", err)
	}
}
