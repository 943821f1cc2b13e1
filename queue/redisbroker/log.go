package redisbroker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// go-redis has one logger for the whole process, which prints to stderr. It is
// replaced when the program starts, so that a program which sets its own has it.
func init() { redis.SetLogger(clientLog{}) }

// A clientLog takes what go-redis prints. That repeats what calls return, and
// says nothing of how much it matters: it is for debugging.
type clientLog struct{}

// Printf logs one line to what is slog's default then.
func (clientLog) Printf(ctx context.Context, format string, v ...any) {
	if log := slog.Default(); log.Enabled(ctx, slog.LevelDebug) {
		log.DebugContext(ctx, "go-redis says", "line", fmt.Sprintf(format, v...))
	}
}
