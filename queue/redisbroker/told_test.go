package redisbroker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
)

// runsOut has thirty seconds pass, and what is leased be taken back.
func (x *bench) runsOut() {
	x.Helper()
	x.now = x.now.Add(31 * time.Second)
	x.attended()
	if got := x.advance(); got.Recovered != 1 {
		x.Fatalf("Advance() = %+v, want one recovered", got)
	}
}

func TestALostLeaseIsKeptWithItsEntryUntilTheNext(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a")}})
	before := x.next("a")
	x.runsOut()
	if got := x.c.HGet(t.Context(), x.queue("t:a"), "leat_lost").Val(); got != before.Token+" " {
		t.Errorf("leat_lost is %q, want %q and a space", got, before.Token)
	}
	want := &broker.LostLease{Token: before.Token, Began: time.UnixMilli(1900000000500).UTC()}
	if diff := cmp.Diff(want, x.next("a").Lost); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if x.c.HExists(t.Context(), x.queue("t:a"), "leat_lost").Val() {
		t.Error("leat_lost is there once it was told")
	}
}

func TestALeaseOfAsynqsThatRanOutIsNotTold(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{plain("a")}})
	x.next("a")
	x.takeover("a", 1900000075)
	x.now = time.Unix(1900000075+30, 0)
	x.attended()
	if got := x.advance(); got.Recovered != 1 {
		t.Fatalf("Advance() = %+v, want one recovered", got)
	}
	if lost := x.next("a").Lost; lost != nil {
		t.Errorf("lost is %+v, want nil: asynq's took the place of ours", lost)
	}
}

func TestALostLeaseThatDoesNotSayWhenItBeganIsNotTold(t *testing.T) {
	for _, token := range []string{"caller:1:1", "other", "caller:1:not a time:1", "::::"} {
		x := newBench(t)
		x.apply(broker.Change{Enqueue: []broker.Entry{plain("a")}})
		x.next("a")
		x.must(x.c.HSet(t.Context(), x.queue("t:a"), "leat_token", token))
		x.runsOut()
		if lost := x.next("a").Lost; lost != nil {
			t.Errorf("with the token %q: lost is %+v, want nil", token, lost)
		}
	}
}

// TestAMemberThatAsynqAddedIsReadySinceItsScore has one more to which asynq has added
// anew what we had added before.
func TestAMemberThatAsynqAddedIsReadySinceItsScore(t *testing.T) {
	x := newBench(t)
	x.apply(broker.Change{Enqueue: []broker.Entry{grouped("a"), grouped("c")}})
	x.put("b", "aggregating", "group", "g")
	x.must(x.c.ZAdd(t.Context(), x.queue("g:g"),
		redis.Z{Member: "b", Score: 1900000002}, redis.Z{Member: "c", Score: 1900000003}))
	x.now = x.now.Add(time.Minute)
	var got []time.Time
	for _, l := range x.gather("token", "a", "b", "c").Members {
		got = append(got, l.Ready)
	}
	want := []time.Time{time.UnixMilli(1900000000500).UTC(), time.Unix(1900000002, 0).UTC(), time.Unix(1900000003, 0).UTC()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ready since (-want +got):\n%s", diff)
	}
}

// TestHeadersAreWrittenIntoAnyMessage has one with fields that are of no version of
// asynq, and headers between the others.
func TestHeadersAreWrittenIntoAnyMessage(t *testing.T) {
	x := newBench(t)
	e := plain("a")
	e.Payload, e.Retried = []byte(strings.Repeat("p", 300)), 300
	msg, err := wire.EncodeEntry(e, "")
	if err != nil {
		t.Fatal(err)
	}
	old, err := wire.EncodeHeaders(map[string]string{"old": strings.Repeat("h", 200), "other": ""})
	if err != nil {
		t.Fatal(err)
	}
	strange := "\x80\x01\x96\x01" + "\x89\x01zzzzzzzz" + "\x95\x01zzzz" + "\x9a\x01\x02zz" // a number, 8 bytes, 4 bytes, a text
	x.apply(broker.Change{Enqueue: []broker.Entry{e}})
	x.must(x.c.HSet(t.Context(), x.queue("t:a"), "msg", string(old)+strange+string(msg)))
	for _, headers := range []map[string]string{{"new": "1", "long": strings.Repeat("n", 500)}, {}} {
		s := broker.Settlement{To: broker.Released, Headers: headers}
		l := x.next("a")
		s.Token, s.Entry = l.Token, l.Entry
		x.apply(broker.Change{Settle: []broker.Settlement{s}})
		encoded, err := wire.EncodeHeaders(headers)
		if err != nil {
			t.Fatal(err)
		}
		want := strange + string(msg) + string(encoded)
		if got := x.c.HGet(t.Context(), x.queue("t:a"), "msg").Val(); got != want {
			t.Errorf("msg is %q, want %q", got, want)
		}
	}
}
