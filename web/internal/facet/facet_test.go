package facet

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestErrorsThatTellTheSameAreAlike(t *testing.T) {
	for want, texts := range map[string][]string{
		"dial tcp #: i/o timeout": {"dial tcp 10.0.0.1:6379: i/o timeout", "dial tcp 127.0.0.1:80: i/o timeout\ngoroutine 7"},
		"user # not found":        {"user 7 not found", "user 0x1f not found", "user 3f2504e0-4f89-11d3-9a0c-0305e82c3301 not found", "user 5f3a9c2d1e0b not found"},
		"at # it failed":          {"at 2026-11-30T12:00:00 it failed", "at 2026-11-30 12:00:01.5 it failed"},
		"defaced and beaded":      {"defaced and beaded"},
		"":                        {"", "\n"},
	} {
		for _, text := range texts {
			if got := alike(text); got != want {
				t.Errorf("%q is like %q, want %q", text, got, want)
			}
		}
	}
}

func TestATallyTellsWhatTasksHaveInCommon(t *testing.T) {
	all := []queue.QueueInfo{
		{Counts: broker.Counts{Queue: "mail", Pending: 70, Archived: 2}}, {Counts: broker.Counts{Queue: "sms", Pending: 1}},
	}
	some := []*task.Info{
		{State: task.Pending, Queue: "mail", Type: "a", LastErr: "user 7 not found"},
		{State: task.Archived, Queue: "mail", Type: "b", LastErr: "user 8 not found"},
		{State: task.Archived, Queue: "mail", Type: "b"},
	}
	byError := query.Term("error", "user ", " not found", "")
	types := Facet{Name: "type", Values: []Value{{Text: "b", Count: 2}}, More: 1}
	for text, want := range map[string][]Facet{
		"": {
			{Name: "state", Exact: true, Values: []Value{{Text: "pending", Count: 71, Query: "state:pending"}}, More: 1},
			{Name: "queue", Exact: true, Values: []Value{{Text: "mail", Count: 72, Query: "queue:mail"}}, More: 1},
			narrowed(types, "type:b"),
			{Name: "error", Values: []Value{{Text: "user # not found", Count: 2, Query: byError}}},
		},
		"payload~x": {
			{Name: "state", Values: []Value{{Text: "archived", Count: 2, Query: "payload~x state:archived"}}, More: 1},
			{Name: "queue", Values: []Value{{Text: "mail", Count: 3, Query: "payload~x queue:mail"}}},
			narrowed(types, "payload~x type:b"),
			{Name: "error", Values: []Value{{Text: "user # not found", Count: 2, Query: "payload~x " + byError}}},
		},
		"queue:mail": {
			{Name: "state", Exact: true, Values: []Value{{Text: "pending", Count: 70, Query: "queue:mail state:pending"}}, More: 1},
			{Name: "queue", Exact: true, Values: []Value{{Text: "mail", Count: 72, Current: true}}, More: 1},
			narrowed(types, "queue:mail type:b"),
			{Name: "error", Values: []Value{{Text: "user # not found", Count: 2, Query: "queue:mail " + byError}}},
		},
	} {
		asked, err := query.Tasks.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var tally Tally
		tally.Add(some[0])
		tally.Add(some[1:]...)
		if diff := cmp.Diff(want, tally.Facets(asked, all, 1)); diff != "" || tally.Tasks != len(some) {
			t.Errorf("of %q, of %d tasks, it is (-want +got):\n%s", text, tally.Tasks, diff)
		}
	}
}

// narrowed returns a facet of one value with that query.
func narrowed(f Facet, query string) Facet {
	f.Values = []Value{f.Values[0]}
	f.Values[0].Query = query
	return f
}
