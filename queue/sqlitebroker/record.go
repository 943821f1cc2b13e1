package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Entries that a latch will make are no rows yet: they are stored as JSON in
// this form, which must stay readable as the schema must.

type recordedEntry struct {
	Queue     string            `json:"queue"`
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Payload   []byte            `json:"payload,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	MaxRetry  int               `json:"max_retry,omitempty"`
	Retried   int               `json:"retried,omitempty"`
	LastError string            `json:"last_error,omitempty"`
	Failed    int64             `json:"failed,omitempty"`  // seconds
	Timeout   int64             `json:"timeout,omitempty"` // milliseconds, as the rest
	Deadline  int64             `json:"deadline,omitempty"`
	Retention int64             `json:"retention,omitempty"`
	Completed int64             `json:"completed,omitempty"` // seconds
	Group     string            `json:"group_name,omitempty"`
	Due       int64             `json:"due,omitempty"`
	HomeQueue string            `json:"home_queue,omitempty"`
	HomeID    string            `json:"home_id,omitempty"`
	Reads     []string          `json:"reads,omitempty"`

	// Since version 2:
	StartBy    int64          `json:"start_by,omitempty"`
	MaxCrashes int            `json:"max_crashes,omitempty"`
	Exit       *recordedEntry `json:"exit,omitempty"`
}

type recordedPart struct {
	Entries  []recordedEntry   `json:"entries,omitempty"`
	Arrivals []recordedArrival `json:"arrivals,omitempty"`
}

type recordedArrival struct {
	Latch  string `json:"latch"`
	Member int    `json:"member"`
	Mark   bool   `json:"mark,omitempty"`
}

type recordedParts struct {
	Then recordedPart `json:"then,omitzero"`
	Else recordedPart `json:"else,omitzero"`
}

func recordEntry(e *broker.Entry) recordedEntry {
	r := recordedEntry{
		Queue: e.Queue, ID: e.ID, Type: e.Type, Payload: e.Payload, Headers: e.Headers,
		MaxRetry: e.MaxRetry, Retried: e.Retried, LastError: e.LastErr, Failed: seconds(e.LastFailedAt),
		Timeout: millis(e.Timeout), Deadline: milli(e.Deadline), Retention: millis(e.Retention),
		Completed: seconds(e.CompletedAt), Group: e.Group, Due: milli(e.DueAt),
		HomeQueue: e.Home.Queue, HomeID: e.Home.ID, Reads: e.Reads,
		StartBy: milli(e.StartBy), MaxCrashes: e.MaxCrashes,
	}
	if e.Exit != nil {
		exit := recordEntry(e.Exit)
		r.Exit = &exit
	}
	return r
}

func (r *recordedEntry) entry() broker.Entry {
	e := broker.Entry{
		EntryRef: broker.EntryRef{Queue: r.Queue, ID: r.ID},
		Type:     r.Type, Payload: r.Payload, Headers: r.Headers,
		MaxRetry: r.MaxRetry, Retried: r.Retried, LastErr: r.LastError, LastFailedAt: fromMilli(r.Failed * 1000),
		Timeout: time.Duration(r.Timeout) * time.Millisecond, Deadline: fromMilli(r.Deadline),
		Retention:   time.Duration(r.Retention) * time.Millisecond,
		CompletedAt: fromMilli(r.Completed * 1000), Group: r.Group, DueAt: fromMilli(r.Due),
		Home: broker.Home{Queue: r.HomeQueue, ID: r.HomeID}, Reads: r.Reads,
		StartBy: fromMilli(r.StartBy), MaxCrashes: r.MaxCrashes,
	}
	if r.Exit != nil {
		exit := r.Exit.entry()
		e.Exit = &exit
	}
	return e
}

func recordEntries(entries []broker.Entry) (all []recordedEntry) {
	for i := range entries {
		all = append(all, recordEntry(&entries[i]))
	}
	return all
}

func record(then, orElse broker.Part) recordedParts {
	return recordedParts{Then: recordPart(then), Else: recordPart(orElse)}
}

func recordPart(p broker.Part) recordedPart {
	var r recordedPart
	r.Entries = recordEntries(p.Enqueue)
	for _, a := range p.Arrive {
		r.Arrivals = append(r.Arrivals, recordedArrival(a))
	}
	return r
}

func (r *recordedPart) part() broker.Part {
	var p broker.Part
	for i := range r.Entries {
		p.Enqueue = append(p.Enqueue, r.Entries[i].entry())
	}
	for _, a := range r.Arrivals {
		p.Arrive = append(p.Arrive, broker.Arrival(a))
	}
	return p
}

// empty reports whether r does nothing, whatever happens.
func (r *recordedParts) empty() bool {
	return len(r.Then.Entries)+len(r.Then.Arrivals)+len(r.Else.Entries)+len(r.Else.Arrivals) == 0
}
