package wire

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	queuesField = 5 // the number of ServerInfo's queues
	noPairs     = 0 // WorkerInfo has no map
)

// EncodeServer returns s, without its workers, as asynq's ServerInfo.
func EncodeServer(s broker.Server) ([]byte, error) {
	m := &ServerInfo{
		Host:           s.Host,
		ServerId:       s.ID,
		StrictPriority: s.Strict,
		Status:         s.Status,
		StartTime:      timestamppb.New(s.Started),
		Queues:         make(map[string]int32, len(s.Queues)),
	}
	var errs [3]error
	m.Pid, errs[0] = fits("PID", s.PID)
	m.Concurrency, errs[1] = fits("Concurrency", s.Concurrency)
	m.ActiveWorkerCount, errs[2] = fits("Workers", len(s.Workers))
	err := errors.Join(errs[:]...)
	for queue, priority := range s.Queues {
		n, tooLarge := fits("Queues."+queue, priority)
		m.Queues[queue], err = n, errors.Join(err, tooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("encode server %s: %w", s.ID, err)
	}
	b, err := marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode server %s: %w", s.ID, err)
	}
	return b, nil
}

// DecodeServer returns the server in a ServerInfo, without its workers.
func DecodeServer(b []byte) (broker.Server, error) {
	var m ServerInfo
	if err := unmarshal(b, &m, queuesField); err != nil {
		return broker.Server{}, fmt.Errorf("decode server: %w", err)
	}
	errs := []error{task.CheckMadeName("Server.ID", m.ServerId)}
	s := broker.Server{
		ID:          m.ServerId,
		Host:        m.Host,
		PID:         int(m.Pid),
		Concurrency: int(m.Concurrency),
		Strict:      m.StrictPriority,
		Status:      m.Status,
		Started:     moment(m.StartTime),
	}
	if len(m.Queues) > 0 {
		s.Queues = make(map[string]int, len(m.Queues))
	}
	for queue, priority := range m.Queues {
		errs = append(errs, task.CheckMadeName("Server.Queues", queue))
		s.Queues[queue] = int(priority)
	}
	if err := errors.Join(errs...); err != nil {
		return broker.Server{}, fmt.Errorf("decode server: %w", err)
	}
	return s, nil
}

// EncodeWorker returns w, which s runs, as asynq's WorkerInfo.
func EncodeWorker(s broker.Server, w broker.Worker) ([]byte, error) {
	pid, err := fits("PID", s.PID)
	if err != nil {
		return nil, fmt.Errorf("encode worker of %s: %w", w.Entry, err)
	}
	b, err := marshal(&WorkerInfo{
		Host:        s.Host,
		Pid:         pid,
		ServerId:    s.ID,
		TaskId:      w.Entry.ID,
		TaskType:    w.Type,
		TaskPayload: w.Payload,
		Queue:       w.Entry.Queue,
		StartTime:   timestamppb.New(w.Started),
		Deadline:    timestamppb.New(w.Deadline),
	})
	if err != nil {
		return nil, fmt.Errorf("encode worker of %s: %w", w.Entry, err)
	}
	return b, nil
}

// DecodeWorker returns the worker in a WorkerInfo.
func DecodeWorker(b []byte) (broker.Worker, error) {
	var m WorkerInfo
	if err := unmarshal(b, &m, noPairs); err != nil {
		return broker.Worker{}, fmt.Errorf("decode worker: %w", err)
	}
	err := errors.Join(
		task.CheckMadeName("Worker.Queue", m.Queue),
		task.CheckMadeName("Worker.ID", m.TaskId),
	)
	if err != nil {
		return broker.Worker{}, fmt.Errorf("decode worker: %w", err)
	}
	return broker.Worker{
		Entry:    broker.EntryRef{Queue: m.Queue, ID: m.TaskId},
		Type:     m.TaskType,
		Payload:  m.TaskPayload,
		Started:  moment(m.StartTime),
		Deadline: moment(m.Deadline),
	}, nil
}

// moment returns the time of ts, or the zero time if there is none.
func moment(ts *timestamppb.Timestamp) time.Time {
	if ts == nil {
		return time.Time{}
	}
	return ts.AsTime()
}
