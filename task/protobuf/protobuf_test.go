package protobuf_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/task/protobuf"
)

var wait = task.DefineWith("wait", protobuf.Codec[*durationpb.Duration](), protobuf.Codec[*durationpb.Duration]())

func TestAMessageGoesThereAndBack(t *testing.T) {
	tk, err := wait.New(&durationpb.Duration{Seconds: 7})
	if err != nil {
		t.Fatal(err)
	}
	w := task.NewResultWriter(t.Context(), "id", 0)
	h := wait.Handler(func(_ context.Context, d *durationpb.Duration) (*durationpb.Duration, error) {
		return &durationpb.Duration{Seconds: 2 * d.GetSeconds()}, nil
	})
	if err := h.ProcessTask(t.Context(), task.Received("wait", tk.Payload(), nil, w)); err != nil {
		t.Fatal(err)
	}
	got, err := wait.Output(&task.Info{Type: "wait", Result: w.Result()})
	if want := (&durationpb.Duration{Seconds: 14}); err != nil || !proto.Equal(got, want) {
		t.Errorf("Output() = %v, %v; want %v", got, err, want)
	}
}

func TestAnEmptyMessageIsAMessage(t *testing.T) {
	b, err := protobuf.Codec[*durationpb.Duration]().Encode(nil)
	if err != nil || b == nil || len(b) != 0 {
		t.Errorf("Encode(nil) = %v, %v; want empty, not nil", b, err)
	}
	got, err := wait.Output(&task.Info{Type: "wait"})
	if err != nil || got == nil || !proto.Equal(got, &durationpb.Duration{}) {
		t.Errorf("Output() of nothing = %v, %v; want an empty message", got, err)
	}
}

func TestEqualMessagesAreEqualBytes(t *testing.T) {
	m, err := structpb.NewStruct(map[string]any{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6})
	if err != nil {
		t.Fatal(err)
	}
	codec := protobuf.Codec[*structpb.Struct]()
	first, err := codec.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if b, err := codec.Encode(m); err != nil || !bytes.Equal(b, first) {
			t.Fatalf("Encode() = %x, %v; the first time %x", b, err, first)
		}
	}
}

func TestBytesThatAreNoMessageAreRefused(t *testing.T) {
	_, err := wait.Input(&task.Info{Type: "wait", Payload: []byte("{}")})
	var e *task.DecodeError
	if !errors.As(err, &e) || e.Want != "*durationpb.Duration" || e.Found != "JSON object without keys" {
		t.Errorf("Input() = %v, want a DecodeError that names both shapes", err)
	}
}
