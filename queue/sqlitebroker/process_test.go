package sqlitebroker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// roleVariable makes the test's program a process of another kind: its value
// names the role, and its arguments are those of the role.
const roleVariable = "LEAT_TEST_ROLE"

var roles = map[string]func(ctx context.Context, b *sqlitebroker.Broker, name string) error{
	"enqueuer": enqueueMany,
	"worker":   work,
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := play(role, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(role func(context.Context, *sqlitebroker.Broker, string) error, path, name string) error {
	b, err := sqlitebroker.Open(path, nil)
	if err != nil {
		return err
	}
	defer b.Close()
	return role(context.Background(), b, name)
}

// start starts a process that plays role on path.
func start(t *testing.T, role, path, name string) (*exec.Cmd, io.Reader) {
	t.Helper()
	c := exec.Command(os.Args[0], path, name)
	c.Env = append(os.Environ(), roleVariable+"="+role)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, out
}

const enqueuedByEach = 500

// enqueueMany enqueues entries one by one and reports each once it is committed.
func enqueueMany(ctx context.Context, b *sqlitebroker.Broker, name string) error {
	for i := range enqueuedByEach {
		id := fmt.Sprintf("%s-%d", name, i)
		if err := applyAll(ctx, b, enqueue("q", id)); err != nil {
			return err
		}
		fmt.Println(id)
	}
	return nil
}

func applyAll(ctx context.Context, b broker.Broker, changes ...broker.Change) error {
	applied, err := b.Apply(ctx, time.Now(), changes, broker.LeaseRequest{})
	if err != nil {
		return err
	}
	for _, err := range applied.Outcomes {
		if err != nil {
			return err
		}
	}
	return nil
}

// work leases and settles all there is, and reports each entry once it is done.
func work(ctx context.Context, b *sqlitebroker.Broker, _ string) error {
	for {
		now := time.Now()
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 7, Until: now.Add(time.Hour)}
		applied, err := b.Apply(ctx, now, nil, want)
		if err != nil || len(applied.Leases) == 0 {
			return err
		}
		var settle []broker.Change
		for _, l := range applied.Leases {
			settle = append(settle, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
		}
		if err := applyAll(ctx, b, settle...); err != nil {
			return err
		}
		for _, l := range applied.Leases {
			fmt.Println(l.Entry.ID)
		}
	}
}

// all runs a process of role for each name, and returns what they report.
func all(t *testing.T, role, path string, names ...string) map[string]int {
	var mu sync.Mutex
	reported := make(map[string]int)
	var wg sync.WaitGroup
	for _, name := range names {
		c, out := start(t, role, path, name)
		wg.Go(func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				mu.Lock()
				reported[lines.Text()]++
				mu.Unlock()
			}
			if err := c.Wait(); err != nil {
				t.Errorf("%s %s: %v", role, name, err)
			}
		})
	}
	wg.Wait()
	return reported
}

func TestProcessesThatShareAFileLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db") // made by whoever is first
	names := []string{"a", "b", "c", "d"}
	enqueued := all(t, "enqueuer", path, names...)
	b := open(t, path)
	defer b.Close()
	counts, err := b.Counts(t.Context(), time.Now(), "q")
	if want := len(names) * enqueuedByEach; err != nil || len(enqueued) != want || counts[0].Pending != want {
		t.Fatalf("reported %d and stored %+v, %v, want %d", len(enqueued), counts, err, want)
	}
	sound(t, b)

	done := all(t, "worker", path, names...)
	for id := range enqueued {
		if done[id] != 1 {
			t.Errorf("entry %s was done %d times, want once", id, done[id])
		}
	}
	counts, err = b.Counts(t.Context(), time.Now(), "q")
	if want := len(enqueued); err != nil || counts[0].Size() != 0 || counts[0].ProcessedTotal != want {
		t.Errorf("counts = %+v, %v, want none left and %d processed", counts, err, want)
	}
	sound(t, b)
}

func TestAProcessThatIsKilledLeavesAFileThatIsSound(t *testing.T) {
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "leat.db")
		c, out := start(t, "enqueuer", path, fmt.Sprint("round", round))
		lines := bufio.NewScanner(out)
		var last string
		for range 20 + 60*round {
			if !lines.Scan() {
				t.Fatal("the process ended by itself")
			}
			last = lines.Text()
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			last = lines.Text()
		}
		c.Wait() //nolint:errcheck // it was killed

		b := open(t, path)
		sound(t, b)
		if _, err := b.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: last}); err != nil {
			t.Errorf("Entry(%s), the last that was reported: %v", last, err)
		}
		pending, err := b.List(t.Context(), broker.ListRequest{Queue: "q", State: task.Pending, Limit: enqueuedByEach})
		var n int
		_, scanErr := fmt.Sscanf(last[strings.LastIndexByte(last, '-')+1:], "%d", &n)
		if err = errors.Join(err, scanErr); err != nil || len(pending) < n+1 || len(pending) > n+2 {
			t.Errorf("%d entries are there, %v, want the %d that were reported and perhaps one more", len(pending), err, n+1)
		}
		must(t, b, enqueue("q", "after"))
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}
}
