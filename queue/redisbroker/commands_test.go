package redisbroker_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/leatwork/leat/queue/broker"
)

// commands returns how many commands scripts have made so far.
func (x *bench) commands() (n int) {
	x.Helper()
	stats := x.server.Do(x.T, "INFO", "commandstats")
	for _, line := range regexp.MustCompile(`cmdstat_([a-z]+):calls=(\d+)`).FindAllStringSubmatch(stats, -1) {
		calls, err := strconv.Atoi(line[2])
		if err != nil {
			x.Fatal(err)
		}
		switch line[1] {
		case "evalsha", "info", "hello", "ping", "client", "script":
		default:
			n += calls
		}
	}
	return n
}

// TestATaskTakesAtMostNineCommands enqueues, leases and settles in batches, as a
// busy fleet does.
func TestATaskTakesAtMostNineCommands(t *testing.T) {
	x := newBench(t)
	const rounds, each = 4, 50
	round := func(r int) {
		var enqueue, settle []broker.Change
		for i := range each {
			enqueue = append(enqueue, broker.Change{Enqueue: []broker.Entry{plain(fmt.Sprint(r, "-", i))}})
		}
		x.apply(enqueue...)
		for _, l := range x.lease(each).Leases {
			settle = append(settle, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
		}
		if len(settle) != each {
			t.Fatalf("leased %d, want %d", len(settle), each)
		}
		x.apply(settle...)
	}
	round(0) // loads the scripts
	before := x.commands()
	for r := range rounds {
		round(r + 1)
	}
	if n := x.commands() - before; n > 9*rounds*each {
		t.Errorf("%d tasks took %d commands, want at most 9 for each", rounds*each, n)
	} else {
		t.Logf("%.2f commands for each task", float64(n)/(rounds*each))
	}
}

// TestAStepOfARunTakesAtMostSixteenCommands goes on from step to step in chains, as a
// busy fleet does: each step's outcome comes with what it returned and the next one.
func TestAStepOfARunTakesAtMostSixteenCommands(t *testing.T) {
	x := newBench(t)
	const chains, rounds = 50, 4
	step := func(home broker.Home, n int) broker.Entry {
		e := plain(fmt.Sprintf("%s~%d", home.ID, n))
		e.Home, e.Reads = home, []string{"control"}
		return e
	}
	var begin []broker.Change
	for i := range chains {
		home := broker.Home{Queue: "q", ID: fmt.Sprint("run", i)}
		begin = append(begin, broker.Change{Home: home, Put: []broker.Put{{Key: "control"}}, Enqueue: []broker.Entry{step(home, 0)}})
	}
	x.apply(begin...)
	round := func(n int) {
		var changes []broker.Change
		for _, l := range x.lease(chains).Leases {
			home := l.Entry.Home
			changes = append(changes, broker.Change{
				Settle:  []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}},
				Home:    home,
				Require: []broker.Condition{{Key: "control", Version: 1}},
				Put:     []broker.Put{{Key: fmt.Sprint("out", n), Body: []byte("out")}},
				Enqueue: []broker.Entry{step(home, n+1)},
			})
		}
		if len(changes) != chains {
			t.Fatalf("leased %d, want %d", len(changes), chains)
		}
		x.apply(changes...)
	}
	round(0) // loads the scripts
	before := x.commands()
	for r := range rounds {
		round(r + 1)
	}
	if n := x.commands() - before; n > 16*rounds*chains {
		t.Errorf("%d steps took %d commands, want at most 16 for each", rounds*chains, n)
	} else {
		t.Logf("%.2f commands for each step", float64(n)/(rounds*chains))
	}
}
