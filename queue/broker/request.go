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
	for _, w := range r.Pass {
		k.made("LeaseRequest.Pass", strings.TrimSuffix(w.Queue, groups))
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
	if r.Keep.Count < 0 || r.Keep.Age < 0 || r.Keep.Bytes < 0 {
		k.refuse("AdvanceRequest.Keep", r.Keep, "must not be negative")
	}
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
	k.group("ListRequest", r.State, r.Group)
	if r.Offset < 0 {
		k.refuse("ListRequest.Offset", r.Offset, "must not be negative")
	}
	if r.Limit < 0 {
		k.refuse("ListRequest.Limit", r.Limit, "must not be negative")
	}
	return k.refusal()
}

// Check returns what makes no sense in r, which [Operator].Gather is called
// with, as rule 6 of the package comment has it, or nil.
func (r GatherRequest) Check() error {
	var k checker
	k.made("GatherRequest.Queue", r.Queue)
	k.made("GatherRequest.Group", r.Group)
	k.made("GatherRequest.Token", r.Token)
	if r.MaxSize < 1 || r.MaxSize > MaxBatch {
		k.refuse("GatherRequest.MaxSize", r.MaxSize, fmt.Sprintf("must be 1 to %d", MaxBatch))
	}
	if r.Grace < 0 {
		k.refuse("GatherRequest.Grace", r.Grace, "must not be negative")
	}
	if r.MaxDelay < 0 {
		k.refuse("GatherRequest.MaxDelay", r.MaxDelay, "must not be negative")
	}
	if r.MaxBytes < 0 {
		k.refuse("GatherRequest.MaxBytes", r.MaxBytes, "must not be negative")
	}
	return k.refusal()
}

// Check returns what makes no sense in r, which [Operator].Joined is called with,
// as rule 6 of the package comment has it, or nil. What After says is the broker's
// own affair.
func (r JoinedRequest) Check() error {
	var k checker
	k.made("JoinedRequest.Queue", r.Queue)
	k.limit("JoinedRequest.Limit", r.Limit)
	return k.refusal()
}

// CheckReport returns what makes no sense in a call of [Operator].Report, as rule
// 6 of the package comment has it, or nil.
func CheckReport(reports []Progress) error {
	var k checker
	for _, r := range reports {
		k.ref("Progress", r.EntryRef)
		if len(r.Data) > MaxProgress {
			k.refuse("Progress.Data", len(r.Data), fmt.Sprintf("is larger than %d bytes", MaxProgress))
		}
	}
	return k.refusal()
}

// Check returns what makes no sense in r, which [Operator].Sweep is called with,
// as rule 6 of the package comment has it, or nil.
func (r SweepRequest) Check() error {
	var k checker
	k.made("SweepRequest.Queue", r.Queue)
	if r.State == task.Active || r.Do == Reschedule || !r.Do.From(r.State) {
		k.refuse("SweepRequest.Do", r.Do.String(), fmt.Sprintf("is not done to all that are %s", r.State))
	}
	k.group("SweepRequest", r.State, r.Group)
	if r.Limit < 1 || r.Limit > MaxSweep {
		k.refuse("SweepRequest.Limit", r.Limit, fmt.Sprintf("must be 1 to %d", MaxSweep))
	}
	return k.refusal()
}

// CheckQueue returns what makes no sense in a call about one queue, as rule 6 of
// the package comment has it, or nil.
func CheckQueue(queue string) error {
	var k checker
	k.made("Queue", queue)
	return k.refusal()
}

// CheckHistory returns what makes no sense in a call of [Operator].History, as
// rule 6 of the package comment has it, or nil.
func CheckHistory(queue string, days int) error {
	var k checker
	k.made("Queue", queue)
	if days < 1 || days > MaxHistory {
		k.refuse("Days", days, fmt.Sprintf("must be 1 to %d", MaxHistory))
	}
	return k.refusal()
}

// group checks that a group is named where it has to be, and nowhere else.
func (k *checker) group(field string, state task.State, group string) {
	switch {
	case state == task.Aggregating:
		k.made(field+".Group", group)
	case group != "":
		k.refuse(field+".Group", group, "is only for those that are aggregating")
	}
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
