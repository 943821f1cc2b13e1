package broker

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leatwork/leat/task"
)

// Check returns what makes no sense in r, which [Broker.Apply] is called with, as
// rule 6 of the package comment has it, or nil.
func (r LeaseRequest) Check() error {
	var k checker
	if r.Max < 0 || r.Max > MaxParts {
		k.refuse("LeaseRequest.Max", r.Max, fmt.Sprintf("must be 0 to %d", MaxParts))
	}
	for _, q := range r.Queues {
		k.made("LeaseRequest.Queues", q.Queue)
	}
	return k.refusal()
}

// CheckExtend returns what makes no sense in a call of [Broker.Extend], as
// rule 6 of the package comment has it, or nil.
func CheckExtend(leases []LeaseRef) error {
	var k checker
	for _, l := range leases {
		k.ref("Lease", l.EntryRef)
	}
	return k.refusal()
}

// Check returns what makes no sense in r, which [Broker.Advance] is called with, as
// rule 6 of the package comment has it, or nil.
func (r AdvanceRequest) Check() error {
	var k checker
	if r.Limit < 1 {
		k.refuse("AdvanceRequest.Limit", r.Limit, "must be at least 1")
	}
	k.names("AdvanceRequest.Queues", r.Queues)
	return k.refusal()
}

// CheckDocuments returns what makes no sense in a call of [Broker.Documents], as
// rule 6 of the package comment has it, or nil.
func CheckDocuments(home Home, keys []string) error {
	var k checker
	k.at(home)
	k.names("Key", keys)
	return k.refusal()
}

// CheckLatches returns what makes no sense in a call of [Broker.Latches], as
// rule 6 of the package comment has it, or nil.
func CheckLatches(home Home, ids []string) error {
	var k checker
	k.at(home)
	k.names("Latch", ids)
	return k.refusal()
}

// CheckEntry returns what makes no sense in a call of [Broker.Entry], as
// rule 6 of the package comment has it, or nil.
func CheckEntry(ref EntryRef) error {
	var k checker
	k.ref("Entry", ref)
	return k.refusal()
}

// Check returns what makes no sense in r, which [Broker.List] is called with, as
// rule 6 of the package comment has it, or nil.
func (r ListRequest) Check() error {
	var k checker
	k.made("ListRequest.Queue", r.Queue)
	if !slices.Contains(task.States(), r.State) {
		k.refuse("ListRequest.State", int(r.State), "is no state")
	}
	if r.Offset < 0 {
		k.refuse("ListRequest.Offset", r.Offset, "must not be negative")
	}
	if r.Limit < 0 {
		k.refuse("ListRequest.Limit", r.Limit, "must not be negative")
	}
	return k.refusal()
}

// CheckCounts returns what makes no sense in a call of [Broker.Counts], as
// rule 6 of the package comment has it, or nil.
func CheckCounts(queues []string) error {
	var k checker
	k.names("Queue", queues)
	return k.refusal()
}

// Check returns what makes no sense in s, which [Broker.Beat] is called with, as
// rule 6 of the package comment has it, or nil.
func (s Server) Check() error {
	var k checker
	k.made("Server.ID", s.ID)
	if strings.ContainsAny(s.Host, "{}") || !utf8.ValidString(s.Host) {
		k.refuse("Server.Host", s.Host, "must be UTF-8 without braces")
	}
	if !utf8.ValidString(s.Status) {
		k.refuse("Server.Status", s.Status, "is not valid UTF-8")
	}
	k.small("Server.PID", s.PID)
	k.small("Server.Concurrency", s.Concurrency)
	for name, priority := range s.Queues {
		k.made("Server.Queues", name)
		k.small("Server.Queues", priority)
	}
	for _, w := range s.Workers {
		k.ref("Server.Workers", w.Entry)
		k.made("Server.Workers.Type", w.Type)
	}
	return k.refusal()
}

func (k *checker) at(home Home) {
	k.made("Home.Queue", home.Queue)
	k.made("Home.ID", home.ID)
}

func (k *checker) names(field string, names []string) {
	for _, name := range names {
		k.made(field, name)
	}
}

// small refuses a number that asynq's records have no room for.
func (k *checker) small(field string, n int) {
	if n > math.MaxInt32 || n < math.MinInt32 {
		k.refuse(field, n, "is out of range")
	}
}

// refusal returns the faults of a call.
func (k *checker) refusal() error {
	if len(k.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrRefused, errors.Join(k.faults...))
}
