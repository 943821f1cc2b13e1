package redisbroker

import (
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// TestACallThatWasGivenUpIsNotExecuted sends a call again that its caller has
// said not to wait for any more, as a slow network might.
func TestACallThatWasGivenUpIsNotExecuted(t *testing.T) {
	b := opened(t, Options{LocalClock: true})
	now := time.UnixMilli(1900000000500)
	keys := []string{b.keys.queues(), b.keys.answers(b.caller), b.keys.queue("q")}
	send := func(id string, sequence, low int) string {
		t.Helper()
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Type: "t"}
		var p packer
		if _, err := b.pack(&p, now, broker.Change{Enqueue: []broker.Entry{e}}); err != nil {
			t.Fatal(err)
		}
		reply, err := b.run(t.Context(), applyScripts[needs{}], keys,
			string(b.keys), nanos(now), 0, day(now), sequence, low, 0, "", p.b).Slice()
		if err != nil {
			t.Fatal(err)
		}
		return textAt(reply, 0)
	}
	for _, step := range []struct {
		id            string
		sequence, low int
		want          string
	}{
		{"a", 1, 1, "OK"},
		{"a", 1, 1, "OK"}, // again
		{"c", 3, 1, "OK"}, // 2 is on its way
		{"d", 4, 4, "OK"}, // 2 was given up
		{"b", 2, 1, "STALE"},
		{"e", 60, 50, "OK"}, // drops the answers of 1, 3 and 4
		{"a", 1, 1, "STALE"},
	} {
		if got := send(step.id, step.sequence, step.low); got != step.want {
			t.Errorf("call %d when all before %d are answered = %s, want %s", step.sequence, step.low, got, step.want)
		}
	}
	counts, err := b.Counts(t.Context(), now, "q")
	if err != nil || counts[0].Pending != 4 {
		t.Errorf("counts = %+v, %v, want 4 pending: a, c, d and e", counts, err)
	}
}

func TestTheLowestSequenceWaitsForItsAnswer(t *testing.T) {
	var s sequences
	low := func(want int64) {
		t.Helper()
		sequence, got, _ := s.begin()
		s.end(sequence)
		if got != want {
			t.Errorf("low of %d = %d, want %d", sequence, got, want)
		}
	}
	first, _, _ := s.begin()
	low(1)
	second, _, _ := s.begin()
	low(1)
	s.end(first)
	low(3)
	s.end(second)
	low(6)
}

func TestTheClockIsCorrectedByTheServers(t *testing.T) {
	b := opened(t, Options{})
	if off := time.Duration(b.clock.offset.Load()); off.Abs() > time.Second {
		t.Errorf("offset to a server on this machine = %v, want next to none", off)
	}
	b.clock.offset.Store(int64(-time.Hour)) // this machine is an hour ahead
	now := time.Now().Truncate(time.Second)
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}
	applied, err := b.Apply(t.Context(), now, []broker.Change{{Enqueue: []broker.Entry{e}}},
		broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 1, Until: now.Add(10 * time.Second)})
	if err != nil || len(applied.Leases) != 1 {
		t.Fatalf("Apply() = %+v, %v, want one lease", applied, err)
	}
	if got, want := applied.Leases[0].Until, now.Add(10*time.Second); !got.Equal(want) {
		t.Errorf("lease ends at %v by the caller's clock, want %v", got, want)
	}
	if got, want := applied.Leases[0].Ready, broker.CeilMilli(now); !got.Equal(want) {
		t.Errorf("entry is ready since %v by the caller's clock, want %v", got, want)
	}
	score := b.client.ZScore(t.Context(), b.keys.queue("q")+"lease", "a").Val()
	if want := float64(now.Add(-time.Hour + 10*time.Second).Unix()); score != want {
		t.Errorf("lease ends at %v by the server's clock, want %v", score, want)
	}
	advanced, err := b.Advance(t.Context(), now, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1})
	if want := now.Add(10 * time.Second); err != nil || !advanced.Next.Equal(want) {
		t.Errorf("Advance() = %+v, %v, want it to be needed again at %v", advanced, err, want)
	}
	server := broker.Server{ID: "s", Host: "h", PID: 1}
	if err := b.Beat(t.Context(), now, server); err != nil {
		t.Fatal(err)
	}
	if off := time.Duration(b.clock.offset.Load()); off.Abs() > time.Second {
		t.Errorf("offset after a beat = %v, want it measured anew", off)
	}
}

func TestADoubtfulOffsetChangesNothing(t *testing.T) {
	var c clock
	for _, m := range []struct{ offset, doubt, want time.Duration }{
		{5 * time.Millisecond, 6 * time.Millisecond, 0},
		{-6 * time.Millisecond, 6 * time.Millisecond, 0},
		{time.Second, 10 * time.Millisecond, time.Second},
		{time.Second + 5*time.Millisecond, 10 * time.Millisecond, time.Second},
		{0, 10 * time.Millisecond, 0},
	} {
		c.correct(m.offset, m.doubt)
		if got := time.Duration(c.offset.Load()); got != m.want {
			t.Errorf("after a measurement of %v, give or take %v, the offset is %v, want %v", m.offset, m.doubt, got, m.want)
		}
	}
}
