package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestHeadersAreEncodedInOneOrder(t *testing.T) {
	e := email("email:welcome", "id")
	e.Headers = make(map[string]string)
	for i := range 50 {
		e.Headers[fmt.Sprint("key", i)] = fmt.Sprint("value", i)
	}
	first, err := EncodeEntry(e, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if again, err := EncodeEntry(e, ""); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("EncodeEntry() = %q, %v, want the same bytes again: %q", again, err, first)
		}
	}
}

func TestTimesAreKeptToTheMillisecond(t *testing.T) {
	base := time.Unix(1700000060, 0).UTC()
	for _, c := range []struct {
		name  string
		entry broker.Entry
		words string
		want  broker.Entry
	}{
		{name: "nothing set"},
		{
			name:  "whole seconds",
			entry: broker.Entry{Timeout: time.Minute, Deadline: base, Retention: time.Hour},
			want:  broker.Entry{Timeout: time.Minute, Deadline: base, Retention: time.Hour},
		},
		{
			name:  "milliseconds",
			entry: broker.Entry{Timeout: 500 * time.Millisecond, Deadline: base.Add(250 * time.Millisecond), Retention: 1001 * time.Millisecond},
			words: "timeout=500 deadline=1700000060250 retention=1001",
			want:  broker.Entry{Timeout: 500 * time.Millisecond, Deadline: base.Add(250 * time.Millisecond), Retention: 1001 * time.Millisecond},
		},
		{
			name:  "less than milliseconds, rounded up",
			entry: broker.Entry{Timeout: 1, Deadline: base.Add(1), Retention: time.Second + 1},
			words: "timeout=1 deadline=1700000060001 retention=1001",
			want:  broker.Entry{Timeout: time.Millisecond, Deadline: base.Add(time.Millisecond), Retention: 1001 * time.Millisecond},
		},
		{
			name:  "what asynq does not know",
			entry: broker.Entry{StartBy: base.Add(1), MaxCrashes: 2, Claim: broker.Claim{Key: "k", UntilStart: true, Since: base}},
			words: "start_by=1700000060001 max_crashes=2 claim=start since=1700000060000",
			want:  broker.Entry{StartBy: base.Add(time.Millisecond), MaxCrashes: 2, Claim: broker.Claim{Key: "k", UntilStart: true, Since: base}},
		},
		{
			name:  "a claim that is held",
			entry: broker.Entry{Claim: broker.Claim{Key: "k", Hold: base}},
			words: "hold=1700000060000",
			want:  broker.Entry{Claim: broker.Claim{Key: "k", Hold: base}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.entry.EntryRef, c.entry.Type = broker.EntryRef{Queue: "q", ID: "i"}, "t"
			c.want.EntryRef, c.want.Type = c.entry.EntryRef, c.entry.Type
			words := Words(c.entry)
			if words != c.words {
				t.Errorf("Words() = %q, want %q", words, c.words)
			}
			b, err := EncodeEntry(c.entry, "")
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := DecodeEntry(b)
			if err != nil {
				t.Fatal(err)
			}
			SetWords(&got, words)
			got.Claim.Key = c.entry.Claim.Key // EncodeEntry was not given it
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimesOfAnotherMessageDoNotCount(t *testing.T) {
	whole := broker.Entry{Timeout: 2 * time.Second, Deadline: time.Unix(1700000060, 0), Retention: time.Hour}
	for _, fractions := range []string{
		"timeout=900 deadline=1700000058250 retention=1",
		"timeout=2001 deadline=1700000060001 retention=3600001",
		"timeout=-500", "timeout=x", "timeout", "=", "else=1", " ",
	} {
		got := whole
		SetWords(&got, fractions)
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("SetWords(%q) changed (-want +got):\n%s", fractions, diff)
		}
	}
}

func TestAMessageThatCannotBeStoredAgainIsRefused(t *testing.T) {
	good := func() *TaskMessage { return &TaskMessage{Type: "t", Id: "i", Queue: "q"} }
	for name, change := range map[string]func(*TaskMessage){
		"no type":               func(m *TaskMessage) { m.Type = "" },
		"no id":                 func(m *TaskMessage) { m.Id = "" },
		"a brace in the queue":  func(m *TaskMessage) { m.Queue = "a}:t:b" },
		"a space in the group":  func(m *TaskMessage) { m.GroupKey = "a b" },
		"negative retry":        func(m *TaskMessage) { m.Retry = -1 },
		"negative retried":      func(m *TaskMessage) { m.Retried = -1 },
		"negative timeout":      func(m *TaskMessage) { m.Timeout = -1 },
		"an endless timeout":    func(m *TaskMessage) { m.Timeout = 1 << 60 },
		"a deadline in no year": func(m *TaskMessage) { m.Deadline = 1 << 60 },
		"too many headers": func(m *TaskMessage) {
			m.Headers = make(map[string]string)
			for i := range maxPairs + 1 {
				m.Headers[fmt.Sprint(i)] = ""
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := good()
			change(m)
			b, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if e, _, err := DecodeEntry(b); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("DecodeEntry() = %v, %v, want %v", e, err, task.ErrInvalid)
			}
		})
	}
}

func TestBytesThatAreNoMessageAreRefused(t *testing.T) {
	for name, b := range map[string]string{
		"text":               "hello",
		"cut off":            "\n\remail:welcome\x12\x0e{\"user",
		"a length of a TiB":  "\x0a\x80\x80\x80\x80\x80\x80\x01",
		"invalid UTF-8":      "\x0a\x01\xff\x1a\x01i\x22\x01q",
		"empty":              "",
		"more than the most": strings.Repeat("\x0a\x00", MaxMessage/2+1),
	} {
		if e, _, err := DecodeEntry([]byte(b)); err == nil {
			t.Errorf("%s: DecodeEntry() = %v, want an error", name, e)
		}
	}
}

func TestAnEntryThatIsTooLargeIsRefused(t *testing.T) {
	e := email("email:welcome", "id")
	e.Payload = make([]byte, MaxMessage)
	if _, err := EncodeEntry(e, ""); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("EncodeEntry() of %d bytes = %v, want %v", MaxMessage, err, task.ErrInvalid)
	}
}

// FuzzDecodeEntry looks for bytes that make DecodeEntry panic, or return an
// entry that a broker would refuse, or one that does not come back the same.
func FuzzDecodeEntry(f *testing.F) {
	for _, g := range goldenTasks {
		if g.raw {
			f.Add([]byte(g.bytes))
		}
	}
	f.Add([]byte("\x0a\x01t\x1a\x01i\x22\x01q\x40\x01\x7a\x04\x0a\x00\x12\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, claim, err := DecodeEntry(b)
		if err != nil {
			return
		}
		if err := (broker.Change{Enqueue: []broker.Entry{e}}).Check(); err != nil {
			t.Fatalf("DecodeEntry(%q) is refused: %v", b, err)
		}
		again, err := EncodeEntry(e, claim)
		if err != nil {
			t.Fatalf("EncodeEntry(%+v) = %v, want nil", e, err)
		}
		e2, claim2, err := DecodeEntry(again)
		if err != nil || claim2 != claim || !cmp.Equal(e, e2) {
			t.Fatalf("decoded again = %+v, %q, %v, want %+v, %q", e2, claim2, err, e, claim)
		}
	})
}
