package wire

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestAPeriodicEntryWithoutAnIDIsRefused(t *testing.T) {
	for _, id := range []string{"", "{e}", "e e"} {
		b, err := proto.Marshal(&SchedulerEntry{Id: id, TaskType: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if e, err := DecodePeriodic(b); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("DecodePeriodic() of id %q = %+v, %v, want %v", id, e, err, task.ErrInvalid)
		}
	}
}

func TestATimeThatIsMissingIsNotKnown(t *testing.T) {
	b, err := proto.Marshal(&SchedulerEntry{Id: "e"})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := DecodePeriodic(b); err != nil || !e.Next.IsZero() || !e.Prev.IsZero() {
		t.Errorf("DecodePeriodic() = %+v, %v, want zero times", e, err)
	}
}

func TestATickOfNoTaskOrTimeIsRefused(t *testing.T) {
	for what, m := range map[string]*SchedulerEnqueueEvent{
		"no task":    {EnqueueTime: timestamppb.New(start)},
		"a bad task": {TaskId: "a b", EnqueueTime: timestamppb.New(start)},
		"no time":    {TaskId: "i"},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if tick, err := DecodeTick("e", b); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("DecodeTick() with %s = %+v, %v, want %v", what, tick, err, task.ErrInvalid)
		}
	}
}

func TestTextThatIsNoUTF8IsNotEncoded(t *testing.T) {
	if b, err := EncodePeriodic(broker.PeriodicEntry{ID: "e", Spec: "\xff"}); err == nil {
		t.Errorf("EncodePeriodic() = %x, want an error", b)
	}
	if b, err := EncodeTick(broker.Tick{Entry: "e", TaskID: "\xff", At: time.Now()}); err == nil {
		t.Errorf("EncodeTick() = %x, want an error", b)
	}
}

func TestBytesThatAreNoTimetableAreRefused(t *testing.T) {
	for name, b := range map[string]string{
		"text":               "hello",
		"cut off":            "\x0a\x05e",
		"invalid UTF-8":      "\x0a\x01\xff",
		"more than the most": strings.Repeat("\x0a\x00", MaxMessage/2+1),
	} {
		if e, err := DecodePeriodic([]byte(b)); err == nil {
			t.Errorf("%s: DecodePeriodic() = %+v, want an error", name, e)
		}
		if tick, err := DecodeTick("e", []byte(b)); err == nil {
			t.Errorf("%s: DecodeTick() = %+v, want an error", name, tick)
		}
	}
}
