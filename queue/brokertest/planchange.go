package brokertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/queue/broker"
)

// A changePlan is a change whose choices are made when it is played.
type changePlan struct {
	settle  []settlePlan
	move    []movePlan // not with settle: what either finds of the other is not promised
	replace []replacePlan
	watch   []entryPick
	home    broker.Home
	require []versionPlan
	put     []versionPlan
	enqueue []entryPlan
	open    []latchPlan
	feed    []feedPlan
	arrive  []arrivalPlan
	quota   int64
	drain   []entryPlan
	list    *listPlan
	close   time.Duration // from now; negative: no close
}

// drawChange draws a change that does a few of all the things it may do.
func drawChange(t *rapid.T) changePlan {
	c := changePlan{home: rapid.SampledFrom(planHomes).Draw(t, "home"), close: -1}
	doing := func(what string, one, of int) bool { return rapid.IntRange(1, of).Draw(t, what) <= one }
	switch rapid.IntRange(0, 9).Draw(t, "doing") {
	case 0, 1, 2, 3, 4:
		c.settle = rapid.SliceOfN(rapid.Custom(drawSettle), 1, 3).Draw(t, "settle")
	case 5, 6:
		c.move = rapid.SliceOfN(rapid.Custom(drawMove), 1, 2).Draw(t, "move")
	case 7:
		c.replace = rapid.SliceOfN(rapid.Custom(drawReplace), 1, 1).Draw(t, "replace")
	case 8:
		c.watch = rapid.SliceOfN(rapid.Custom(drawPick), 1, 2).Draw(t, "watch")
	}
	if doing("require", 1, 6) {
		c.require = rapid.SliceOfN(rapid.Custom(drawVersion), 1, 2).Draw(t, "require")
	}
	if doing("put", 1, 3) {
		c.put = rapid.SliceOfN(rapid.Custom(drawVersion), 1, 3).Draw(t, "put")
	}
	if doing("enqueue", 1, 2) {
		c.enqueue = rapid.SliceOfN(rapid.Custom(drawEntry), 1, 3).Draw(t, "enqueue")
	}
	if doing("open", 1, 3) {
		c.open = rapid.SliceOfN(rapid.Custom(drawLatch), 1, 3).Draw(t, "open")
	}
	if doing("feed", 1, 3) {
		c.feed = rapid.SliceOfN(rapid.Custom(drawFeed), 1, 2).Draw(t, "feed")
	}
	if doing("arrive", 1, 2) {
		c.arrive = rapid.SliceOfN(rapid.Custom(drawArrival), 1, 5).Draw(t, "arrive")
	}
	if doing("quota", 1, 4) {
		c.quota = rapid.SampledFrom([]int64{8, 14, 1}).Draw(t, "quota of")
	}
	if doing("drain", 1, 6) {
		c.drain = rapid.SliceOfN(rapid.Custom(drawEntry), 1, 2).Draw(t, "entries of the drain")
	}
	if doing("list", 1, 5) {
		c.list = drawList(t)
	}
	if doing("close", 1, 25) {
		c.close = rapid.SampledFrom([]time.Duration{0, 1500 * time.Millisecond, time.Minute}).Draw(t, "close")
	}
	return c
}

// change makes the choices of c and returns the change for the model and for
// the broker: they differ in the tokens.
func (c changePlan) change(p *pair) (toModel, toReal broker.Change) {
	toModel.Home, toModel.Quota = c.home, c.quota
	for _, r := range c.require {
		if v := r.version(p, c.home); v >= 0 {
			toModel.Require = append(toModel.Require, broker.Condition{Key: r.key, Version: v})
		}
	}
	for _, w := range c.put {
		toModel.Put = append(toModel.Put, broker.Put{Key: w.key, Body: w.body, If: w.version(p, c.home)})
	}
	for _, e := range c.enqueue {
		toModel.Enqueue = append(toModel.Enqueue, e.entry(p, toModel.Enqueue, time.Now()))
	}
	toModel.Open = c.latches(p)
	reach := reachable{home: c.home, opened: toModel.Open}
	for i, l := range c.open {
		reach.but = toModel.Open[i].ID
		toModel.Open[i].Then, toModel.Open[i].Else = l.then.part(p, reach), l.otherwise.part(p, reach)
	}
	reach.but = ""
	toModel.Feed = feeds(p, c.feed, reach)
	toModel.Arrive = arrivals(p, c.arrive, reach)
	toModel.Drain, toModel.List = c.drained(p), c.list.listing()
	if c.close >= 0 {
		toModel.Close = time.Now().Add(c.close)
	}
	toModel.Move, toModel.Watch = moves(p, c.move), picks(p, c.watch)
	toReal = toModel
	for _, r := range c.replace {
		if forModel, forReal, ok := r.replacement(p); ok {
			toModel.Replace, toReal.Replace = append(toModel.Replace, forModel), append(toReal.Replace, forReal)
		}
	}
	for _, s := range c.settle {
		if l, ok := s.lease.from(p); ok {
			toModel.Settle = append(toModel.Settle, s.settlement(l.model))
			toReal.Settle = append(toReal.Settle, s.settlement(l.real))
		}
	}
	return toModel, toReal
}

// A settlePlan settles a lease.
type settlePlan struct {
	lease  leasePick
	to     broker.Outcome
	in     time.Duration
	failed bool
	result []byte
	marks  map[string]string // its headers
	end    broker.End
	told   bool // of the attempt
}

func drawSettle(t *rapid.T) settlePlan {
	return settlePlan{
		lease:  drawLease(t),
		to:     rapid.SampledFrom([]broker.Outcome{broker.Done, broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released}).Draw(t, "outcome"),
		in:     rapid.SampledFrom([]time.Duration{0, time.Second, 1500 * time.Millisecond, 10 * time.Second, -time.Second, time.Microsecond}).Draw(t, "in"),
		failed: rapid.Bool().Draw(t, "failed"),
		result: rapid.SampledFrom([][]byte{nil, []byte("result"), []byte("another"), {}}).Draw(t, "result"),
		marks:  rapid.SampledFrom([]map[string]string{nil, nil, nil, {"mark": "1"}, {"mark": "2", "trace": "00-cd"}, {}}).Draw(t, "marks"),
		end:    rapid.SampledFrom([]broker.End{0, 0, broker.Cancelled, broker.Expired, broker.Poison}).Draw(t, "end"),
		told:   rapid.Bool().Draw(t, "told"),
	}
}

func (s settlePlan) settlement(l broker.Lease) broker.Settlement {
	now := time.Now()
	e := l.Entry
	e.Retried++
	e.LastErr = fmt.Sprintf("failed for the %d. time", e.Retried)
	e.LastFailedAt, e.CompletedAt = now, now
	made := broker.Settlement{Token: l.Token, Entry: e, To: s.to, At: now.Add(s.in), Failed: s.failed, Result: s.result, Headers: s.marks}
	if s.to == broker.Archived {
		made.End = s.end
	}
	if s.told {
		made.Attempt = &broker.Attempt{Started: now.Add(-time.Second), Ended: now, Worker: "w", Err: e.LastErr}
	}
	return made
}

// A versionPlan is about a document at the version that it has, or at another.
type versionPlan struct {
	key  string
	off  int64 // from the version that it has
	any  bool
	body []byte
}

func drawVersion(t *rapid.T) versionPlan {
	return versionPlan{
		key:  rapid.SampledFrom(planKeys).Draw(t, "key"),
		off:  rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, -1, 1}).Draw(t, "off"),
		any:  rapid.IntRange(0, 3).Draw(t, "any") == 0,
		body: rapid.SampledFrom([][]byte{[]byte("body"), []byte("another"), nil}).Draw(t, "body"),
	}
}

func (v versionPlan) version(p *pair, home broker.Home) int64 {
	if v.any {
		return broker.AnyVersion
	}
	return max(0, p.document(home, v.key).Version+v.off)
}

// An entryPlan is an entry under an id that is free, or that may be taken.
type entryPlan struct {
	queue   string
	id      int
	collide bool
	claim   string
	behind  bool
	group   string
	exit    string        // id of its exit; "": none
	due     time.Duration // from now; 0: no due time
	home    broker.Home
	more    int // which of its other fields are set
}

func drawEntry(t *rapid.T) entryPlan {
	return entryPlan{
		queue:   rapid.SampledFrom(planQueues).Draw(t, "queue"),
		id:      rapid.IntRange(0, len(planIDs)-1).Draw(t, "id"),
		collide: rapid.IntRange(0, 9).Draw(t, "collide") == 9,
		claim:   rapid.SampledFrom(planClaims).Draw(t, "claim"),
		behind:  rapid.Bool().Draw(t, "behind"),
		group:   rapid.SampledFrom(planGroups).Draw(t, "group"),
		exit:    rapid.SampledFrom([]string{"", "", "x1", "x2", "x3"}).Draw(t, "exit"),
		due:     rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 1500 * time.Millisecond, 1501 * time.Millisecond, time.Minute, -time.Second, time.Microsecond}).Draw(t, "due"),
		home:    rapid.SampledFrom(append([]broker.Home{{}}, planHomes...)).Draw(t, "home"),
		more:    rapid.IntRange(0, 2).Draw(t, "more"),
	}
}

var planIDs = []string{"e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9"}

// entry returns the entry, whose id is none of beside's.
func (e entryPlan) entry(p *pair, beside []broker.Entry, now time.Time) broker.Entry {
	id := unused(planIDs, e.id, e.collide, func(id string) bool {
		ref := broker.EntryRef{Queue: e.queue, ID: id}
		taken := func(e broker.Entry) bool { return e.EntryRef == ref }
		return p.has(ref) || slices.ContainsFunc(beside, taken)
	})
	made := broker.Entry{EntryRef: broker.EntryRef{Queue: e.queue, ID: id}, Type: "t", Home: e.home}
	if e.more > 0 {
		made = full(e.queue, id)
		made.Retried, made.Home, made.Reads = 0, e.home, nil
	}
	if !e.home.IsZero() && e.more > 1 {
		made.Reads = planKeys[:2]
	}
	made.Group = e.group
	if e.due != 0 {
		made.DueAt = now.Add(e.due)
	}
	made.Claim = e.claimed(e.claim, now)
	if e.exit != "" {
		exit := broker.Entry{EntryRef: broker.EntryRef{Queue: planExits, ID: e.exit}, Type: "exit", Home: e.home}
		made.Exit = &exit
	}
	return made
}

// planExits is the queue of exits: no other entry is in it, so that it does not
// matter what comes there first.
const planExits = "x"

// claimed returns a claim of the key. How it ends is that of the key: what comes
// of claims that end differently and meet is not promised in every case.
func (e entryPlan) claimed(key string, now time.Time) broker.Claim {
	c := broker.Claim{Key: key}
	switch {
	case strings.HasPrefix(key, "ttl"):
		c.TTL = hours
	case strings.HasPrefix(key, "life"):
		c.Behind = e.behind && e.due == 0 && e.group == ""
		c.Since = now
	case key == "start":
		c.UntilStart = true
	case key == "hold":
		c.Hold = now.Add(10*time.Second + 1500*time.Microsecond)
	}
	return c
}

// unclaimed returns the entry for a latch: it has no claim, and is due at a
// whole millisecond, since a latch may release it at once or later.
func (e entryPlan) unclaimed(p *pair, beside []broker.Entry) broker.Entry {
	e.claim = ""
	return e.entry(p, beside, time.Now().Truncate(time.Millisecond).Add(time.Millisecond))
}
