package workflow

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A record is what a run keeps of the outcome of a step, or of one of its items.
// It is written once.
type record struct {
	state   StepState
	blob    bool // body names a blob
	unknown bool // it may have taken effect, although it is not done
	ended   time.Time
	took    time.Duration
	tries   int    // how often it was tried; 0: it was not
	body    []byte // the output, or the [StepError] as JSON
}

// The flags of a stored record, beside its state.
const (
	flagBlob    = 1 << 6
	flagUnknown = 1 << 7
)

func (r record) encode() []byte {
	b := make([]byte, 0, 16+len(r.body))
	head := byte(r.state)
	if r.blob {
		head |= flagBlob
	}
	if r.unknown {
		head |= flagUnknown
	}
	b = append(b, head)
	b = binary.AppendUvarint(b, uint64(max(r.ended.UnixMilli(), 0)))
	b = binary.AppendUvarint(b, uint64(max(r.took.Milliseconds(), 0)))
	b = binary.AppendUvarint(b, uint64(max(r.tries, 0)))
	return append(b, r.body...)
}

var errRecord = errors.New("record cannot be read")

func decodeRecord(b []byte) (r record, err error) {
	if len(b) == 0 {
		return r, errRecord
	}
	r.state, r.blob, r.unknown = StepState(b[0]&^(flagBlob|flagUnknown)), b[0]&flagBlob != 0, b[0]&flagUnknown != 0
	var figures [3]uint64
	rest := b[1:]
	for i := range figures {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return r, errRecord
		}
		figures[i], rest = v, rest[n:]
	}
	r.ended, r.took, r.tries = time.UnixMilli(int64(figures[0])), time.Duration(figures[1])*time.Millisecond, int(figures[2])
	r.body = rest
	return r, nil
}

// failure returns why there is no output.
func (r record) failure() *StepError {
	e := new(StepError)
	if err := json.Unmarshal(r.body, e); err != nil {
		return &StepError{Item: -1, Message: fmt.Sprintf("%v: %v", errRecord, err)}
	}
	return e
}

// doneRecord returns the record of an output.
func doneRecord(output []byte) record {
	return record{state: StepDone, ended: time.Now(), body: output}
}

// failedRecord returns the record of a failure.
func failedRecord(state StepState, e StepError) record {
	return record{state: state, ended: time.Now(), body: encodeFailure(e)}
}

func skippedRecord() record { return record{state: StepSkipped, ended: time.Now()} }

func encodeFailure(e StepError) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode failure: %v", err)) // plain values: it cannot fail
	}
	return b
}
