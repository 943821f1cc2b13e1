package view

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Task is a stored task.
type Task struct {
	ID    string `json:"id"`
	Queue string `json:"queue"`
	Type  string `json:"type"`
	State string `json:"state"`

	Payload       Data              `json:"payload,omitempty"`
	PayloadBase64 []byte            `json:"payload_base64,omitempty"`
	PayloadBytes  int               `json:"payload_bytes"`
	Headers       map[string]string `json:"headers,omitempty"`

	MaxRetry      int       `json:"max_retry"`
	Retried       int       `json:"retried"`
	Error         string    `json:"error,omitempty"` // of its last failure
	FailedAt      time.Time `json:"failed_at,omitzero"`
	NextProcessAt time.Time `json:"next_process_at,omitzero"`
	CompletedAt   time.Time `json:"completed_at,omitzero"`

	Group     string `json:"group,omitempty"`
	UniqueKey string `json:"unique_key,omitempty"`

	TimeoutSeconds   float64   `json:"timeout_seconds,omitempty"`
	Deadline         time.Time `json:"deadline,omitzero"`
	StartBy          time.Time `json:"start_by,omitzero"`
	RetentionSeconds float64   `json:"retention_seconds,omitempty"`

	Crashes    int    `json:"crashes,omitempty"`
	MaxCrashes int    `json:"max_crashes,omitempty"`
	End        string `json:"end,omitempty"` // why it was archived, if not for failures
	Orphaned   bool   `json:"orphaned,omitempty"`
	Cancelling bool   `json:"cancelling,omitempty"` // it is active, and somebody has asked for that

	Progress       Data   `json:"progress,omitempty"`
	ProgressBase64 []byte `json:"progress_base64,omitempty"`
	Result         Data   `json:"result,omitempty"`
	ResultBase64   []byte `json:"result_base64,omitempty"`

	Attempts []Attempt `json:"attempts,omitempty"` // the last ones, the last one last; only of a task that is looked at alone
	Worker   *Holder   `json:"worker,omitempty"`   // who runs it, if that was asked
	Why      string    `json:"why,omitempty"`      // why it is not running, if that was asked: see [Why]
}

// An Attempt is what came of one attempt to run a task.
type Attempt struct {
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	TookSeconds float64   `json:"took_seconds,omitempty"`
	Worker      string    `json:"worker,omitempty"` // "host:pid"
	Error       string    `json:"error,omitempty"`  // none: it was done
	Stack       string    `json:"stack,omitempty"`  // where the handler panicked, if it did
}

// A Holder is the server that runs a task.
type Holder struct {
	Server    string    `json:"server"` // its id
	Host      string    `json:"host"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at,omitzero"`
	Deadline  time.Time `json:"deadline,omitzero"`
}

// TaskOf returns what is shown of a task. If it is active, its worker is looked for among
// servers.
func TaskOf(i *task.Info, servers ...broker.Server) Task {
	t := Task{
		ID: i.ID, Queue: i.Queue, Type: i.Type, State: i.State.String(),
		PayloadBytes: len(i.Payload), Headers: i.Headers,
		MaxRetry: i.MaxRetry, Retried: i.Retried, Error: i.LastErr,
		FailedAt: utc(i.LastFailedAt), NextProcessAt: utc(i.NextProcessAt), CompletedAt: utc(i.CompletedAt),
		Group: i.Group, UniqueKey: i.UniqueKey,
		TimeoutSeconds: seconds(i.Timeout), Deadline: utc(i.Deadline), StartBy: utc(i.StartBy), RetentionSeconds: seconds(i.Retention),
		Crashes: i.Crashes, MaxCrashes: i.MaxCrashes, End: i.End, Orphaned: i.IsOrphaned, Cancelling: i.CancelAsked,
	}
	t.Payload, t.PayloadBase64 = dataOf(i.Payload)
	t.Progress, t.ProgressBase64 = someOf(i.Progress)
	t.Result, t.ResultBase64 = someOf(i.Result)
	for _, a := range i.Attempts {
		t.Attempts = append(t.Attempts, attemptOf(a))
	}
	if i.State == task.Active {
		t.Worker = holderOf(broker.EntryRef{Queue: i.Queue, ID: i.ID}, servers)
	}
	return t
}

func attemptOf(a task.AttemptRecord) Attempt {
	shown := Attempt{StartedAt: utc(a.Started), EndedAt: utc(a.Ended), Worker: a.Worker, Error: a.Err, Stack: a.Stack}
	if !a.Started.IsZero() && !a.Ended.IsZero() {
		shown.TookSeconds = seconds(a.Ended.Sub(a.Started))
	}
	return shown
}

// holderOf returns who of servers runs an entry, or nil.
func holderOf(ref broker.EntryRef, servers []broker.Server) *Holder {
	for _, s := range servers {
		for _, w := range s.Workers {
			if w.Entry == ref {
				return &Holder{Server: s.ID, Host: s.Host, PID: s.PID, StartedAt: utc(w.Started), Deadline: utc(w.Deadline)}
			}
		}
	}
	return nil
}
