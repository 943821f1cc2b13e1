package sqlitebroker_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

func TestADatabaseTellsOfItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "leat.db")
	for path, want := range map[string]broker.About{
		file:       {Kind: "sqlite", Address: file, Persistence: "wal full", ClockDoubt: 1, Events: true},
		":memory:": {Kind: "memory", Persistence: "none", ClockDoubt: 1, Events: true},
	} {
		b, err := sqlitebroker.Open(path, &sqlitebroker.Options{Synchronous: sqlitebroker.Full, Events: 10})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		got, err := b.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(broker.About{}, "Version", "Memory", "MaxMemory", "Facts")); diff != "" {
			t.Errorf("Describe() of %s (-want +got):\n%s", path, diff)
		}
		if got.Version == "" || got.Memory == 0 || got.Facts["schema_version"] == "" {
			t.Errorf("Describe() of %s = %+v, want a version, a size and a schema", path, got)
		}
	}
}

// TestWhoKeepsNoEventsReadsThoseOfOthers is how a tool that was told nothing follows.
func TestWhoKeepsNoEventsReadsThoseOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	tool, keeper := open(t, path), keeping(t, path, 10)
	defer tool.Close()
	defer keeper.Close()
	if _, err := tool.Events(t.Context(), "", 10); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Events() = %v while nobody keeps any, want ErrUnsupported", err)
	}
	ref := broker.EntryRef{Queue: "q", ID: "a"}
	changes := []broker.Change{{Enqueue: []broker.Entry{{EntryRef: ref, Type: "t"}}}}
	if _, err := keeper.Apply(t.Context(), time.Now(), changes, broker.LeaseRequest{}); err != nil {
		t.Fatal(err)
	}
	events, err := tool.Events(t.Context(), "", 10)
	if err != nil || len(events) != 1 || events[0].Entry != ref {
		t.Errorf("Events() = %+v, %v, want that of a", events, err)
	}
}
