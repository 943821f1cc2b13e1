package wire

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// EncodePeriodic returns e as asynq's SchedulerEntry, in which a time that is zero
// is the first second of the year 1.
func EncodePeriodic(e broker.PeriodicEntry) ([]byte, error) {
	b, err := marshal(&SchedulerEntry{
		Id:              e.ID,
		Spec:            e.Spec,
		TaskType:        e.Type,
		TaskPayload:     e.Payload,
		EnqueueOptions:  e.Options,
		NextEnqueueTime: timestamppb.New(e.Next),
		PrevEnqueueTime: timestamppb.New(e.Prev),
	})
	if err != nil {
		return nil, fmt.Errorf("encode periodic entry %s: %w", e.ID, err)
	}
	return b, nil
}

// DecodePeriodic returns the entry in a SchedulerEntry.
func DecodePeriodic(b []byte) (broker.PeriodicEntry, error) {
	var m SchedulerEntry
	err := unmarshal(b, &m, noPairs)
	if err == nil {
		err = task.CheckMadeName("PeriodicEntry.ID", m.Id)
	}
	if err != nil {
		return broker.PeriodicEntry{}, fmt.Errorf("decode periodic entry: %w", err)
	}
	return broker.PeriodicEntry{
		ID:      m.Id,
		Spec:    m.Spec,
		Type:    m.TaskType,
		Payload: m.TaskPayload,
		Options: m.EnqueueOptions,
		Next:    moment(m.NextEnqueueTime),
		Prev:    moment(m.PrevEnqueueTime),
	}, nil
}

// EncodeTick returns t, without its entry, as asynq's SchedulerEnqueueEvent.
func EncodeTick(t broker.Tick) ([]byte, error) {
	b, err := marshal(&SchedulerEnqueueEvent{TaskId: t.TaskID, EnqueueTime: timestamppb.New(t.At)})
	if err != nil {
		return nil, fmt.Errorf("encode tick of %s: %w", t.Entry, err)
	}
	return b, nil
}

// DecodeTick returns the tick of entry that is in a SchedulerEnqueueEvent.
func DecodeTick(entry string, b []byte) (broker.Tick, error) {
	var m SchedulerEnqueueEvent
	err := unmarshal(b, &m, noPairs)
	if err == nil {
		err = task.CheckMadeName("Tick.TaskID", m.TaskId)
	}
	if err == nil && m.EnqueueTime == nil {
		err = task.Invalid("Tick.At", time.Time{}, "is needed")
	}
	if err != nil {
		return broker.Tick{}, fmt.Errorf("decode tick of %s: %w", entry, err)
	}
	return broker.Tick{Entry: entry, TaskID: m.TaskId, At: m.EnqueueTime.AsTime()}, nil
}
