package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A call is what one process of the bench is told to do. Every measurement is
// made in a process of its own, so that what that costs is one system's alone.
type call struct {
	Act    string
	System string
	Where  string // a URL, a path, or what else the system is opened with
	Redis  string // address of the Redis whose costs are to be read, if any

	Tasks       int // how many are measured
	Waiting     int // how many are waiting in all; 0: Tasks
	Times       int // how often it is done, of which the median counts; 0: once
	Queues      int // how many are served
	Loaded      int // how many of these hold work
	Payload     int // bytes
	Concurrency int
	Goroutines  int
	Batch       int // tasks in one call
	For         time.Duration
	Settle      time.Duration // how long a server is left alone at first
	Least, Most time.Duration // of a random time
	Width       int           // of a map
	Groups      int           // that the tasks join
	Full        int           // tasks that are a batch at once
	Grace       time.Duration // for how long a group waits that is not full
	Loud        bool          // the system logs as it does by itself
	Block       bool          // handlers do not return
	Quiet       bool          // a worker tells nothing of its tasks
}

// A reading is what one measurement came to: quantities by their names, and
// what was measured one by one, in seconds.
type reading struct {
	Values  map[string]float64 `json:",omitempty"`
	Samples []float64          `json:",omitempty"`
}

// acts are what a process of the bench can do.
var acts = map[string]func(context.Context, call, system) (reading, error){
	"drain":         drain,
	"enqueue":       enqueue,
	"bytes":         weigh,
	"pick up":       pickUp,
	"late":          late,
	"chain":         chain,
	"fan out":       fanOut,
	"hand off":      handOff,
	"fold":          foldAll,
	"fold late":     foldLate,
	"bytes of runs": weighRuns,
	"work":          work,
}

// callVariable hands a process its call.
const callVariable = "LEAT_BENCH_CALL"

// ask makes c in a process of its own.
func ask(ctx context.Context, c call) (reading, error) {
	cmd, err := command(ctx, c)
	if err != nil {
		return reading{}, err
	}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	alive, err := cmd.StdinPipe()
	if err != nil {
		return reading{}, err
	}
	defer alive.Close()
	var r reading
	if err = cmd.Run(); err == nil {
		err = json.Unmarshal(out.Bytes(), &r)
	}
	if err != nil {
		return r, fmt.Errorf("%s of %s: %w\n%s", c.Act, c.System, err, complaints.Bytes())
	}
	return r, nil
}

// command returns this program again, told to make c.
func command(ctx context.Context, c call) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), callVariable+"="+string(text))
	return cmd, nil
}

// answer makes the call that this process was started for, and prints what it
// came to. It does not outlive the process that started it.
func answer(ctx context.Context, text string, in io.Reader, out io.Writer) error {
	var c call
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	act, known := acts[c.Act]
	if !known {
		return fmt.Errorf("no such act: %q", c.Act)
	}
	ctx, stop := context.WithCancelCause(ctx)
	go func() { // until the process ends
		io.Copy(io.Discard, in) //nolint:errcheck // either way it has ended
		stop(errors.New("the bench is gone"))
	}()
	s, err := open(ctx, c)
	if err != nil {
		return err
	}
	r, err := act(ctx, c, s)
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}
