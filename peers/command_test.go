package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheCommandTellsAndDoesWhatAsynqsInspectorSeesOnRedis runs the command leat, as it is
// built from this repository, against what asynq has written, and compares what it tells, and
// what it has done, with what asynq's inspector does.
func TestTheCommandTellsAndDoesWhatAsynqsInspectorSeesOnRedis(t *testing.T) {
	t.Parallel()
	program := buildCommand(t)
	t.Run("tells", func(t *testing.T) {
		t.Parallel()
		told := setOffice(t, program)
		for name, compare := range tellings {
			t.Run(name, func(t *testing.T) { compare(told.on(t)) })
		}
	})
	t.Run("does", func(t *testing.T) {
		t.Parallel()
		for name, do := range doings {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				do(&shell{bench: newBench(t), program: program})
			})
		}
	})
}

// buildCommand builds the command leat.
func buildCommand(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "leat")
	build := exec.CommandContext(t.Context(), "go", "-C", "..", "build", "-buildvcs=false", "-o", program, "./cmd/leat")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./cmd/leat: %v\n%s", err, said)
	}
	return program
}

// patient is how long a command may take on a machine on which much else is run.
const patient = time.Minute

// A shell is where the command is run, beside a bench.
type shell struct {
	*bench
	program string
}

// on returns the shell for a test within the one that it was made for.
func (s *shell) on(t *testing.T) *shell {
	x := *s.bench
	x.TB = t
	return &shell{bench: &x, program: s.program}
}

// call runs the command, which says with -u, as asynq's did, where Redis is, and returns
// what it writes, what it says beside that, and its exit code.
func (s *shell) call(args ...string) (out, said string, code int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patient)
	defer cancel()
	c := exec.CommandContext(ctx, s.program, append([]string{"-u", s.peer.Addr}, args...)...)
	c.Dir = s.TempDir()
	c.Env = []string{"HOME=" + c.Dir, "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) || ctx.Err() != nil {
		s.Fatalf("leat %s: %v, %v", strings.Join(args, " "), err, ctx.Err())
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// leat runs the command, which must succeed, and returns what it writes.
func (s *shell) leat(args ...string) string {
	s.Helper()
	out, said, code := s.call(args...)
	if code != 0 {
		s.Fatalf("leat %s exits with %d: %s", strings.Join(args, " "), code, said)
	}
	return out
}

// wantExit fails the test unless the command exits with a code, writes nothing, and says
// something that has the text.
func (s *shell) wantExit(want int, text string, args ...string) {
	s.Helper()
	out, said, code := s.call(args...)
	if code != want || out != "" || !strings.Contains(said, text) {
		s.Errorf("leat %s exits with %d, writes %q and says %q, want %d and %q", strings.Join(args, " "), code, out, said, want, text)
	}
}

// lines returns the lines that the command writes.
func (s *shell) lines(args ...string) []string {
	s.Helper()
	return strings.Split(strings.TrimSuffix(s.leat(args...), "\n"), "\n")
}

// wantRows fails the test unless the table that the command writes has a row for each of the
// wanted ones, in their order, and no other. A row has the words of the wanted one among its
// own, in their order.
func (s *shell) wantRows(want [][]string, args ...string) {
	s.Helper()
	lines := s.lines(args...)
	if len(lines) != len(want)+2 { // a heading, and what is under it
		s.Errorf("leat %s writes %d rows, want %d:\n%s", strings.Join(args, " "), len(lines)-2, len(want), strings.Join(lines, "\n"))
		return
	}
	for i, words := range want {
		rest := strings.Fields(lines[i+2])
		for _, word := range words {
			if rest = after(rest, word); rest == nil {
				s.Errorf("leat %s writes the row %q, want %q in it", strings.Join(args, " "), lines[i+2], words)
				break
			}
		}
	}
}

// after returns what is behind a word, nil if that is not there.
func after(words []string, word string) []string {
	for i, w := range words {
		if w == word {
			return append([]string{}, words[i+1:]...)
		}
	}
	return nil
}

// read returns what the command tells as JSON.
func read[T any](s *shell, args ...string) (told T) {
	s.Helper()
	parse(s, s.leat(append(args, "-o", "json")...), &told)
	return told
}

// readLines returns what the command tells as JSON, line by line.
func readLines[T any](s *shell, args ...string) (told []T) {
	s.Helper()
	for _, line := range s.lines(append(args, "-o", "jsonl")...) {
		told = append(told, *new(T))
		parse(s, line, &told[len(told)-1])
	}
	return told
}

func parse(s *shell, text string, into any) {
	s.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		s.Fatalf("%v in %s", err, text)
	}
}

// wantSame fails the test unless the command tells what asynq does. asynq is asked before and
// after, and that again until what it tells has not changed meanwhile.
func wantSame[T any](s *shell, what string, asynqs, leats func() T) {
	s.Helper()
	var before, told T
	s.eventually(patient, what+" stays the same for a moment", func() bool {
		before = asynqs()
		told = leats()
		return same(before, asynqs()) == ""
	})
	if diff := same(before, told); diff != "" {
		s.Errorf("%s, as asynq tells it and as leat does (-asynq +leat):\n%s", what, diff)
	}
}

// seconds returns a duration from what JSON has.
func seconds(n float64) time.Duration {
	return time.Duration(n * float64(time.Second)).Round(time.Millisecond)
}
