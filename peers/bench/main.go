// Bench measures Leat beside asynq, and River if PostgreSQL is installed, and
// prints what came of it as a page of Markdown.
//
//	go -C peers run ./bench                      # everything, in about 20 minutes
//	go -C peers run ./bench -short               # less of it, in about 3
//	go -C peers run ./bench -only drain,batch    # some of it
//
// It starts servers of its own, which end with it. The systems take turns, round
// by round, so that what else the machine does meets all of them alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := bench
	if text, told := os.LookupEnv(callVariable); told {
		run = func(ctx context.Context, _ options) error { return answer(ctx, text, os.Stdin, os.Stdout) }
	}
	if err := run(ctx, parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	rounds int
	short  bool
	only   string
	out    string
	effort float64

	command string // for whoever wants to repeat it
}

func parseFlags() options {
	var o options
	flag.IntVar(&o.rounds, "rounds", 0, "how often each system is measured; 0: 5, or 2 if short")
	flag.BoolVar(&o.short, "short", false, "do less of everything")
	flag.StringVar(&o.only, "only", "", "measure only these, separated by commas: "+strings.Join(names(), ", "))
	flag.StringVar(&o.out, "out", "", "file to write the page to; by default ../docs/benchmarks.md, or none if not everything is measured")
	flag.Parse()
	o.command = strings.Join(append([]string{"go -C peers run ./bench"}, os.Args[1:]...), " ")
	return o.withDefaults()
}

func (o options) withDefaults() options {
	rounds, effort := 5, 1.0
	if o.short {
		rounds, effort = 2, 0.2
	}
	if o.rounds == 0 {
		o.rounds = rounds
	}
	if o.effort == 0 {
		o.effort = effort
	}
	if o.out == "" && !o.short && o.only == "" {
		o.out = "../docs/benchmarks.md"
	}
	return o
}

// bench measures what it is told, and prints and writes the page.
func bench(ctx context.Context, o options) error {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	page := report{place: here(), command: o.command, rounds: o.rounds}
	l, err := openLab(ctx, o.effort)
	if err != nil {
		return err
	}
	defer l.close()
	page.missing = l.missing
	page.results, err = l.measureAll(ctx, chosen, o.rounds)
	if page.results == nil {
		return err
	}
	page.failed = err
	fmt.Print(page.page("benchmarks"))
	if o.out != "" {
		err = errors.Join(err, page.write(o.out))
	}
	return err
}
