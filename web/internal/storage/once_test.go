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
		s := shared[int]{fresh: time.Second, read: func(context.Context) (int, error) {
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
