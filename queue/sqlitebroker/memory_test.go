package sqlitebroker_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// weighty returns a change that adds an entry with a payload of size bytes.
func weighty(id string, size int) broker.Change {
	c := enqueue("q", id)
	c.Enqueue[0].Payload = bytes.Repeat([]byte("x"), size)
	return c
}

func TestMemoryHoldsHundredsOfMegabytes(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	for i := range 400 {
		must(t, b, weighty(fmt.Sprint(i), 1<<20))
	}
	leased := lease(t, b, "q", 20).Leases
	if len(leased) != 20 {
		t.Fatalf("leased %d entries, want 20", len(leased))
	}
	for _, l := range leased {
		must(t, b, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
	}
}

func TestMemoryThatIsFullCanBeDrained(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	b.Narrow(t, 20<<20)
	added := 0
	for ; ; added++ {
		err := applyAll(t.Context(), b, weighty(fmt.Sprint(added), 1<<20))
		if errors.Is(err, broker.ErrRefused) && strings.Contains(err.Error(), "full") {
			break
		}
		if err != nil || added == 20 {
			t.Fatalf("Apply() = %v after %d MiB, want it refused before 20", err, added)
		}
	}
	leased := lease(t, b, "q", added).Leases
	if len(leased) != added || added < 15 {
		t.Fatalf("leased %d of %d entries, want all", len(leased), added)
	}
	sound(t, b)
	for _, l := range leased {
		must(t, b, broker.Change{Home: run, Put: []broker.Put{{Key: l.Entry.ID}}, Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
	}
	must(t, b, weighty("another", 1<<20))
}

func TestWhatIsLargerThanAChangeMayBeIsRefused(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		document := broker.Change{Home: run, Put: []broker.Put{{Key: "k", Body: make([]byte, 200<<20)}}}
		applied, err := b.Apply(t.Context(), time.Now(), []broker.Change{document, enqueue("q", "a")}, broker.LeaseRequest{})
		if err != nil || applied.Outcomes[1] != nil {
			t.Fatalf("Apply() = %+v, %v, want the second change to take effect", applied, err)
		}
		if _, ok := errors.AsType[*task.InvalidError](applied.Outcomes[0]); !ok {
			t.Errorf("outcome of 200 MB = %v, want an InvalidError", applied.Outcomes[0])
		}
		for i := range 2 { // one after the other, each as large as may be
			document.Put[0] = broker.Put{Key: fmt.Sprint(i), Body: make([]byte, broker.MaxBytes)}
			must(t, b, document)
		}
		docs, err := b.Documents(t.Context(), run, "0", "1")
		if err != nil || len(docs) != 2 || len(docs[1].Body) != broker.MaxBytes {
			t.Errorf("Documents() = %d of them, %v, want all", len(docs), err)
		}
	})
}

// SQLite is given less and less memory, so that it lacks some at every step of
// a call in turn.
func TestACallThatFindsNoMemoryIsRefusedAndTheNextOneWorks(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		must(t, b, weighty("first", 1<<20))
		refused := 0
		for i := range 200 {
			b.Starve(t, int64(i*20<<10))
			c := weighty(fmt.Sprint(i), 1<<20)
			err := applyAll(t.Context(), b, c)
			b.Starve(t, -1)
			if err != nil && !errors.Is(err, broker.ErrRefused) {
				t.Errorf("Apply() = %v, want nil or %v", err, broker.ErrRefused)
			}
			if err != nil {
				refused++
				if !strings.Contains(err.Error(), "out of memory") {
					t.Errorf("Apply() = %v, want it to say what was lacking", err)
				}
			}
			_, found := b.Entry(t.Context(), c.Enqueue[0].EntryRef)
			if (err == nil) != (found == nil) {
				t.Errorf("Apply() = %v and Entry() = %v", err, found)
			}
		}
		if refused == 0 || refused == 200 {
			t.Errorf("%d of 200 calls were refused, want some", refused)
		}
		t.Logf("%d of 200 calls were refused", refused)
		sound(t, b)
		if s, err := b.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: "first"}); err != nil || len(s.Payload) != 1<<20 {
			t.Errorf("Entry() = %d bytes, %v, want all of them", len(s.Payload), err)
		}
	})
}

func TestAReadThatFindsNoMemoryIsRefusedAndTheNextOneWorks(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		must(t, b, weighty("a", 8<<20))
		ref := broker.EntryRef{Queue: "q", ID: "a"}
		if err := b.Ping(t.Context()); err != nil { // opens a connection
			t.Fatal(err)
		}
		for i := range 20 {
			b.Starve(t, int64(i*500<<10))
			_, err := b.Entry(t.Context(), ref)
			b.Starve(t, -1)
			if err != nil && !(errors.Is(err, broker.ErrRefused) && strings.Contains(err.Error(), "out of memory")) {
				t.Errorf("Entry() = %v, want %v and what was lacking", err, broker.ErrRefused)
			}
			if i == 0 && err == nil {
				t.Error("Entry() with no memory = nil, want an error")
			}
		}
		if s, err := b.Entry(t.Context(), ref); err != nil || len(s.Payload) != 8<<20 {
			t.Errorf("Entry() = %d bytes, %v, want all of them", len(s.Payload), err)
		}
	})
}

func TestACallThatPanicsIsAlone(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		must(t, b, enqueue("q", "a"))
		if err := b.Panic(t.Context()); !errors.Is(err, broker.ErrRefused) || !strings.Contains(err.Error(), "panic: out of luck") {
			t.Errorf("Panic() = %v, want %v and the panic", err, broker.ErrRefused)
		}
		_, err := b.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: "a"})
		if b.InMemory() {
			if !errors.Is(err, broker.ErrRefused) || !strings.Contains(err.Error(), "lost: panic: out of luck") {
				t.Errorf("Entry() = %v, want it to say why memory is lost", err)
			}
			return
		}
		if err != nil {
			t.Errorf("Entry() = %v, want nil", err)
		}
		must(t, b, enqueue("q", "b"))
		sound(t, b)
	})
}
