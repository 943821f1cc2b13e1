package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A doctor looks at one storage, and notes what it finds.
type doctor struct {
	broker    broker.Broker
	inspector *queue.Inspector
	deep      bool

	queues   []queue.QueueInfo
	servers  []broker.Server
	findings []finding
}

const (
	farAway     = 50 * time.Millisecond // a round trip that takes longer slows everything down
	clocksApart = time.Second
	fullMemory  = 0.8 // of what the storage may have
	manyAt      = 100_000
	manyEnded   = 10_000 // archived tasks of a queue
)

func newDoctor(b broker.Broker, deep bool) *doctor {
	return &doctor{broker: b, inspector: queue.NewInspector(b), deep: deep}
}

// examine makes all checks, in order. One that cannot be made is a finding, too, and if
// the storage does not answer there is no other.
func (d *doctor) examine(ctx context.Context) {
	if !d.connection(ctx) {
		return
	}
	for _, check := range []struct {
		code string
		make func(context.Context) error
	}{
		{"storage", d.storage}, {"queues", d.readQueues}, {"servers", d.served}, {"archived", d.archived},
		{"entries", d.entries}, {"runs", d.stuck}, {"invariants", d.invariants},
	} {
		if err := check.make(ctx); err != nil {
			d.add(finding{Code: check.code, Level: levelWarning, Text: "cannot be examined: " + err.Error()})
		}
	}
}

func (d *doctor) add(f finding) { d.findings = append(d.findings, f) }

func (d *doctor) ok(code, text string, args ...any) {
	d.add(finding{Code: code, Level: levelOK, Text: fmt.Sprintf(text, args...)})
}

func (d *doctor) warn(code, subject, text, remedy string) {
	d.add(finding{Code: code, Level: levelWarning, Subject: subject, Text: text, Remedy: remedy})
}

// connection reports whether the storage answers.
func (d *doctor) connection(ctx context.Context) bool {
	best := time.Duration(0)
	for n := range 5 {
		start := time.Now()
		if err := d.broker.Ping(ctx); err != nil {
			d.add(finding{
				Code: "connection", Level: levelBroken, Text: "the storage does not answer: " + err.Error(),
				Remedy: "see \"leat config\" for what it is, and whether it runs",
			})
			return false
		}
		if took := time.Since(start); n == 0 || took < best {
			best = took
		}
	}
	if best > farAway {
		d.warn("connection", "", fmt.Sprintf("the storage answers, but takes %v", best.Round(time.Millisecond)), "have servers and storage near each other")
		return true
	}
	d.ok("connection", "the storage answers in %v", best.Round(10*time.Microsecond))
	return true
}

// storage looks at what the storage tells of itself.
func (d *doctor) storage(ctx context.Context) error {
	about, err := d.inspector.Describe(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	version := about.Kind + " " + about.Version
	if schema := about.Facts["schema_version"]; schema != "" {
		version += ", schema version " + schema
	}
	d.ok("version", "%s", version)
	d.memory(about)
	switch about.Persistence {
	case "":
	case "none":
		d.warn("persistence", "", "nothing survives a restart of the storage", "turn on appendonly, with appendfsync everysec")
	default:
		d.ok("persistence", "what is stored survives: %s", about.Persistence)
	}
	switch offset := about.ClockOffset.Abs() - about.ClockDoubt; {
	case about.ClockDoubt == 0:
	case offset > clocksApart:
		d.warn("clock", "", fmt.Sprintf("the clocks of the storage and of this machine are %v apart", about.ClockOffset.Round(time.Millisecond)), "have both keep time by NTP")
	default:
		d.ok("clock", "the clocks agree")
	}
	if about.Events {
		d.ok("events", "what happens to tasks is kept for a while")
	} else {
		d.ok("events", "what happens to tasks is not kept: \"leat tail\" sees less")
	}
	return nil
}

// memory looks at how much there is, and what becomes of tasks when there is none left.
func (d *doctor) memory(about broker.About) {
	if about.Eviction != "" && about.Eviction != "noeviction" {
		d.add(finding{
			Code: "eviction", Level: levelBroken, Text: "a storage that is full throws tasks away: maxmemory-policy is " + about.Eviction,
			Remedy: "CONFIG SET maxmemory-policy noeviction, and in its configuration",
		})
	} else if about.Eviction != "" {
		d.ok("eviction", "a storage that is full refuses tasks, and keeps those it has")
	}
	if about.MaxMemory <= 0 {
		return
	}
	text := fmt.Sprintf("%s of %s are taken", quantity.Bytes(about.Memory), quantity.Bytes(about.MaxMemory))
	if float64(about.Memory) > fullMemory*float64(about.MaxMemory) {
		d.warn("memory", "", text, "give it more, or keep fewer tasks: \"leat queue ls\" shows where they are")
		return
	}
	d.ok("memory", "%s", text)
}

// readQueues looks for queues that cannot be read or that are paused.
func (d *doctor) readQueues(ctx context.Context) error {
	queues, broken, err := d.inspector.Survey(ctx)
	if err != nil {
		return err
	}
	d.queues = queues
	for name, why := range broken {
		d.add(finding{Code: "queues", Level: levelBroken, Subject: "queue " + name, Text: why.Error(), Remedy: "something else has written its keys: remove that"})
	}
	for _, q := range queues {
		if q.Paused {
			d.warn("paused", "queue "+q.Queue, fmt.Sprintf("is paused, and has %d tasks", q.Size()), "leat queue resume "+q.Queue)
		}
	}
	d.ok("queues", "%d queues can be read", len(queues))
	return nil
}

// served looks for queues in which tasks wait and that nobody serves, and for tasks whose
// worker is lost.
func (d *doctor) served(ctx context.Context) (err error) {
	if d.servers, err = d.inspector.Servers(ctx); err != nil {
		return err
	}
	d.ok("servers", "%d servers are alive", len(d.servers))
	for _, q := range d.queues {
		serves := func(s broker.Server) bool { _, serves := s.Queues[q.Queue]; return serves }
		if waiting := q.Pending + q.Scheduled + q.Retry + q.Aggregating; waiting > 0 && !slices.ContainsFunc(d.servers, serves) {
			d.warn("unserved", "queue "+q.Queue, fmt.Sprintf("%d tasks wait, and no server serves it", waiting), "start a server that serves it")
		}
		if err := d.orphans(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// orphans looks for tasks of a queue whose worker is lost, among the first that are active.
func (d *doctor) orphans(ctx context.Context, q queue.QueueInfo) error {
	if q.Active == 0 {
		return nil
	}
	stored, err := d.broker.List(ctx, broker.ListRequest{Queue: q.Queue, State: task.Active, Limit: broker.MaxParts})
	if err != nil {
		return err
	}
	now, lost := time.Now(), 0
	for _, s := range stored {
		if queue.InfoOf(now, s).IsOrphaned {
			lost++
		}
	}
	if lost > 0 {
		d.warn("orphaned", "queue "+q.Queue, fmt.Sprintf("%d active tasks have no worker any more", lost), "a server of the queue takes them back within seconds; or: leat task recover")
	}
	return nil
}

// archived looks for queues in which many tasks have been given up.
func (d *doctor) archived(context.Context) error {
	for _, q := range d.queues {
		if q.Archived >= manyEnded {
			d.warn("archived", "queue "+q.Queue, fmt.Sprintf("%d tasks are archived", q.Archived),
				"look at them (leat task ls -q "+q.Queue+" -s archived), and run or delete them; or have servers keep fewer")
		}
	}
	return nil
}

// entries looks for periodic entries that are late, or that nobody runs.
func (d *doctor) entries(ctx context.Context) error {
	infos, broken, err := periodic.NewInspector(d.broker).Survey(ctx)
	if err != nil {
		return err
	}
	for name, why := range broken {
		d.add(finding{Code: "entries", Level: levelBroken, Subject: "entry " + name, Text: why.Error(), Remedy: "leat periodic rm " + name})
	}
	for _, i := range infos {
		switch {
		case i.Paused != nil:
		case len(i.RunBy) == 0:
			d.warn("schedulers", "entry "+i.Name, "no scheduler runs it any more", "start one, or: leat periodic rm "+i.Name)
		case i.Late:
			d.warn("late", "entry "+i.Name, "its tick of "+quantity.Time(i.Next)+" has not been enqueued", "see whether its schedulers reach the storage")
		}
	}
	d.ok("entries", "%d periodic entries can be read", len(infos))
	return nil
}

// stuck looks for runs of which something could not be undone.
func (d *doctor) stuck(ctx context.Context) error {
	c := queue.NewClient(d.broker)
	for _, q := range d.queues {
		n, err := workflow.CountRuns(ctx, c, workflow.RunsRequest{Queue: q.Queue, State: workflow.Stuck}, broker.MaxParts)
		if err != nil {
			return err
		}
		if n > 0 {
			d.warn("stuck", "queue "+q.Queue, fmt.Sprintf("%d runs are stuck: something could not be undone", n), "leat workflow ls --state stuck, mend what failed, and: leat workflow resume")
		}
	}
	return nil
}

// invariants looks whether what is stored contradicts itself. What changes meanwhile may
// look as if it did, so that only what is found twice counts.
func (d *doctor) invariants(ctx context.Context) error {
	size := 0
	for _, q := range d.queues {
		size += q.Size()
	}
	if size > manyAt && !d.deep {
		d.ok("invariants", "%d tasks are too many to look at each: --deep", size)
		return nil
	}
	faults, err := d.inspector.Verify(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if len(faults) > 0 && err == nil {
		var again []string
		again, err = d.inspector.Verify(ctx)
		faults = slices.DeleteFunc(faults, func(f string) bool { return !slices.Contains(again, f) })
	}
	if err != nil {
		return err
	}
	for _, f := range faults {
		d.add(finding{Code: "invariants", Level: levelBroken, Text: f, Remedy: "leat doctor --mend says whether there is a plain remedy"})
	}
	if len(faults) == 0 {
		d.ok("invariants", "nothing that is stored contradicts itself")
	}
	return nil
}
