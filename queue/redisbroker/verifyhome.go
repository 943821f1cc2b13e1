package redisbroker

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// homes checks the documents and latches that lie beside a queue.
func (v *verifier) homes(ctx context.Context, queue string, q *queueKeys) error {
	terms := make(map[string][]string) // of homes that are listed, by their ids
	err := each(ctx, v, q.runs, func(p redis.Pipeliner, id string) *redis.MapStringStringCmd {
		return p.HGetAll(ctx, v.b.keys.run(broker.Home{Queue: queue, ID: id}))
	}, func(id string, reply *redis.MapStringStringCmd) {
		home, fields := broker.Home{Queue: queue, ID: id}, reply.Val()
		v.documents(home, fields)
		v.drain(home, fields)
		if packed, ok := fields["list"]; ok {
			terms[id] = v.terms(home, packed)
		}
	})
	if err == nil {
		err = v.listings(ctx, queue, q.listed, terms)
	}
	if err != nil {
		return err
	}
	return each(ctx, v, q.latches, func(p redis.Pipeliner, name string) latchReplies {
		home, id := splitLatch(queue, name)
		return latchReplies{
			hash:    p.HGetAll(ctx, v.b.keys.latch(home, id)),
			known:   p.SIsMember(ctx, v.b.keys.latches(home), id),
			arrived: p.BitCount(ctx, v.b.keys.arrived(home, id), nil),
			waiting: p.LLen(ctx, v.b.keys.waiting(home, id)),
		}
	}, func(name string, r latchReplies) {
		home, id := splitLatch(queue, name)
		v.latch(home, id, r)
	})
}

// documents checks that every document has a body and a version of its own, not
// above the home's, and that the home knows how large it is.
func (v *verifier) documents(home broker.Home, fields map[string]string) {
	last, _ := strconv.ParseInt(fields["version"], 10, 64)
	seen := make(map[int64]string)
	size := 0
	for name, value := range fields {
		if key, ok := strings.CutPrefix(name, "d:"); ok {
			size += len(value)
			if _, ok := fields["v:"+key]; !ok {
				v.fault("document %s of %s has no version", key, home)
			}
		}
		key, ok := strings.CutPrefix(name, "v:")
		if !ok {
			continue
		}
		version, err := strconv.ParseInt(value, 10, 64)
		if _, has := fields["d:"+key]; !has || err != nil || version < 1 || version > last || seen[version] != "" {
			v.fault("document %s of %s is not sound: version %q of %d", key, home, value, last)
		}
		seen[version] = key
	}
	if cmp.Or(fields["size"], "0") != strconv.Itoa(size) {
		v.mendable(remedy{"size", home.Queue, home.ID, ""}, "%s has documents of %d bytes and says %q", home, size, fields["size"])
	}
}

type latchReplies struct {
	hash    *redis.MapStringStringCmd
	known   *redis.BoolCmd
	arrived *redis.IntCmd
	waiting *redis.IntCmd
}

func splitLatch(queue, name string) (broker.Home, string) {
	home, id, _ := strings.Cut(name, "|")
	return broker.Home{Queue: queue, ID: home}, id
}

// latch checks that a latch's figures can be, and agree with what lies beside
// them.
func (v *verifier) latch(home broker.Home, id string, r latchReplies) {
	fields := r.hash.Val()
	n := func(name string) int64 {
		i, err := strconv.ParseInt(cmp.Or(fields[name], "0"), 10, 64)
		if err != nil {
			v.fault("latch %s of %s has the %s %q", id, home, name, fields[name])
		}
		return i
	}
	total, fed, released, arrived, marked := n("total"), n("fed"), n("released"), n("arrived"), n("marked")
	stopped, complete := n("stopped") == 1, n("complete") == 1
	_, then := fields["then"]
	_, otherwise := fields["else"]
	waits, bits := fed-released, arrived
	if stopped || complete {
		waits = 0
	}
	if complete {
		bits = 0
	}
	for what, wrong := range map[string]bool{
		"is not among those of its home":                   !r.known.Val(),
		"counts more arrivals than it has members":         arrived > total,
		"counts more marks than arrivals":                  marked > arrived,
		"released more than it was given":                  released > fed,
		"has a number of arrivals that is not in its bits": r.arrived.Val() != bits,
		"has another number waiting than was not released": r.waiting.Val() != waits,
		"is complete with something missing":               complete && arrived != total && !(stopped && arrived >= released),
		"is not complete with nothing missing":             !complete && (arrived == total || stopped && arrived >= released),
		"has stopped too early or too late":                stopped != (n("stop_at") > 0 && marked >= n("stop_at")),
		"keeps what it did, or lacks what it is to do":     then != otherwise || then == complete,
	} {
		if wrong {
			v.fault("latch %s of %s %s: %v", id, home, what, fields)
		}
	}
}
