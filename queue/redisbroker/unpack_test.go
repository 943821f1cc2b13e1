package redisbroker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatIsPackedIsUnpacked also cuts it off at every byte, which is an error.
func TestWhatIsPackedIsUnpacked(t *testing.T) {
	p := &packer{}
	long := strings.Repeat("x", 70_000)
	o := p.object()
	o.field("id").text("a")
	o.field("long").text(long)
	o.field("at").int(1900000000500)
	o.field("behind").yes()
	o.field("more").list(20)
	more := make([]any, 20)
	for i := range more {
		p.int(int64(i))
		more[i] = int64(i)
	}
	got, err := unpack(p.b)
	want := map[string]any{"id": "a", "long": long, "at": int64(1900000000500), "behind": true, "more": more}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("unpack() = %v (-want +got):\n%s", err, diff)
	}
	for n := range 100 {
		if v, err := unpack(p.b[:n]); err == nil {
			t.Errorf("unpack() of the first %d bytes = %v, want an error", n, v)
		}
	}
}

func TestBytesThatAreNoMessagePackAreRefused(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":            "",
		"more than one":      "\x01\x02",
		"an unused kind":     "\xc1",
		"a list of billions": "\xdd\xff\xff\xff\xff",
		"a map of billions":  "\xdf\xff\xff\xff\xff",
		"a text of billions": "\xdb\xff\xff\xff\xff",
		"lists in lists":     strings.Repeat("\x91", 1000) + "\x01",
	} {
		if v, err := unpack([]byte(b)); err == nil {
			t.Errorf("%s: unpack() = %v, want an error", name, v)
		}
	}
}

// FuzzUnpack looks for bytes that make unpack panic.
func FuzzUnpack(f *testing.F) {
	for _, b := range []string{"\x93\x01\xa1a\xc3", "\x81\xa1k\xd3\x00\x00\x00\x00\x00\x00\x00\x01", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "\xd0\xff"} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := unpack(b); err == nil && len(b) == 0 {
			t.Error("nothing was unpacked to something")
		}
	})
}
