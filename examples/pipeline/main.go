// Pipeline counts what is in a folder: it lists the text files, looks into many
// at a time, joins what was found, and writes report.html. It does so as one
// workflow run, so it can be killed and started again with the same -run: what
// was recorded is not done twice.
//
//	go run ./examples/pipeline                                  # this folder, in memory
//	go run ./examples/pipeline -broker sqlite:p.db -run monday ~/src
//	go run ./examples/pipeline -broker redis://localhost:6379/0 ~/src
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

func main() {
	url := flag.String("broker", "memory:", "where tasks are kept: "+brokerurl.Forms)
	id := flag.String("run", "", "id of the run; the same id again goes on with it")
	out := flag.String("out", "report.html", "where the report goes")
	verbose := flag.Bool("v", false, "log what happens to each task")
	flag.Parse()
	folder := cmp.Or(flag.Arg(0), ".")
	if flag.NArg() > 1 {
		fmt.Fprintf(os.Stderr, "pipeline: one folder, please, and flags before it: %q\n", flag.Args())
		os.Exit(2)
	}
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url, *id, folder, *out, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

// run starts a server in this process, has it carry out one run, and prints what
// came of it.
func run(ctx context.Context, url, id, folder, out string, verbose bool) error {
	req, err := newRequest(folder, out)
	if err != nil {
		return err
	}
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()

	mux := task.NewMux()
	workflow.Register(mux, Count)
	srv, err := queue.NewServer(b, queue.Config{
		Concurrency:    8,
		Queues:         map[string]int{queueName: 1},
		LeaseDuration:  2 * time.Second, // a killed run is taken up again after that
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Second },
		Observer:       observer(verbose),
	})
	if err != nil {
		return err
	}
	if err := srv.Start(mux); err != nil {
		return err
	}
	report, err := carryOut(ctx, queue.NewClient(b), id, req)
	if err := errors.Join(err, srv.Shutdown(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	report.print(os.Stdout)
	fmt.Printf("\nThe same as a page: %s\n", req.Out)
	return nil
}
