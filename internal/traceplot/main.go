// Traceplot runs a program, receives the spans that it and its processes export, and draws
// them as a waterfall.
//
//	go run ./internal/traceplot -title TITLE -out FILE.svg PROGRAM [ARGUMENT ...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
)

func main() {
	title := flag.String("title", "", "what the picture shows")
	out := flag.String("out", "", "the file that is written")
	within := flag.Duration("within", 2*time.Minute, "how long the program may take")
	flag.Parse()
	ctx, stop := context.WithTimeout(context.Background(), *within)
	defer stop()
	if err := run(ctx, *title, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "traceplot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, title, out string, program []string) error {
	if out == "" || len(program) == 0 {
		return errors.New("name a file and a program")
	}
	spans, err := record(ctx, program)
	if err != nil {
		return err
	}
	if faults := tracetree.Check(spans); faults != nil {
		return errors.New(strings.Join(faults, "\n"))
	}
	svg, err := plot(title, spans)
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(svg), 0o644)
}

// record runs a program to its end, and returns the spans that were exported meanwhile.
func record(ctx context.Context, program []string) ([]tracetree.Span, error) {
	r, err := tracetest.Listen()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c := exec.CommandContext(ctx, program[0], program[1:]...)
	c.Env = append(os.Environ(), r.Env("traceplot")...)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(program, " "), err)
	}
	return r.Spans(), nil
}
