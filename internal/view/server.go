package view

import (
	"maps"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/queue/broker"
)

// A Server is a process that runs tasks.
type Server struct {
	ID            string         `json:"id"`
	Host          string         `json:"host"`
	PID           int            `json:"pid"`
	State         string         `json:"state"`  // "active" or "stopped"
	Queues        map[string]int `json:"queues"` // to priority
	Strict        bool           `json:"strict_priority"`
	Concurrency   int            `json:"concurrency"`
	Running       int            `json:"running"` // how many tasks
	StartedAt     time.Time      `json:"started_at,omitzero"`
	UptimeSeconds float64        `json:"uptime_seconds"`
	Workers       []Worker       `json:"workers"`
}

// A Worker is what a server is running.
type Worker struct {
	Queue         string    `json:"queue"`
	ID            string    `json:"id"` // of the task
	Type          string    `json:"type"`
	Payload       Data      `json:"payload,omitempty"`
	PayloadBase64 []byte    `json:"payload_base64,omitempty"`
	PayloadCut    bool      `json:"payload_cut,omitempty"` // only its beginning is known
	StartedAt     time.Time `json:"started_at,omitzero"`
	RunsSeconds   float64   `json:"runs_seconds"`
	Deadline      time.Time `json:"deadline,omitzero"`
}

// ServerOf returns what is shown of a server at now.
func ServerOf(now time.Time, s broker.Server) Server {
	shown := Server{
		ID: s.ID, Host: s.Host, PID: s.PID, State: s.Status, Queues: map[string]int{}, Strict: s.Strict,
		Concurrency: s.Concurrency, Running: len(s.Workers), StartedAt: utc(s.Started), UptimeSeconds: since(now, s.Started),
		Workers: make([]Worker, len(s.Workers)),
	}
	maps.Copy(shown.Queues, s.Queues)
	for i, w := range s.Workers {
		shown.Workers[i] = WorkerOf(now, w)
	}
	return shown
}

// WorkerOf returns what is shown at now of what a server is running.
func WorkerOf(now time.Time, w broker.Worker) Worker {
	shown := Worker{
		Queue: w.Entry.Queue, ID: w.Entry.ID, Type: w.Type,
		StartedAt: utc(w.Started), RunsSeconds: since(now, w.Started), Deadline: utc(w.Deadline),
	}
	shown.Payload, shown.PayloadBase64, shown.PayloadCut = beginningOf(w.Payload)
	return shown
}

// beginningOf returns as dataOf what a record has of a payload, and whether that may be
// its beginning. Where text was cut within a character, that is left out.
func beginningOf(b []byte) (Data, []byte, bool) {
	isCut := len(b) >= broker.MaxWorkerPayload
	if isCut {
		for n := range utf8.UTFMax {
			if n < len(b) && utf8.Valid(b[:len(b)-n]) {
				b = b[:len(b)-n]
				break
			}
		}
	}
	data, raw := dataOf(b)
	return data, raw, isCut
}

// since returns for how many seconds something has gone on, 0 if it is not known.
func since(now, began time.Time) float64 {
	if began.IsZero() {
		return 0
	}
	return seconds(max(now.Sub(began), 0))
}
