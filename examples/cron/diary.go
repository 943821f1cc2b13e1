package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A diary counts what has happened at which time.
type diary struct {
	mu   sync.Mutex
	seen map[time.Time]int
	news chan struct{}
}

var ticks, nights = newDiary(), newDiary()

func newDiary() *diary {
	return &diary{seen: make(map[time.Time]int), news: make(chan struct{}, 1000)}
}

func (d *diary) note(at time.Time) {
	d.mu.Lock()
	d.seen[at]++
	d.mu.Unlock()
	d.news <- struct{}{}
}

// await waits until something has happened n times more.
func (d *diary) await(ctx context.Context, n int) error {
	for range n {
		select {
		case <-d.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// awaitAll waits until no second is missing, and prints how many there were.
func (d *diary) awaitAll(ctx context.Context) error {
	for {
		text, missing := d.sum()
		if missing == 0 {
			fmt.Println(text)
			return nil
		}
		if err := d.await(ctx, 1); err != nil { // Ann has had it, and Bob gets it once her lease has run out
			return err
		}
	}
}

// sum says how many seconds there were, and how many of them are missing.
func (d *diary) sum() (text string, missing int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first, last time.Time
	runs := 0
	for at, n := range d.seen {
		if runs += n; first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	seconds := int(last.Sub(first)/time.Second) + 1
	text = fmt.Sprintf("%d seconds, %d of which had their tick, %d twice.", seconds, len(d.seen), runs-len(d.seen))
	return text, seconds - len(d.seen)
}
