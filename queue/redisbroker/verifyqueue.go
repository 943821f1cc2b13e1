package redisbroker

import (
	"context"
	"math"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// membership is where the ids of a queue's entries are, and with what scores.
type membership struct {
	lists map[string]map[string]int     // "pending" and "active": how often an id is in it
	sets  map[string]map[string]float64 // the sorted sets
}

var (
	queueLists = []string{"pending", "active"}
	queueSets  = []string{"lease", "scheduled", "retry", "archived", "completed", "leat:due", "leat:grouped"}
)

// places are the containers that an entry in a state must be in, once, and in
// no other.
var places = map[task.State][]string{
	task.Pending:     {"pending"},
	task.Active:      {"active", "lease"},
	task.Scheduled:   {"scheduled"},
	task.Retry:       {"retry"},
	task.Archived:    {"archived"},
	task.Completed:   {"completed"},
	task.Aggregating: nil, // in its group or a batch of it: see groups
}

// queue checks that every entry is where its state says, that containers hold
// nothing else, and that claims have holders.
func (v *verifier) queue(ctx context.Context, name string, q *queueKeys) error {
	m, err := v.membership(ctx, name)
	if err != nil {
		return err
	}
	found := make(map[string]sighting, len(q.entries))
	key := func(id string) string { return v.b.keys.entry(broker.EntryRef{Queue: name, ID: id}) }
	err = each(ctx, v, q.entries, func(p redis.Pipeliner, id string) *redis.MapStringStringCmd {
		return p.HGetAll(ctx, key(id))
	}, func(id string, reply *redis.MapStringStringCmd) {
		fields := reply.Val()
		state := v.entry(broker.EntryRef{Queue: name, ID: id}, fields, m)
		found[id] = sighting{
			state: state, claim: fields[fieldUnique], group: fields[fieldGroup],
			behind: fields[fieldBehind] != "", parked: fields[fieldEnd] == broker.Undecodable.String(),
		}
		v.noteOpen(broker.EntryRef{Queue: name, ID: id}, fields[fieldHome], found[id])
	})
	if err != nil {
		return err
	}
	v.members(name, m, found)
	v.due(name, m)
	if err := v.groups(ctx, name, q, found, m); err != nil {
		return err
	}
	return v.claims(ctx, name, q, found)
}

// A sighting is what the checks of other keys need to know of an entry.
type sighting struct {
	state  task.State
	claim  string // the name of its key, or ""
	group  string
	behind bool // it waits behind its claim
	parked bool // it was archived unread, and keeps its claim
}

func (v *verifier) membership(ctx context.Context, name string) (membership, error) {
	m := membership{lists: make(map[string]map[string]int), sets: make(map[string]map[string]float64)}
	base := v.b.keys.queue(name)
	for _, list := range queueLists {
		ids, err := v.b.client.LRange(ctx, base+list, 0, -1).Result()
		if err != nil {
			return m, err
		}
		m.lists[list] = make(map[string]int, len(ids))
		for _, id := range ids {
			m.lists[list][id]++
		}
	}
	for _, set := range queueSets {
		if err := v.readSet(ctx, base+set, set, m); err != nil {
			return m, err
		}
	}
	return m, nil
}

// readSet adds the members of a sorted set to m under a name.
func (v *verifier) readSet(ctx context.Context, key, name string, m membership) error {
	members, err := v.b.client.ZRangeWithScores(ctx, key, 0, -1).Result()
	if err != nil {
		return err
	}
	if m.sets[name] == nil {
		m.sets[name] = make(map[string]float64, len(members))
	}
	for _, z := range members {
		m.sets[name][z.Member.(string)] = z.Score
	}
	return nil
}

// place is the remedy for an entry that does not lie where its state says.
func place(ref broker.EntryRef) remedy { return remedy{"place", ref.Queue, ref.ID, ""} }

// entry checks one entry and returns its state.
func (v *verifier) entry(ref broker.EntryRef, fields map[string]string, m membership) task.State {
	state, err := task.ParseState(fields[fieldState])
	if err != nil {
		v.fault("entry %s has the state %q", ref, fields[fieldState])
		return 0
	}
	for _, list := range queueLists {
		want := 0
		if slices.Contains(places[state], list) {
			want = 1
		}
		if got := m.lists[list][ref.ID]; got != want {
			v.mendable(place(ref), "entry %s is %s and %d times in %s, want %d", ref, state, got, list, want)
		}
	}
	for set := range m.sets {
		if set == "leat:due" || set == "leat:grouped" {
			continue
		}
		_, got := m.sets[set][ref.ID]
		if want := slices.Contains(places[state], set); got != want {
			v.mendable(place(ref), "entry %s is %s; in %s: %v, want %v", ref, state, set, got, want)
		}
	}
	v.message(ref, state, fields)
	return state
}

// message checks that the stored message is that of ref. Only archived entries
// may be unreadable.
func (v *verifier) message(ref broker.EntryRef, state task.State, fields map[string]string) {
	e, err := v.b.entry(ref, fields[fieldMsg], []any{
		fields[fieldWords], fields[fieldHome], fields[fieldReads], fields[fieldCrashes], fields[fieldExit], fields[fieldGroup],
	})
	if err != nil {
		if state != task.Archived {
			v.fault("entry %s is %s and cannot be read: %v", ref, state, err)
		}
		return
	}
	if list := fields[fieldAttempts]; list != "" && len(attempts(list)) == 0 {
		v.fault("the attempts of entry %s cannot be read", ref)
	}
	if claim := fields[fieldUnique]; claim != "" && claim != v.b.keys.claim(e) {
		v.fault("entry %s claims %s in its message and %s beside it", ref, v.b.keys.claim(e), claim)
	}
}

// members checks that containers name only entries that exist.
func (v *verifier) members(queue string, m membership, found map[string]sighting) {
	for list, ids := range m.lists {
		for id := range ids {
			if _, ok := found[id]; !ok {
				v.mendable(remedy{"place", queue, id, ""}, "%s of queue %s names %s, which does not exist", list, queue, id)
			}
		}
	}
	for set, ids := range m.sets {
		for id, score := range ids {
			if _, ok := found[id]; !ok {
				v.mendable(remedy{"place", queue, id, ""}, "%s of queue %s names %s, which does not exist", set, queue, id)
			}
			if score != math.Trunc(score) {
				v.mendable(remedy{"score", queue, set, id}, "%s of queue %s holds %s with score %v, which is no integer", set, queue, id, score)
			}
		}
	}
}

// due checks that exact times belong to entries that wait for them.
func (v *verifier) due(queue string, m membership) {
	for id, ms := range m.sets["leat:due"] {
		score := math.Ceil(ms / 1000)
		waits := func(set string) bool { s, ok := m.sets[set][id]; return ok && s == score }
		if !waits("scheduled") && !waits("retry") {
			v.mendable(remedy{"due", queue, id, ""}, "queue %s has an exact time for %s, which does not wait for it", queue, id)
		}
		if ms == score*1000 {
			v.mendable(remedy{"due", queue, id, ""}, "queue %s has an exact time for %s that is a whole second", queue, id)
		}
	}
}
