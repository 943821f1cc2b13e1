package periodic_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func stored(schedule string) periodic.Entry {
	return periodic.Entry{
		Name: "s", Schedule: schedule, Type: "t", Zone: "Asia/Tokyo",
		Payload: periodic.Template(`{{.Time.Format "15:04:05"}} of {{.Entry}}`), Options: []task.Option{task.MaxRetry(2)},
	}
}

func TestAStoredEntryIsRunByAll(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		var got []string
		x.serve(func(_ context.Context, tk *task.Task) error {
			got = append(got, string(tk.Payload()))
			return nil
		})
		x.schedule(periodic.Config{})
		stop := x.schedule(periodic.Config{})
		x.pass(time.Second)
		if err := x.look.Add(t.Context(), stored("@every 10s"), "ann"); err != nil {
			t.Fatal(err)
		}
		x.pass(24 * time.Second)
		stop()
		x.wantTicks("s", 10*time.Second, start, start.Add(25*time.Second))
		if want := []string{"09:00:10 of s", "09:00:20 of s"}; !slices.Equal(got, want) {
			t.Errorf("payloads are %q, want %q", got, want)
		}
		if err := x.look.Change(t.Context(), stored("@every 7s"), "bob"); err != nil {
			t.Fatal(err)
		}
		x.pass(10 * time.Second)
		if err := x.look.Remove(t.Context(), "s", "eve"); err != nil {
			t.Fatal(err)
		}
		x.pass(20 * time.Second)
		seventh := start.Add(30 * time.Second) // counted from 1970
		x.wantTimes("s", []time.Time{start.Add(10 * time.Second), start.Add(20 * time.Second), seventh})
		if _, err := x.look.Get(t.Context(), "s"); !errors.Is(err, periodic.ErrEntryNotFound) {
			t.Errorf("Get() = %v, want ErrEntryNotFound", err)
		}
		x.pass(2 * time.Hour)
		docs, err := x.b.Documents(t.Context(), broker.Home{Queue: "leat~periodic", ID: "s"}, "entry")
		if err != nil || docs[0].Version != 0 {
			t.Errorf("two hours later there is still %+v, %v", docs, err)
		}
	})
}

func TestAStoredEntryThatComesAgain(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.schedule(periodic.Config{})
		for range 3 {
			start := time.Now()
			if err := x.look.Add(t.Context(), stored("@every 10s"), ""); err != nil {
				t.Fatal(err)
			}
			if err := x.look.Add(t.Context(), stored("@every 20s"), ""); !errors.Is(err, periodic.ErrEntryExists) {
				t.Errorf("Add() = %v, want ErrEntryExists", err)
			}
			before := len(x.ticks("s"))
			x.pass(35 * time.Second)
			if n := len(x.ticks("s")) - before; n < 3 {
				t.Errorf("%d ticks in 35 s from %v", n, start)
			}
			if err := x.look.Remove(t.Context(), "s", ""); err != nil {
				t.Fatal(err)
			}
			x.pass(10 * time.Second)
		}
		if left := len(x.ticks("s")); left > 11 {
			t.Errorf("%d ticks", left)
		}
	})
}

func TestSourcesDoNotMix(t *testing.T) {
	inBubble(t, func(x *bench) {
		var told []error
		cfg := periodic.Config{OnError: func(_ context.Context, _ periodic.Tick, err error) { told = append(told, err) }}
		if err := x.look.Add(t.Context(), stored("@every 10s"), ""); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		x.schedule(cfg, every("s", time.Second, periodic.Allow), every("c", 10*time.Second, periodic.Allow))
		x.pass(25 * time.Second)
		x.wantTicks("s", 10*time.Second, start, time.Now())
		if len(told) != 1 || !errors.Is(told[0], periodic.ErrEntryExists) {
			t.Errorf("OnError is told %v, want ErrEntryExists, once", told)
		}
		if err := x.look.Add(t.Context(), every("c", time.Hour, periodic.Allow), ""); !errors.Is(err, periodic.ErrEntryExists) || !strings.Contains(err.Error(), "code") {
			t.Errorf("Add() = %v, want ErrEntryExists, from code", err)
		}
		if err := x.look.Change(t.Context(), every("c", time.Hour, periodic.Allow), ""); !errors.Is(err, periodic.ErrSource) {
			t.Errorf("Change() = %v, want ErrSource", err)
		}
		if err := x.look.Remove(t.Context(), "c", ""); !errors.Is(err, periodic.ErrSource) {
			t.Errorf("Remove() = %v, want ErrSource", err)
		}
		if err := x.look.Remove(t.Context(), "s", ""); err != nil {
			t.Fatal(err)
		}
		x.pass(10 * time.Second)
		if info := x.info("s"); info.Source != periodic.FromCode {
			t.Errorf("once the stored entry is removed the source is %s, want code", info.Source)
		}
		infos, err := x.look.List(t.Context())
		if err != nil || len(infos) != 2 || infos[0].Name != "c" || infos[1].Name != "s" {
			t.Errorf("List() = %v, %v, want c and s", infos, err)
		}
	})
}

func TestAProviderIsAskedAgainAndAgain(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		var mu sync.Mutex
		var entries []periodic.Entry
		var trouble error
		var told int
		answer := func(list []periodic.Entry, err error) (before int) {
			mu.Lock()
			defer mu.Unlock()
			entries, trouble = list, err
			return told
		}
		cfg := periodic.Config{
			Provider: periodic.ProviderFunc(func(context.Context) ([]periodic.Entry, error) {
				mu.Lock()
				defer mu.Unlock()
				return entries, trouble
			}),
			OnError: func(context.Context, periodic.Tick, error) {
				mu.Lock()
				defer mu.Unlock()
				told++
			},
		}
		good := []periodic.Entry{every("a", 10*time.Second, periodic.Allow), every("b", 10*time.Second, periodic.Allow)}
		answer(good, nil)
		x.schedule(cfg, every("c", 10*time.Second, periodic.Allow))
		x.pass(15 * time.Second)
		answer(good, errors.New("no file"))
		x.pass(20 * time.Second)
		for _, bad := range []periodic.Entry{{Name: "d"}, every("c", time.Hour, periodic.Allow), every("a", time.Hour, periodic.Allow)} {
			list := append(slices.Clone(good), bad)
			before := answer(list, nil)
			x.pass(10 * time.Second)
			if n := answer(list, nil) - before; n != 1 {
				t.Errorf("OnError was called %d times for %q, want once", n, bad.Name)
			}
		}
		x.wantTicks("a", 10*time.Second, start, time.Now())
		x.wantTicks("b", 10*time.Second, start, time.Now())
		answer(good[1:], nil)
		x.pass(10 * time.Second)
		last := time.Now()
		x.pass(30 * time.Second)
		x.wantTicks("b", 10*time.Second, start, time.Now())
		if ticks := x.ticks("a"); ticks[len(ticks)-1].After(last) {
			t.Errorf("a, which is gone since %v, has ticked at %v", last, ticks[len(ticks)-1])
		}
	})
}
