package brokertest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var archivePromises = []promise{
	{"without limits an archive keeps everything", archiveUnlimited},
	{"an archive loses the oldest of too many", archiveCount},
	{"an archive loses what was archived too long ago", archiveAge},
	{"an archive loses the oldest of what is too large", archiveBytes},
	{"each limit is kept for each queue by itself", archiveQueues},
	{"a limit on the call leaves the rest for the next", archiveLimit},
	{"what an archive loses leaves no claim", archiveClaims},
	{"other states are not trimmed", archiveOthers},
}

// archive archives n entries of q, one each second.
func (x *trial) archive(n int) {
	x.Helper()
	for i := range n {
		id := fmt.Sprintf("%02d", i)
		x.enqueue(entry("q", id))
		x.must(moving(broker.Archive, id))
		x.pass(time.Second)
	}
}

// trim advances q with limits on its archive.
func (x *trial) trim(keep broker.ArchiveLimits) int {
	x.Helper()
	return x.advanceAs(broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1000, Keep: keep}).Trimmed
}

func archiveUnlimited(x *trial) {
	x.archive(20)
	x.pass(hours)
	equal(x, "trimmed", x.trim(broker.ArchiveLimits{}), 0)
	equal(x, "archived", x.counts("q").Archived, 20)
}

func archiveCount(x *trial) {
	x.archive(10)
	equal(x, "trimmed to ten", x.trim(broker.ArchiveLimits{Count: 10}), 0)
	equal(x, "trimmed", x.trim(broker.ArchiveLimits{Count: 7}), 3)
	equal(x, "archived", x.list("q", task.Archived), []string{"03", "04", "05", "06", "07", "08", "09"})
	x.missing("trimmed", "00", "01", "02")
	x.enqueue(entry("q", "00"))
	equal(x, "trimmed again", x.trim(broker.ArchiveLimits{Count: 7}), 0)
}

func archiveAge(x *trial) {
	x.archive(3)
	x.pass(time.Hour - 4*time.Second)
	equal(x, "trimmed before", x.trim(broker.ArchiveLimits{Age: time.Hour}), 0)
	x.pass(2 * time.Second)
	equal(x, "trimmed", x.trim(broker.ArchiveLimits{Age: time.Hour}), 2)
	equal(x, "archived", x.list("q", task.Archived), []string{"02"})
	x.must(moving(broker.Run, "02"), moving(broker.Archive, "02"))
	x.pass(time.Hour - time.Second)
	equal(x, "trimmed when it was archived again", x.trim(broker.ArchiveLimits{Age: time.Hour}), 0)
}

func archiveBytes(x *trial) {
	for i := range 20 {
		e := entry("q", fmt.Sprintf("%02d", i))
		e.Payload = bytes.Repeat([]byte("x"), 600)
		x.enqueue(e)
		s := settled(x.leaseOne("q"), broker.Archived)
		s.Result = bytes.Repeat([]byte("y"), 400)
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		x.pass(time.Second)
	}
	equal(x, "trimmed to all", x.trim(broker.ArchiveLimits{Bytes: 100_000}), 0)
	if n := x.trim(broker.ArchiveLimits{Bytes: 10_500}); n < 8 || n > 12 {
		x.Errorf("trimmed %d of 20 to half of what they take, want 10, or about as many", n)
	}
	left := x.list("q", task.Archived)
	equal(x, "the newest is kept", left[len(left)-1], "19")
	x.missing("the oldest", "00", "07")
}

func archiveQueues(x *trial) {
	x.archive(3)
	for i := range 4 {
		id := fmt.Sprint(i)
		x.enqueue(entry("p", id))
		x.must(broker.Change{Move: []broker.Move{{EntryRef: broker.EntryRef{Queue: "p", ID: id}, Do: broker.Archive}}})
	}
	a := x.advanceAs(broker.AdvanceRequest{Queues: []string{"p", "q"}, Limit: 100, Keep: broker.ArchiveLimits{Count: 2}})
	equal(x, "trimmed", a.Trimmed, 3)
	equal(x, "archived", []int{x.counts("p").Archived, x.counts("q").Archived}, []int{2, 2})
}

func archiveLimit(x *trial) {
	x.archive(10)
	r := broker.AdvanceRequest{Queues: []string{"q"}, Limit: 4, Keep: broker.ArchiveLimits{Count: 3}}
	got := x.advanceAs(r)
	if got.Trimmed != 4 || got.Next.IsZero() || got.Next.After(time.Now()) {
		x.Errorf("advanced = %+v, want four trimmed and next not after now", got)
	}
	equal(x, "trimmed next", x.advanceAs(r).Trimmed, 3)
	equal(x, "archived", x.list("q", task.Archived), []string{"07", "08", "09"})
}

func archiveClaims(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	x.must(moving(broker.Archive, "a"))
	x.claimed("archived", lasting("b"), "a")
	x.pass(time.Hour)
	equal(x, "trimmed", x.trim(broker.ArchiveLimits{Age: time.Minute}), 1)
	x.freed("trimmed")
}

func archiveOthers(x *trial) {
	for _, state := range task.States() {
		x.brought(state.String(), state)
	}
	x.pass(time.Hour)
	equal(x, "trimmed", x.trim(broker.ArchiveLimits{Age: time.Minute, Count: 1, Bytes: 1}), 1)
	for _, state := range task.States() {
		if state != task.Archived {
			x.in("after that", state, state.String())
		}
	}
}
