package redisbroker

import (
	"context"
	"embed"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
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
	{}:                           newScript(mayAdd, "apply", readying, "answer"),
	{apart: true}:                newScript(mayAdd, "apply", adding, "answer"),
	{homes: true}:                newScript(mayAdd, "apply", opening, "document listing latch answer body"),
	{leases: true}:               newScript(settles, "apply", opening, settling, "answer lease body"),
	{leases: true, homes: true}:  newScript(settles, "apply", opening, settling, "document listing latch answer lease body"),
	{others: true}:               newScript(mayAdd, "apply", everything),
	{leases: true, others: true}: newScript(settles, "apply", everything),
}

// Pieces that go together, in the order in which they build on one another.
const (
	readying   = "key later event wake ready entry"
	placing    = "key time later lose fields event wake ready place claim"
	adding     = placing + " entry"
	opening    = placing + " home order open entry drain"
	settling   = "finish message settle"
	everything = opening + " " + settling + " batch batchsettle act move replace document listing latch answer lease body"
)

// Pieces whose names no other piece uses. Lua has room for two hundred names at a
// time: these give theirs back.
var selfContained = []string{"open", "drain", "latch", "listing", "batchsettle", "replace", "body",
	"remedyplace", "remedyclaim", "remedygroup", "remedyhome"}

// needs say what changes are about, besides entries that are ready at once and
// claim nothing. The builds for others are for everything.
type needs struct {
	apart  bool // entries that are not ready at once, or claim a key; or events
	leases bool // settles or moves some, or asks for leases
	homes  bool // is of one, or adds entries that are
	others bool // moves, replacements, watches, batches
}

func (n *needs) of(c broker.Change) {
	n.leases = n.leases || len(c.Settle)+len(c.Move) > 0
	n.homes = n.homes || !c.Home.IsZero()
	n.others = n.others || len(c.Move)+len(c.Replace)+len(c.Watch) > 0
	for i := range c.Settle {
		n.others = n.others || c.Settle[i].Entry.Group != ""
	}
	for i := range c.Enqueue {
		e := &c.Enqueue[i]
		n.homes = n.homes || !e.Home.IsZero()
		n.apart = n.apart || !e.DueAt.IsZero() || e.Group != "" || e.Claim.Key != ""
	}
}

// script returns the build for n.
func (n needs) script() script {
	if n.others {
		n.homes = false
	}
	if n.others || n.homes || n.leases {
		n.apart = false // they are for both
	}
	return applyScripts[n]
}

var (
	extendScript    = newScript(settles, "extend", "key batch held")
	reportScript    = newScript(mayAdd, "report", "key time event batch held")
	advanceScript   = newScript(settles, "advance", opening, "finish listing batch read")
	gatherScript    = newScript(settles, "gather", opening, "finish message batch member")
	joinedScript    = newScript(settles, "joined", "key")
	sweepScript     = newScript(settles, "sweep", opening, "finish act batch read page")
	removeScript    = newScript(settles, "remove", "key home wake")
	resumeScript    = newScript(settles, "resume", "key wake")
	beatScript      = newScript(settles, "beat", "key time")
	timetableScript = newScript(settles, "timetable", "key time")
	mendScript      = newScript(settles, "mend", opening, "finish batch remedy remedyplace remedyclaim remedygroup remedyhome")
	entryScript     = newScript(reads, "entry", "key time batch read")
	listScript      = newScript(reads, "list", "key time order batch read page")
	homesScript     = newScript(reads, "homes", "key home order listing")
	countsScript    = newScript(reads, "counts", "key")
)

// A script is a file in lua/ with pieces of lua/lib put in front, in two builds. Each is
// put together when it is first used: a program that only looks needs few of them.
type script struct {
	declared func() *redis.Script // for Redis 7: its first line declares what it is
	plain    func() *redis.Script // for Redis 6.2, which does not know declarations
}

// newScript returns the script in lua/name.lua. The files are part of the
// program, so one that is missing is a bug of this package.
func newScript(declaration, name string, lib ...string) script {
	body := func() string {
		var text strings.Builder
		for _, piece := range strings.Fields(strings.Join(lib, " ")) {
			if slices.Contains(selfContained, piece) {
				text.WriteString("do\n" + source("lib/"+piece) + "end\n")
			} else {
				text.WriteString(source("lib/" + piece))
			}
		}
		return text.String() + source(name)
	}
	return script{
		declared: sync.OnceValue(func() *redis.Script { return redis.NewScript(declaration + "\n" + body()) }),
		plain:    sync.OnceValue(func() *redis.Script { return redis.NewScript(body()) }),
	}
}

func source(name string) string {
	b, err := lua.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err)
	}
	return string(b) + "\n"
}

// usualArguments is how many a script of apply takes, if what it is to do is not
// much.
const usualArguments = 10

// common returns the arguments that all scripts have first.
func (b *world) common(now time.Time) []any {
	return append(make([]any, 0, usualArguments), b.prefix, nanos(now), b.most)
}

// run runs s. It is loaded if the server does not know it yet, as after a
// restart.
func (b *world) run(ctx context.Context, s script, keys []string, args ...any) *redis.Cmd {
	build := s.declared()
	if b.plainScripts {
		build = s.plain()
	}
	if _, ok := b.client.(*redis.ClusterClient); ok {
		return b.runInCluster(ctx, build, keys, args)
	}
	return build.Run(ctx, b.client, keys, args...)
}
