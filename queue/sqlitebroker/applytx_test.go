package sqlitebroker_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// orders makes a table of the program's own in b's database.
func orders(t testing.TB, b *sqlitebroker.Broker) {
	t.Helper()
	if _, err := b.DB().ExecContext(t.Context(), `CREATE TABLE orders (id TEXT PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
}

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() }) //nolint:errcheck // most are committed by then
	return tx
}

// order adds an order and applies changes in one transaction, which is still
// open.
func order(t testing.TB, b *sqlitebroker.Broker, id string, changes ...broker.Change) (*sql.Tx, []error) {
	t.Helper()
	tx := begin(t, b.DB())
	if _, err := tx.ExecContext(t.Context(), `INSERT INTO orders VALUES (?)`, id); err != nil {
		t.Fatal(err)
	}
	made, err := b.ApplyTx(t.Context(), time.Now(), tx, changes)
	if err != nil {
		t.Fatalf("ApplyTx() = %v, want nil", err)
	}
	return tx, made
}

func claimed(id, key string) broker.Change {
	c := enqueue("q", id)
	c.Enqueue[0].Claim = broker.Claim{Key: key}
	return c
}

func TestAnEntryOfATransactionExistsExactlyIfItIsCommitted(t *testing.T) {
	for name, end := range map[string]func(*sql.Tx) error{"commit": (*sql.Tx).Commit, "rollback": (*sql.Tx).Rollback} {
		t.Run(name, func(t *testing.T) {
			eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
				orders(t, b)
				tx, made := order(t, b, "1", claimed("a", "key"), claimed("b", "key"))
				if made[0] != nil || !errors.Is(made[1], broker.ErrClaimed) {
					t.Errorf("ApplyTx() = %v, want one that is added and %v", made, broker.ErrClaimed)
				}
				ref := broker.EntryRef{Queue: "q", ID: "a"}
				if _, err := b.Entry(t.Context(), ref); !errors.Is(err, broker.ErrNotFound) {
					t.Errorf("Entry() before the end = %v, want %v", err, broker.ErrNotFound)
				}
				if err := end(tx); err != nil {
					t.Fatal(err)
				}
				var found int
				if err := b.DB().QueryRowContext(t.Context(), `SELECT count(*) FROM orders`).Scan(&found); err != nil {
					t.Fatal(err)
				}
				_, err := b.Entry(t.Context(), ref)
				queues, queuesErr := b.Queues(t.Context())
				if committed := name == "commit"; committed != (err == nil) || committed != (found == 1) || committed != (len(queues) == 1) {
					t.Errorf("Entry() = %v with %d orders and queues %q (%v)", err, found, queues, queuesErr)
				}
				if err := outcomes(t, b, time.Now(), claimed("c", "key"))[0]; errors.Is(err, broker.ErrClaimed) != (name == "commit") {
					t.Errorf("the claim afterwards: %v", err)
				}
				sound(t, b)
			})
		})
	}
}

func TestATransactionTakesItsPlaceInLine(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		orders(t, b)
		must(t, b, enqueue("q", "before"))
		tx, _ := order(t, b, "1", enqueue("q", "within", "too"))
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		must(t, b, enqueue("q", "after"))
		var line []string
		for _, l := range lease(t, b, "q", 9).Leases {
			line = append(line, l.Entry.ID)
		}
		if diff := cmp.Diff([]string{"before", "within", "too", "after"}, line); diff != "" {
			t.Errorf("leased (-want +got):\n%s", diff)
		}
		sound(t, b)
	})
}

func TestATransactionMaySettle(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		orders(t, b)
		must(t, b, enqueue("q", "a"))
		l := lease(t, b, "q", 1).Leases[0]
		done := broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}, Enqueue: entries("q", "next")}
		tx, made := order(t, b, "1", done, done)
		if made[0] != nil || !errors.Is(made[1], broker.ErrLeaseLost) {
			t.Errorf("ApplyTx() = %v, want nil and %v", made, broker.ErrLeaseLost)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		counts, err := b.Counts(t.Context(), time.Now(), "q")
		if err != nil || counts[0].Pending != 1 || counts[0].Active != 0 || counts[0].ProcessedTotal != 1 {
			t.Errorf("Counts() = %+v, %v, want one done and one pending", counts, err)
		}
		sound(t, b)
	})
}

func TestATransactionOfAnotherDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	b, other := open(t, path), open(t, ":memory:")
	defer b.Close()
	defer other.Close()
	plain, err := driver.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for what, db := range map[string]*sql.DB{"another broker's": other.DB(), "one that the broker did not open": plain} {
		tx := begin(t, db)
		_, err := b.ApplyTx(t.Context(), time.Now(), tx, []broker.Change{enqueue("q", "a")})
		if !errors.Is(err, sqlitebroker.ErrForeignTx) || !errors.Is(err, broker.ErrRefused) {
			t.Errorf("ApplyTx() in a transaction on %s = %v, want %v", what, err, sqlitebroker.ErrForeignTx)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	tx := begin(t, b.DB())
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ApplyTx(t.Context(), time.Now(), tx, nil); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("ApplyTx() after the end = %v, want %v", err, sql.ErrTxDone)
	}
}

func TestACallWaitsForATransactionAndNoLongerThanItsPatience(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "leat.db"), ":memory:"} {
		b, err := sqlitebroker.Open(path, &sqlitebroker.Options{BusyTimeout: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		orders(t, b)
		tx, _ := order(t, b, "1", enqueue("q", "a"))
		if err := applyAll(t.Context(), b, enqueue("q", "b")); !errors.Is(err, broker.ErrRefused) {
			t.Errorf("Apply() beside a transaction that does not end = %v, want %v", err, broker.ErrRefused)
		}
		began := time.Now()
		if second, err := b.DB().BeginTx(t.Context(), nil); err == nil {
			t.Error("a second transaction began beside the first", second.Rollback())
		} else if took := time.Since(began); took > 30*time.Second {
			t.Errorf("BeginTx() beside a transaction that does not end took %v", took)
		}
		waits := make(chan error)
		go func() { waits <- applyAll(t.Context(), b, enqueue("q", "c")) }()
		time.Sleep(50 * time.Millisecond)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := <-waits; err != nil {
			t.Errorf("Apply() beside a transaction that ends = %v, want nil", err)
		}
		sound(t, b)
	}
}

func TestTransactionsAndCallsShareADatabase(t *testing.T) {
	const each, by = 25, 4
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		orders(t, b)
		var wg sync.WaitGroup
		for g := range by {
			wg.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d-%d", g, i)
					if err := applyAll(t.Context(), b, enqueue("q", "call-"+id)); err != nil {
						t.Errorf("Apply() = %v, want nil", err)
					}
					if err := placeOrder(t.Context(), b, id); err != nil {
						t.Errorf("transaction: %v", err)
					}
				}
			})
		}
		wg.Wait()
		counts, err := b.Counts(t.Context(), time.Now(), "q")
		if err != nil || counts[0].Pending != 2*each*by {
			t.Errorf("Counts() = %+v, %v, want %d pending", counts, err, 2*each*by)
		}
		sound(t, b)
	})
}

func placeOrder(ctx context.Context, b *sqlitebroker.Broker, id string) error {
	tx, err := b.DB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it is committed by then
	if _, err := tx.ExecContext(ctx, `INSERT INTO orders VALUES (?)`, id); err != nil {
		return err
	}
	if _, err := b.ApplyTx(ctx, time.Now(), tx, []broker.Change{enqueue("q", "order-"+id)}); err != nil {
		return err
	}
	return tx.Commit()
}

func TestADatabaseInMemoryKeepsWhatItHeldWhenItIsShared(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	fill(t, b)
	before := b.Leftovers(t)
	orders(t, b)
	if diff := cmp.Diff(before, b.Leftovers(t)); diff != "" {
		t.Errorf("stored (-before +after):\n%s", diff)
	}
	must(t, b, enqueue("q", "more"))
	sound(t, b)
}
