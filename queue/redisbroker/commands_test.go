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
