package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

// carryOut starts the run and shows how far it is until it has ended.
func carryOut(ctx context.Context, c *queue.Client, id string, req Request) (Report, error) {
	var opts []workflow.StartOption
	if id != "" {
		opts = append(opts, workflow.RunID(id))
	}
	r, err := Count.Start(ctx, c, req, opts...)
	if err != nil {
		return Report{}, err
	}
	ended := showProgress(ctx, r)
	defer ended()
	return r.Result(ctx)
}

// showProgress keeps a line on the terminal that says how far the run is, until
// the function that it returns is called. Where the output is no terminal it
// writes nothing but the last line.
func showProgress(ctx context.Context, r workflow.Run[Report]) (ended func()) {
	began := time.Now()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				if line := progress(ctx, r); line != "" && isTerminal(os.Stderr) {
					fmt.Fprintf(os.Stderr, "\r\033[K%s", line)
				}
			}
		}
	})
	return func() {
		close(stop)
		wg.Wait()
		if isTerminal(os.Stderr) {
			fmt.Fprint(os.Stderr, "\r\033[K")
		}
		fmt.Fprintf(os.Stderr, "%s  in %v\n\n", progress(context.WithoutCancel(ctx), r), time.Since(began).Round(time.Millisecond))
	}
}

// progress returns the line: "list ✓  scan 120/168  summarize  write".
func progress(ctx context.Context, r workflow.Run[Report]) string {
	s, err := r.Status(ctx)
	if err != nil {
		return ""
	}
	parts := []string{"run " + s.ID + ":"}
	for _, step := range s.Steps {
		switch {
		case step.Failed > 0:
			parts = append(parts, step.Name+" ✗")
		case step.Known && step.Ended == step.Width:
			parts = append(parts, step.Name+" ✓")
		case step.Width > 1:
			parts = append(parts, fmt.Sprintf("%s %d/%d", step.Name, step.Ended, step.Width))
		default:
			parts = append(parts, step.Name)
		}
	}
	return strings.Join(parts, "  ")
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// observer logs what happens to each task, if asked to.
func observer(verbose bool) queue.Observer {
	if !verbose {
		return nil
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	return func(ctx context.Context, e queue.Event) {
		log.InfoContext(ctx, e.Kind.String(), "id", e.Entry.ID)
	}
}
