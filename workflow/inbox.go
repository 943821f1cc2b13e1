package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// An inbox is the document of the signals of one name that were sent to a run, in
// the order in which they came.
type inbox struct {
	Messages []message `json:"messages,omitempty"` // those that nobody has taken
	Seen     []string  `json:"seen,omitempty"`     // ids of the last that came
	Sent     int       `json:"sent"`               // how many came
}

type message struct {
	ID      string            `json:"id,omitempty"`
	Body    []byte            `json:"body"`
	Sent    time.Time         `json:"sent,omitzero"`     // zero: not known
	Headers map[string]string `json:"headers,omitempty"` // of its trace
}

// How many signals of one name wait in a run, and how many ids it remembers.
const (
	maxInbox      = 1000
	maxInboxBytes = 8 << 20
	maxSeen       = 1000
	maxSignalID   = 256
)

// full reports whether b holds more than a run keeps.
func (b inbox) full() bool {
	size := 0
	for _, m := range b.Messages {
		size += len(m.Body)
	}
	return len(b.Messages) > maxInbox || size > maxInboxBytes
}

func (b inbox) waiting() int { return len(b.Messages) }

func decodeInbox(d broker.Document) (b inbox, err error) {
	if d.Version == 0 {
		return b, nil
	}
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return b, fmt.Errorf("document %s: %w", d.Key, err)
	}
	return b, nil
}

// put returns the write that makes b the inbox under key that was at version.
func (b inbox) put(key string, version int64) broker.Put {
	body, err := json.Marshal(b)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode inbox: %v", err)) // plain values: it cannot fail
	}
	return broker.Put{Key: key, Body: body, If: version}
}

// with returns b with one more message, and whether it is new.
func (b inbox) with(m message) (inbox, bool) {
	if m.ID != "" {
		if slices.Contains(b.Seen, m.ID) {
			return b, false
		}
		b.Seen = append(slices.Clip(b.Seen), m.ID)
		b.Seen = b.Seen[max(0, len(b.Seen)-maxSeen):]
	}
	b.Messages, b.Sent = append(slices.Clip(b.Messages), m), b.Sent+1
	return b, true
}

// inbox reads the signals of one name, and the version of the document.
func (v *visit) inbox(ctx context.Context, signal string) (inbox, int64, error) {
	d, err := v.values.document(ctx, inboxKey(signal))
	if err != nil {
		return inbox{}, 0, err
	}
	b, err := decodeInbox(d)
	return b, d.Version, err
}

// consume adds to c that n, which waits until a time, takes the oldest signal of the
// inbox. The decide for that time is not needed any more, if there was one.
func (v *visit) consume(c *broker.Change, n *plan.Node, wait waitState, box inbox, version int64) {
	taken, number := box.Messages[0], box.Sent-len(box.Messages)+1
	box.Messages = box.Messages[1:]
	c.Put = append(c.Put, box.put(inboxKey(n.Wait.Signal), version))
	v.record(c, n, doneRecord(taken.Body))
	if !wait.Until.IsZero() {
		c.Move = append(c.Move, broker.Move{EntryRef: v.timer(n, wait.Until).EntryRef, Do: broker.Delete})
	}
	if v.tracer != nil {
		v.endWait(n, StepDone, wait.Since)
		v.news.taken = &TracedSignal{Name: n.Wait.Signal, Number: number, Sent: taken.Sent, Headers: taken.Headers}
	}
}

// hear gives a signal that has come to the step that waits for it, the first in the
// order of the workflow. If none does it stays.
func (v *visit) hear(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	signal, _ := cutLast(v.name)
	if err := v.loadWaits(ctx, signal); err != nil {
		return c, err
	}
	box, version, err := v.inbox(ctx, signal)
	if err != nil || box.waiting() == 0 {
		return c, err
	}
	for _, n := range v.Nodes {
		if n.Kind != plan.Await || n.Wait.Signal != signal {
			continue
		}
		wait, begun, err := v.values.waited(ctx, n)
		if err != nil {
			return c, err
		}
		state, _, err := v.values.outcome(ctx, n)
		if err != nil {
			return c, err
		}
		if !begun || state != StepWaiting {
			continue
		}
		v.consume(&c, n, wait, box, version)
		return c, nil
	}
	return c, nil
}

// loadWaits looks at all at once that it takes to give a signal to whoever waits for it.
func (v *visit) loadWaits(ctx context.Context, signal string) error {
	keys := []string{inboxKey(signal)}
	for _, n := range v.Nodes {
		if n.Kind == plan.Await && n.Wait.Signal == signal {
			keys = append(keys, v.key(n), v.waitKey(n))
		}
	}
	return v.values.load(ctx, keys...)
}
