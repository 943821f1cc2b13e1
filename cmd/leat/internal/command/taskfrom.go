package command

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

const (
	perBatch    = 1000     // tasks are enqueued together
	longestLine = 64 << 20 // bytes
)

// An imported is what came of reading tasks from a file.
type imported struct {
	Enqueued int         `json:"enqueued"`
	Failed   int         `json:"failed"`
	Errors   []lineFault `json:"errors"`
}

// A lineFault is what is wrong with a line.
type lineFault struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// An importer enqueues the tasks of a file, in batches.
type importer struct {
	*app
	client  *queue.Client
	kind    string // if not empty, whatever lines say
	options []task.Option

	tasks   []*task.Task
	lines   []int // where each of tasks stands
	refused error // the last one
	imported
}

// enqueueFrom enqueues a task for each line of a file.
func (a *app) enqueueFrom(ctx context.Context, file, kind string, options []task.Option) error {
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	m := &importer{app: a, client: c, kind: kind, options: options, imported: imported{Errors: []lineFault{}}}
	return m.report(m.read(ctx, in))
}

// read enqueues what is in the file, until ctx ends.
func (m *importer) read(ctx context.Context, in io.Reader) error {
	bar := output.NewBar(&m.Printer, "enqueuing", 0)
	defer bar.End()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		t, err := taskOfLine(line, m.kind, m.options)
		if err != nil {
			m.refuse(number, err)
			continue
		}
		m.tasks, m.lines = append(m.tasks, t), append(m.lines, number)
		if len(m.tasks) == perBatch {
			if m.send(ctx); ctx.Err() != nil {
				return fmt.Errorf("stopped behind line %d", number)
			}
			bar.Set(m.Enqueued)
		}
	}
	if err := lines.Err(); err != nil {
		m.send(ctx)
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	m.send(ctx)
	return nil
}

// send enqueues the tasks that have been read. Where the program is to end, they are
// enqueued first, so that it is known which were.
func (m *importer) send(ctx context.Context) {
	for n, e := range m.client.EnqueueMany(context.WithoutCancel(ctx), m.tasks) {
		if e.Err != nil {
			m.refuse(m.lines[n], e.Err)
			continue
		}
		m.Enqueued++
	}
	m.tasks, m.lines = nil, nil
}

func (m *importer) refuse(line int, err error) {
	m.Failed++
	m.refused = err
	m.Errors = append(m.Errors, lineFault{line, err.Error()})
	m.complain(fmt.Errorf("line %d: %w", line, err))
}

// report says what was enqueued.
func (m *importer) report(failure error) error {
	var err error
	if m.Format.ForPeople() {
		err = m.Done("%s enqueued", plural(m.Enqueued, "task"))
	} else {
		err = output.One(&m.Printer, output.Record[imported]{ID: func(i imported) string { return fmt.Sprint(i.Enqueued) }}, m.imported)
	}
	switch {
	case failure != nil && m.Enqueued > 0:
		return coded{failure, errPartly}
	case failure != nil:
		return failure
	case m.Failed > 0 && m.Enqueued > 0:
		return fmt.Errorf("%w, %w", errPartly, errSaid)
	case m.Failed > 0:
		return coded{m.refused, errSaid}
	}
	return err
}

// taskOfLine returns the task that a line describes, as view.Task is written: what it is
// to do and how, and not what became of it.
func taskOfLine(line []byte, kind string, options []task.Option) (*task.Task, error) {
	var v view.Task
	given := map[string]json.RawMessage{}
	if err := errors.Join(json.Unmarshal(line, &given), json.Unmarshal(line, &v)); err != nil {
		return nil, fmt.Errorf("%w: %w", task.Invalid("line", string(line[:min(len(line), 60)]), "is no task in JSON"), err)
	}
	if kind != "" {
		v.Type = kind
	}
	has := func(name string) bool { _, ok := given[name]; return ok }
	return task.New(v.Type, payloadOf(v, has("payload_bytes")), append(optionsOf(v, has), options...)...), nil
}

// payloadOf returns the payload. A text may have been JSON, of a text, itself: how long it
// was tells.
func payloadOf(v view.Task, sized bool) []byte {
	payload := bytesOf(v.Payload, v.PayloadBase64)
	if sized && len(v.Payload) > 0 && v.Payload[0] == '"' && len(payload) != v.PayloadBytes {
		return v.Payload
	}
	return payload
}

// optionsOf returns what v says of a task.
func optionsOf(v view.Task, has func(field string) bool) (options []task.Option) {
	add := func(is bool, o task.Option) {
		if is {
			options = append(options, o)
		}
	}
	add(v.ID != "", task.ID(v.ID))
	add(v.Queue != "", task.Queue(v.Queue))
	add(has("max_retry"), task.MaxRetry(v.MaxRetry))
	add(v.Group != "", task.Group(v.Group))
	add(v.TimeoutSeconds > 0, task.Timeout(durationOf(v.TimeoutSeconds)))
	add(v.TimeoutSeconds == 0 && (has("timeout_seconds") || has("state") && v.Deadline.IsZero()), task.NoTimeout())
	add(!v.Deadline.IsZero(), task.Deadline(v.Deadline))
	add(!v.StartBy.IsZero(), task.StartBy(v.StartBy))
	add(v.RetentionSeconds > 0, task.Retention(durationOf(v.RetentionSeconds)))
	add(v.MaxCrashes > 0, task.MaxCrashes(v.MaxCrashes))
	add(v.State == task.Scheduled.String() || v.State == "" && has("next_process_at"), task.ProcessAt(v.NextProcessAt))
	for key, value := range v.Headers {
		options = append(options, task.Header(key, value))
	}
	return options
}

func durationOf(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
