package storage

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAStorageThatFailsIsNotAskedForEachWhoAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, asked := errors.New("silent"), 0
		s := shared[int]{fresh: time.Second, life: newLifetime(), read: func(context.Context) (int, error) {
			asked++
			return 0, silent
		}}
		for range 100 {
			if _, err := s.get(t.Context()); !errors.Is(err, silent) {
				t.Fatal(err)
			}
		}
		if asked != 1 {
			t.Errorf("for a hundred who ask at once it is asked %d times", asked)
		}
		time.Sleep(501 * time.Millisecond)
		if _, err := s.get(t.Context()); !errors.Is(err, silent) || asked != 2 {
			t.Errorf("after a moment: %v, asked %d times, want it asked again", err, asked)
		}
	})
}

func TestNothingIsReadOnceTheStorageIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, going := newLifetime(), false
		s := shared[int]{fresh: time.Second, life: life, read: func(ctx context.Context) (int, error) {
			going = true
			<-ctx.Done()
			time.Sleep(grace / 2) // until the storage has noticed
			going = false
			return 0, ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = s.get(ctx) }()
		synctest.Wait()
		cancel() // who has asked is gone, and it is read all the same
		synctest.Wait()
		if !going {
			t.Fatal("what is shared is given up with who has asked for it first")
		}
		life.close()
		life.close() // which changes nothing
		if going {
			t.Error("it is still read when all is closed")
		}
		if _, err := s.get(t.Context()); !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := s.get(t.Context()); !errors.Is(err, ErrClosed) || going {
			t.Errorf("a minute later: %v, want ErrClosed", err)
		}
	})
}
