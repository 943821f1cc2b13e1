package queue_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

func TestEnqueueAllStoresAllOrNone(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("held", task.UniqueUntilDone(), task.UniqueKey("k"))
		unique := []task.Option{task.UniqueUntilDone(), task.UniqueKey("k")}
		for name, test := range map[string]struct {
			bad  *task.Task
			want error
		}{
			"an id that is taken": {task.New("test:a", nil, task.ID("held")), queue.ErrTaskIDConflict},
			"a key that is held":  {task.New("test:a", nil, unique...), queue.ErrDuplicateTask},
			"a bad task":          {task.New("", nil), task.ErrInvalid},
		} {
			infos, err := x.client.EnqueueAll(x.Context(), []*task.Task{task.New("test:a", nil), test.bad, task.New("test:c", nil)})
			if infos != nil || !errors.Is(err, test.want) || strings.Contains(err.Error(), "was refused") {
				t.Errorf("%s: EnqueueAll() = %v, %v, want nothing, and only %v", name, infos, err, test.want)
			}
		}
		if n := x.counts("default").Size(); n != 1 {
			t.Errorf("%d tasks are stored, want the one that was there", n)
		}
		infos, err := x.client.EnqueueAll(x.Context(), []*task.Task{task.New("test:a", nil, task.ID("a")), task.New("test:b", nil, task.Queue("low"))}, task.MaxRetry(3))
		if err != nil || len(infos) != 2 || infos[0].ID != "a" || infos[1].Queue != "low" || infos[1].MaxRetry != 3 {
			t.Errorf("EnqueueAll() = %+v, %v, want both, in order", infos, err)
		}
	})
}

func TestEnqueueAllIsOneChange(t *testing.T) {
	inBubble(t, func(x *bench) {
		changes := 0
		client := queue.NewClient(&tapped{Broker: x.b, apply: func(call applyCall) (broker.Applied, error) {
			changes += len(call.changes)
			return call.run()
		}})
		ts := make([]*task.Task, broker.MaxParts)
		for i := range ts {
			ts[i] = task.New("test:a", nil)
		}
		if _, err := client.EnqueueAll(x.Context(), ts); err != nil || changes != 1 {
			t.Errorf("EnqueueAll(%d tasks) = %v in %d changes, want nil in 1", len(ts), err, changes)
		}
		if _, err := client.EnqueueAll(x.Context(), append(ts, ts[0])); !errors.Is(err, task.ErrInvalid) || changes != 1 {
			t.Errorf("EnqueueAll(one too many) = %v, want ErrInvalid", err)
		}
		if infos, err := client.EnqueueAll(x.Context(), nil); err != nil || len(infos) != 0 {
			t.Errorf("EnqueueAll(none) = %v, %v, want none, nil", infos, err)
		}
	})
}

func TestEnqueueAllGivesWayAndReplaces(t *testing.T) {
	inBubble(t, func(x *bench) {
		named := func(key, payload string, c task.Conflict) *task.Task {
			return task.New("test:a", []byte(payload), task.UniqueUntilDone(), task.UniqueKey(key), task.OnConflict(c))
		}
		first, err := x.client.EnqueueAll(x.Context(), []*task.Task{named("k1", "old", task.Reject), named("k2", "old", task.Reject)})
		if err != nil {
			t.Fatal(err)
		}
		second, err := x.client.EnqueueAll(x.Context(), []*task.Task{named("k1", "new", task.Ignore), named("k2", "new", task.Replace), named("k3", "new", task.Reject)})
		if err != nil || second[0].ID != first[0].ID || second[1].ID != first[1].ID {
			t.Fatalf("EnqueueAll() = %+v, %v, want the holders of k1 and k2, and a new task", second, err)
		}
		for i, want := range []string{"old", "new", "new"} {
			if got := string(x.get(second[i].ID).Payload); got != want {
				t.Errorf("task %d has payload %s, want %s", i, got, want)
			}
		}
	})
}

func TestAnUnansweredEnqueueAllLeavesOpenWhatWasStored(t *testing.T) {
	inBubble(t, func(x *bench) {
		client := queue.NewClient(&tapped{Broker: x.b, apply: func(applyCall) (broker.Applied, error) {
			return broker.Applied{}, errors.New("away")
		}})
		_, err := client.EnqueueAll(x.Context(), []*task.Task{task.New("test:a", nil), task.New("test:b", nil)})
		if !errors.Is(err, queue.ErrUnknown) || strings.Count(err.Error(), "away") != 1 {
			t.Errorf("EnqueueAll() = %v, want ErrUnknown, once", err)
		}
	})
}

func TestATaskEnqueuedInATransactionExistsExactlyIfThatIsCommitted(t *testing.T) {
	b, err := sqlitebroker.Open(filepath.Join(t.TempDir(), "leat.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	client := queue.NewClient(b)
	var log []string
	client.Use(tracing(&log))
	debounce := task.Debounce(time.Minute, time.Hour)
	for _, commit := range []bool{false, true} {
		tx, err := b.DB().BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var infos []*task.Info
		for i := range 3 { // those after the first meet it in their own transaction
			info, err := client.EnqueueTx(t.Context(), tx, task.New("index", fmt.Append(nil, i)), debounce)
			if err != nil {
				t.Fatalf("EnqueueTx(%d) = %v, want nil", i, err)
			}
			infos = append(infos, info)
		}
		if commit {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Entry(t.Context(), broker.EntryRef{Queue: "default", ID: infos[0].ID})
		if commit && (err != nil || string(s.Payload) != "2" || infos[2].ID != infos[0].ID) {
			t.Errorf("after the commit: %q, %v, as %s and %s; want the last payload, under one id", s.Payload, err, infos[0].ID, infos[2].ID)
		}
		if !commit && !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("after the rollback: %v, want ErrNotFound", err)
		}
	}
	if len(log) != 12 {
		t.Errorf("middleware saw %q, want 6 tasks before and after", log)
	}
}

func TestATransactionNeedsAStorageThatHasSome(t *testing.T) {
	inBubble(t, func(x *bench) {
		if _, err := x.client.EnqueueTx(x.Context(), nil, task.New("test:a", nil)); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("EnqueueTx() on the model = %v, want ErrUnsupported", err)
		}
	})
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := queue.NewClient(b).EnqueueTx(t.Context(), nil, task.New("test:a", nil)); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("EnqueueTx() without a transaction = %v, want ErrInvalid", err)
	}
}
