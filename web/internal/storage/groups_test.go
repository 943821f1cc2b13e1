package storage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/storage"
)

func TestGroupsAreFoundBitByBit(t *testing.T) {
	s := storage.New(model.New(model.Options{}), time.Minute)
	defer s.Close()
	want := 0
	for q := range 5 {
		for g := range q * 3 {
			if _, err := s.Client.Enqueue(t.Context(), task.New("t", nil), task.Queue(fmt.Sprint("q", q)), task.Group(fmt.Sprintf("g%02d", g))); err != nil {
				t.Fatal(err)
			}
			want++
		}
	}
	for _, c := range []struct {
		text             string
		most, queues     int
		want, calls, all int
	}{
		{"", 500, 50, want, 1, 4}, {"", 7, 50, want, 5, 4}, {"", 500, 1, want, 4, 4}, {"", 1, 1, want, want, 4}, {"queue:q3", 4, 1, 9, 3, 1}, {"group:g00", 500, 2, 4, 2, 4}, {"size>1", 500, 3, 0, 2, 4}, {"queue:none", 1, 1, 0, 1, 0},
	} {
		q, err := query.Groups.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		seen, calls, from := map[string]bool{}, 0, storage.GroupSearch{}
		for done := false; !done && calls < 100; calls++ {
			next := storage.GroupSearch{Storage: s, Query: q, Queue: from.Queue, Group: from.Group} // as another request has it
			var found []query.Group
			if found, done, err = next.Next(t.Context(), c.most, c.queues); err != nil {
				t.Fatal(err)
			}
			for _, g := range found {
				name := g.Queue + "/" + g.Name
				if seen[name] {
					t.Errorf("%q: %s is told twice", c.text, name)
				}
				seen[name] = true
			}
			if len(found) > c.most || next.Total != c.all || done && next.Scanned != c.all {
				t.Errorf("%q: found are %d, %d of %d queues, want at most %d, and %d queues", c.text, len(found), next.Scanned, next.Total, c.most, c.all)
			}
			from = next
		}
		if len(seen) != c.want || calls > c.calls+1 {
			t.Errorf("%q, %d at a time and %d queues: %d groups in %d calls, want %d in about %d", c.text, c.most, c.queues, len(seen), calls, c.want, c.calls)
		}
	}
}
