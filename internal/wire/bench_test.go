package wire

import (
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// typical is an entry as most are.
var typical = broker.Entry{
	EntryRef: broker.EntryRef{Queue: "default", ID: "d5b05d66-ff91-49a0-b35f-47962b1996be"},
	Type:     "email:welcome",
	Payload:  []byte(`{"user_id":123456,"mail":"welcome"}`),
	MaxRetry: 25,
	Timeout:  30 * time.Minute,
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeEntry(typical, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	msg, err := EncodeEntry(typical, "")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := DecodeEntry(msg); err != nil {
			b.Fatal(err)
		}
	}
}
