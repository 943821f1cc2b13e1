// Package wire turns entries and servers into the bytes that asynq keeps in
// Redis, and back.
//
// What is decoded may have been written by anyone: its size is limited before
// it is unpacked, and what comes out passes the checks of package broker, so
// that it can be stored again.
package wire

//go:generate ../../scripts/generate

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/leatwork/leat/task"
)

const (
	// MaxMessage is the largest message that is encoded or decoded, in bytes.
	MaxMessage = 64 << 20

	// maxPairs is the number of headers or queues that a message may have. A
	// pair takes two bytes on the wire and a hundred in memory.
	maxPairs = 1 << 14

	// The last second that times may have: the end of the year 9999.
	maxSecond = 253402300799
)

var errTruncated = errors.New("is cut off or malformed")

// marshal encodes m. The same message gives the same bytes.
func marshal(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxMessage {
		return nil, task.Invalid("message", len(b), fmt.Sprintf("is larger than %d bytes", MaxMessage))
	}
	return b, nil
}

// unmarshal decodes b into m, whose field number pairs is a map.
func unmarshal(b []byte, m proto.Message, pairs protowire.Number) error {
	if len(b) > MaxMessage {
		return task.Invalid("message", len(b), fmt.Sprintf("is larger than %d bytes", MaxMessage))
	}
	n := 0
	for rest := b; len(rest) > 0; {
		field, _, size := protowire.ConsumeField(rest)
		if size < 0 {
			return errTruncated
		}
		if field == pairs {
			n++
		}
		rest = rest[size:]
	}
	if n > maxPairs {
		return task.Invalid("message", n, fmt.Sprintf("has more than %d headers or queues", maxPairs))
	}
	return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, m)
}

// seconds returns d in seconds, rounded up.
func seconds(d time.Duration) int64 {
	s := d / time.Second
	if d%time.Second > 0 {
		s++
	}
	return int64(s)
}

// duration returns s seconds, which must not be negative nor longer than a
// Duration can be.
func duration(field string, s int64) (time.Duration, error) {
	if s < 0 || s > int64((1<<63-1)/time.Second) {
		return 0, task.Invalid(field, s, "is out of range")
	}
	return time.Duration(s) * time.Second, nil
}

// unix returns t in Unix seconds, fractions dropped; the zero time is 0.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// fromUnix is the inverse of unix.
func fromUnix(field string, s int64) (time.Time, error) {
	switch {
	case s == 0:
		return time.Time{}, nil
	case s < -maxSecond || s > maxSecond:
		return time.Time{}, task.Invalid(field, s, "is out of range")
	}
	return time.Unix(s, 0).UTC(), nil
}

func fits(field string, n int) (int32, error) {
	if n != int(int32(n)) {
		return 0, task.Invalid(field, n, "is out of range")
	}
	return int32(n), nil
}
