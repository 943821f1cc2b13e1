package redisbroker

import (
	"context"
	"embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua
var lua embed.FS

// What a script is declared as: a full Redis refuses those that may add to it,
// and lets those pass that it needs to get empty.
const (
	mayAdd  = "#!lua"
	settles = "#!lua flags=allow-oom"
	reads   = "#!lua flags=no-writes"
)

// The script that applies changes, in builds for what they need: to run a piece
// that is not used takes longer than to use it.
var applyScripts = map[needs]script{
	{}:                          newScript(mayAdd, "apply", "key", "later", "entry", "answer"),
	{homes: true}:               newScript(mayAdd, "apply", "key", "later", "entry", "document", "latch", "answer"),
	{leases: true}:              newScript(settles, "apply", "key", "later", "entry", "settle", "answer", "lease"),
	{leases: true, homes: true}: newScript(settles, "apply", "key", "later", "entry", "settle", "document", "latch", "answer", "lease"),
}

// needs say what changes are about, besides enqueues.
type needs struct {
	leases bool // settles or asks for some
	homes  bool
}

var (
	extendScript  = newScript(settles, "extend", "key")
	advanceScript = newScript(settles, "advance", "key", "later", "read")
	beatScript    = newScript(settles, "beat", "key")
	entryScript   = newScript(reads, "entry", "key", "read")
	listScript    = newScript(reads, "list", "key", "read")
	countsScript  = newScript(reads, "counts", "key")
)

// A script is a file in lua/ with pieces of lua/lib put in front, in two builds.
type script struct {
	declared *redis.Script // for Redis 7: its first line declares what it is
	plain    *redis.Script // for Redis 6.2, which does not know declarations
}

// newScript returns the script in lua/name.lua. The files are part of the
// program, so one that is missing is a bug of this package.
func newScript(declaration, name string, lib ...string) script {
	var body strings.Builder
	for _, piece := range lib {
		body.WriteString(source("lib/" + piece))
	}
	body.WriteString(source(name))
	return script{
		declared: redis.NewScript(declaration + "\n" + body.String()),
		plain:    redis.NewScript(body.String()),
	}
}

func source(name string) string {
	b, err := lua.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err)
	}
	return string(b) + "\n"
}

// run runs s. It is loaded if the server does not know it yet, as after a
// restart.
func (b *world) run(ctx context.Context, s script, keys []string, args ...any) *redis.Cmd {
	build := s.declared
	if b.plainScripts {
		build = s.plain
	}
	return build.Run(ctx, b.client, keys, args...)
}
