package main

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

func TestCommandsAreCountedWhateverTheyCarry(t *testing.T) {
	t.Parallel()
	const said = "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8\r\n*1\r\n$4\r\n\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n"
	r, n := bufio.NewReader(strings.NewReader(said)), 0
	for skipCommand(r) == nil {
		n++
	}
	if n != 3 {
		t.Errorf("%d commands in %q, want 3", n, said)
	}
}

func TestATapCountsWhatItHandsOn(t *testing.T) {
	t.Parallel()
	redis, err := startRedis(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer redis.stop()
	tap, err := openTap(redis.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	m := newMeter(call{Redis: tap.Addr().String()})
	defer m.close()
	if err := m.redis.Echo(t.Context(), "once").Err(); err != nil {
		t.Fatal(err)
	}
	before := stable(tap) // the connection has been made
	for range 7 {
		if err := m.redis.Echo(t.Context(), "and again").Err(); err != nil {
			t.Fatal(err)
		}
	}
	if n := stable(tap) - before; n != 7 {
		t.Errorf("%d commands, want 7", n)
	}
}

// stable returns what a tap has counted, once that stays the same: it counts behind
// what it hands on.
func stable(t *tap) int64 {
	n := t.commands.Load()
	for last := int64(-1); n != last; n = t.commands.Load() {
		last = n
		time.Sleep(100 * time.Millisecond)
	}
	return n
}
