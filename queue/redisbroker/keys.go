package redisbroker

import (
	"strings"

	"github.com/leatwork/leat/queue/broker"
)

// keys makes the names of keys under one prefix, in step with lua/lib/key.lua.
// No name that enters them contains a brace or a bar.
type keys string

func (k keys) queues() string  { return string(k) + ":queues" }
func (k keys) servers() string { return string(k) + ":servers" }
func (k keys) workers() string { return string(k) + ":workers" }

// queue is what the names of all keys of a queue begin with.
func (k keys) queue(name string) string { return string(k) + ":{" + name + "}:" }

func (k keys) entry(ref broker.EntryRef) string { return k.queue(ref.Queue) + "t:" + ref.ID }

// claims is what the names of all keys of a queue's claims begin with.
func (k keys) claims(queue string) string { return k.queue(queue) + "unique:" }

// claim is the key of a claim, or empty if the entry has none.
func (k keys) claim(e broker.Entry) string {
	if e.Claim.Key == "" {
		return ""
	}
	return k.claims(e.Queue) + e.Claim.Key
}

func (k keys) run(h broker.Home) string { return k.queue(h.Queue) + "leat:run:" + h.ID }

// open is the hash of what is open of a home; listed the sorted set of the homes
// beside a queue that are listed with a term, or of all for "".
func (k keys) open(h broker.Home) string { return k.queue(h.Queue) + "leat:open:" + h.ID }
func (k keys) listed(queue, term string) string {
	if term == "" {
		return k.queue(queue) + "leat:listed"
	}
	return k.queue(queue) + "leat:listed:" + term
}

// A latch is a hash, a bitmap of the members that have arrived, and a list of
// the entries that wait to be released; a home has a set of its latches.
func (k keys) latch(h broker.Home, id string) string   { return k.ofLatch("latch", h, id) }
func (k keys) arrived(h broker.Home, id string) string { return k.ofLatch("arrived", h, id) }
func (k keys) waiting(h broker.Home, id string) string { return k.ofLatch("waiting", h, id) }
func (k keys) latches(h broker.Home) string            { return k.queue(h.Queue) + "leat:latches:" + h.ID }

func (k keys) ofLatch(kind string, h broker.Home, id string) string {
	return k.queue(h.Queue) + "leat:" + kind + ":" + h.ID + "|" + id
}

// groups are the names of a queue's groups; a group is a sorted set, and so is each
// batch. aggregations names all batches by their keys, joined has the groups by their
// last joins.
func (k keys) groups(queue string) string       { return k.queue(queue) + "groups" }
func (k keys) group(queue, name string) string  { return k.queue(queue) + "g:" + name }
func (k keys) aggregations(queue string) string { return k.queue(queue) + "aggregation_sets" }
func (k keys) joined(queue string) string       { return k.queue(queue) + "leat:joined" }

func (k keys) pending(queue string) string { return k.queue(queue) + "pending" }

func (k keys) paused(queue string) string { return k.queue(queue) + "paused" }

// figure is a counter, "processed" or "failed", of one day.
func (k keys) figure(queue, word, day string) string { return k.queue(queue) + word + ":" + day }

// Channels: asynq's, on which it sends bare ids, and ours.
func (k keys) asynqCancels() string { return string(k) + ":cancel" }
func (k keys) cancels() string      { return string(k) + ":leat:cancel" }
func (k keys) ends() string         { return string(k) + ":leat:ended" }
func (k keys) progress() string     { return string(k) + ":leat:progress" }

func (k keys) events() string  { return string(k) + ":leat:events" }
func (k keys) version() string { return string(k) + ":leat:version" }
func (k keys) shards() string  { return string(k) + ":leat:shards" }

// wake is the key of a queue's wakes. All of them have one slot.
func (k keys) wake(queue string) string { return string(k) + ":leat:{wake}:" + queue }

func (k keys) answers(caller string) string { return string(k) + ":leat:answer:" + caller }

// server and its workers: "host:pid:id" is asynq's name for a server.
func (k keys) server(name string) string        { return k.servers() + ":{" + name + "}" }
func (k keys) serverWorkers(name string) string { return k.workers() + ":{" + name + "}" }

// scheduler is the list of a scheduler's entries, with a name as a server's; ticks
// is what one of them has enqueued.
func (k keys) schedulers() string           { return string(k) + ":schedulers" }
func (k keys) scheduler(name string) string { return k.schedulers() + ":{" + name + "}" }
func (k keys) ticks(entry string) string    { return string(k) + ":scheduler_history:" + entry }

// Fields of an entry's hash. The first ones are asynq's.
const (
	fieldMsg      = "msg"
	fieldState    = "state"
	fieldUnique   = "unique_key"
	fieldGroup    = "group"
	fieldWords    = "leat_ms"
	fieldHome     = "leat_home"
	fieldReads    = "leat_reads"
	fieldExit     = "leat_exit"
	fieldCrashes  = "leat_crashes"
	fieldAttempts = "leat_attempts"
	fieldBehind   = "leat_behind"
	fieldEnd      = "leat_end"
	fieldToken    = "leat_token"
	fieldUntil    = "leat_until"
)

// homeField is a home as it is stored with an entry: queue and id, neither of
// which contains a space.
func homeField(h broker.Home) string { return h.Queue + " " + h.ID }

func parseHome(s string) broker.Home {
	queue, id, _ := strings.Cut(s, " ")
	return broker.Home{Queue: queue, ID: id}
}
