package live

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counter counts how often something is rendered.
type counter struct{ n atomic.Int64 }

func (c *counter) render(context.Context) ([]Part, error) {
	return []Part{{"still", "same"}, {"moving", fmt.Sprint(c.n.Add(1))}}, nil
}

func follow(t *testing.T, h *Hub, key string, r Render) *Follower {
	t.Helper()
	f, err := h.Follow("ann", key, r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFiftyWhoFollowCostWhatOneDoes(t *testing.T) {
	cost := func(followers int) (n int64) {
		synctest.Test(t, func(t *testing.T) {
			h := New(time.Second, time.Second)
			defer h.Close()
			var c counter
			for range followers {
				defer follow(t, h, "a", c.render).Leave()
			}
			time.Sleep(time.Minute + time.Second/2)
			n = c.n.Load()
		})
		return n
	}
	one, fifty := cost(1), cost(50)
	if one != fifty || one < 30 || one > 100 {
		t.Errorf("one who follows has it rendered %d times in a minute, fifty %d times", one, fifty)
	}
}

func TestAFollowerIsToldOnlyWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, time.Second)
		defer h.Close()
		var c counter
		f := follow(t, h, "a", c.render)
		defer f.Leave()
		synctest.Wait()
		parts, at, err := f.Take()
		if diff := cmp.Diff([]Part{{"still", "same"}, {"moving", "1"}}, parts); diff != "" || err != nil || at.IsZero() {
			t.Errorf("first: %s %v %v", diff, at, err)
		}
		time.Sleep(3500 * time.Millisecond)
		parts, _, _ = f.Take()
		if diff := cmp.Diff([]Part{{"moving", "4"}}, parts); diff != "" {
			t.Errorf("three renderings later: %s", diff)
		}
		late := follow(t, h, "a", c.render)
		defer late.Leave()
		if parts, _, _ = late.Take(); len(parts) != 2 {
			t.Errorf("one who comes later is told %v, want all at once", parts)
		}
	})
}

func TestNothingIsRenderedThatNobodyFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, time.Second)
		defer h.Close()
		var c counter
		f := follow(t, h, "a", c.render)
		time.Sleep(10 * time.Second)
		f.Leave()
		f.Leave() // which changes nothing
		synctest.Wait()
		before := c.n.Load()
		time.Sleep(time.Hour)
		if after := c.n.Load(); after != before {
			t.Errorf("rendered %d times after the last had left", after-before)
		}
		if h.count != 0 || len(h.topics) != 0 {
			t.Errorf("%d followers and %d topics are left", h.count, len(h.topics))
		}
	})
}

func TestTroubleIsToldUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, time.Second)
		defer h.Close()
		var broken atomic.Bool
		trouble := errors.New("no answer")
		f := follow(t, h, "a", func(context.Context) ([]Part, error) {
			if broken.Load() {
				return nil, trouble
			}
			return []Part{{"a", "x"}}, nil
		})
		defer f.Leave()
		synctest.Wait()
		_, at, err := f.Take()
		if err != nil {
			t.Fatal(err)
		}
		broken.Store(true)
		time.Sleep(10 * time.Second)
		if _, then, err := f.Take(); !errors.Is(err, trouble) || !then.Equal(at) {
			t.Errorf("while it is broken: %v, as of %v, want as of %v", err, then, at)
		}
		broken.Store(false)
		time.Sleep(2 * time.Second)
		if _, then, err := f.Take(); err != nil || !then.After(at) {
			t.Errorf("after: %v, as of %v", err, then)
		}
	})
}

func TestWhatTakesTooLongIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, 3*time.Second)
		f := follow(t, h, "a", func(ctx context.Context) ([]Part, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		time.Sleep(4 * time.Second)
		if _, _, err := f.Take(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		h.Close() // while it is rendered
		if _, _, err := f.Take(); !errors.Is(err, ErrOver) && !errors.Is(err, context.Canceled) {
			t.Errorf("closed: err = %v", err)
		}
		if _, err := h.Follow("ann", "a", nil); !errors.Is(err, ErrOver) {
			t.Errorf("follow what is closed: %v", err)
		}
	})
}

func TestAgainRendersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Hour, time.Second)
		defer h.Close()
		var c counter
		defer follow(t, h, "a", c.render).Leave()
		time.Sleep(30 * time.Minute)
		h.Again()
		synctest.Wait()
		if n := c.n.Load(); n != 2 {
			t.Errorf("rendered %d times, want 2", n)
		}
	})
}

func TestTooManyMayNotFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, time.Second)
		defer h.Close()
		var c counter
		for i := range Most {
			if _, err := h.Follow(fmt.Sprint("user ", i), fmt.Sprint(i%7), c.render); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Follow("ann", "a", c.render); !errors.Is(err, ErrFull) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestNobodyKeepsOthersFromFollowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, time.Second)
		defer h.Close()
		var c counter
		var last *Follower
		for i := range MostEach {
			last = follow(t, h, fmt.Sprint(i), c.render)
		}
		if _, err := h.Follow("ann", "a", c.render); !errors.Is(err, ErrMany) {
			t.Errorf("one who follows %d things follows one more: %v", MostEach, err)
		}
		f, err := h.Follow("bob", "a", c.render)
		if err != nil {
			t.Fatalf("another may not follow: %v", err)
		}
		f.Leave()
		last.Leave()
		follow(t, h, "a", c.render)
		if len(h.each) != 1 || h.each["ann"] != MostEach {
			t.Errorf("who follows is counted as %v", h.each)
		}
	})
}

func TestOnlyAFewAreRenderedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Minute, time.Second)
		var now, most, all atomic.Int64
		for i := range 10 * atOnce {
			follow(t, h, fmt.Sprint(i), func(context.Context) ([]Part, error) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second / 2)
				all.Add(1)
				now.Add(-1)
				return nil, nil
			})
		}
		time.Sleep(time.Second)
		if n := most.Load(); n > atOnce {
			t.Errorf("%d are rendered at once, want at most %d", n, atOnce)
		}
		time.Sleep(10 * time.Second)
		if n := all.Load(); n != 10*atOnce {
			t.Errorf("%d were rendered, want %d", n, 10*atOnce)
		}
		h.Close()
	})
}

func TestAgainAndAgainRendersSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(2*time.Second, time.Second)
		defer h.Close()
		var c counter
		defer follow(t, h, "a", c.render).Leave()
		for range 1000 { // in ten seconds
			h.Again()
			time.Sleep(10 * time.Millisecond)
		}
		if n := c.n.Load(); n < 15 || n > 25 {
			t.Errorf("rendered %d times in ten seconds, want it each half second", n)
		}
	})
}
