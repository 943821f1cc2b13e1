package peers

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A relay is three processes that hand an order on: the shop enqueues "charge" in the
// queue "orders", whose worker enqueues "ship" in the queue "shipping".
type relay struct {
	*bench
	spans *tracetest.Receiver
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	spans, err := tracetest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(spans.Close)
	return &relay{newBench(t), spans}
}

// A post is a process of a relay.
type post struct {
	*relay
	cmd  *exec.Cmd
	name string
	stop func() error // has it end by itself
	gone chan error
}

// start starts the process that is called name, as code of one side.
func (r *relay) start(name string, s side, env ...string) *post {
	r.Helper()
	self, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	p := &post{relay: r, cmd: exec.Command(self), name: name, gone: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), r.spans.Env(name+" of "+s.name)...)
	p.cmd.Env = append(append(p.cmd.Env, postName+"="+name, workerSide+"="+s.name, workerURL+"="+r.url), env...)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		r.Fatal(err)
	}
	p.stop = in.Close
	go func() { p.gone <- p.cmd.Wait() }()
	r.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it may have ended
	return p
}

// end has the process end, with all its spans exported.
func (p *post) end() {
	p.Helper()
	p.must(p.stop())
	select {
	case err := <-p.gone:
		p.must(err)
	case <-time.After(soon):
		p.Fatalf("%s does not end", p.name)
	}
}

// want fails the test unless the spans are those of the golden file, once so many are
// there.
func (r *relay) want(n int, file string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), soon)
	defer cancel()
	spans, err := r.spans.Await(ctx, func(s []tracetree.Span) bool { return len(s) >= n })
	print := tracetree.Printer{Services: []string{"POST", "enqueue", "send", "run", "process", "task", "wait"}, Attributes: []string{
		"messaging.operation.name", "messaging.destination.name", "leat.task.type", "leat.task.attempt", "leat.wait.reason", "leat.outcome", "error.type", "tenant",
	}}
	got := print.Print(spans)
	if err != nil {
		r.Errorf("%v:\n%s", err, got)
	}
	if faults := tracetree.Check(spans); len(faults) > 0 {
		r.Errorf("faults of the spans:\n%s\n%s", strings.Join(faults, "\n"), got)
	}
	tracetest.Golden(r.TB.(*testing.T), "testdata/trace/"+file, got)
}

// processed waits until so many outcomes are recorded in a queue.
func (r *relay) processed(queue string, n int) {
	r.Helper()
	r.eventually(soon, "the queue "+queue+" is done with", func() bool {
		time.Sleep(20 * time.Millisecond)
		counts, err := r.broker.Counts(r.Context(), time.Now(), queue)
		return err == nil && counts[0].ProcessedTotal == n
	})
}

func TestATraceGoesThroughAWorkerOfAsynqOnRedis(t *testing.T) {
	newRelay(t).through(leat, peer, leat, "asynq-in-the-middle.txt")
}

func TestATraceGoesThroughAWorkerOfLeatOnRedis(t *testing.T) {
	newRelay(t).through(peer, leat, peer, "leat-in-the-middle.txt")
}

// through has an order handed on from the first side to the second and from that to the
// third.
func (r *relay) through(shop, middle, last side, file string) {
	r.Helper()
	orders, shipping := r.start("orders", middle), r.start("shipping", last)
	r.start("shop", shop).end()
	r.processed("orders", 1)
	r.processed("shipping", 1)
	orders.end()
	shipping.end()
	r.want(6, file)
}

func TestATraceGoesOnWithLeatWhereAsynqHasFailedOnRedis(t *testing.T) {
	r := newRelay(t)
	r.start("shop", leat).end()
	orders := r.start("orders", peer, postFails+"=1")
	r.processed("orders", 1)
	orders.end()
	done, err := r.ours.Bulk(r.Context(), queue.BulkRequest{Queue: "orders", State: task.Retry, Do: broker.Run})
	if err != nil || done.Done != 1 {
		r.Fatalf("of the orders that wait %d were made ready, %v", done.Done, err)
	}
	orders, shipping := r.start("orders", leat), r.start("shipping", leat)
	r.processed("orders", 2)
	r.processed("shipping", 1)
	orders.end()
	shipping.end()
	r.want(10, "asynq-fails-leat-goes-on.txt")
}
