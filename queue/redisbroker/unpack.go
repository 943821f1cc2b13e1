package redisbroker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var errUnpack = errors.New("is cut off, or no MessagePack")

// deepest is how many lists and maps may lie in one another.
const deepest = 8

// unpack returns the value that is packed in b: a string, an int64, a float64, a
// bool, nil, a []any or a map[string]any. Scripts have written it, or others:
// what it may take is bounded by the length of b.
func unpack(b []byte) (any, error) {
	u := unpacker{b: b}
	v, err := u.value(0)
	if err == nil && len(u.b) > 0 {
		err = errUnpack
	}
	return v, err
}

type unpacker struct{ b []byte }

// take returns the next n bytes.
func (u *unpacker) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.b)) {
		return nil, errUnpack
	}
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken, nil
}

// number returns the next size bytes as a number.
func (u *unpacker) number(size int) (uint64, error) {
	b, err := u.take(uint64(size))
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[8-size:], b)
	return binary.BigEndian.Uint64(wide[:]), nil
}

func (u *unpacker) value(depth int) (any, error) {
	kind, err := u.number(1)
	switch {
	case err != nil:
		return nil, err
	case depth > deepest:
		return nil, errUnpack
	case kind < 0x80:
		return int64(kind), nil
	case kind < 0x90:
		return u.object(kind&0xf, depth)
	case kind < 0xa0:
		return u.list(kind&0xf, depth)
	case kind < 0xc0:
		return u.text(kind & 0x1f)
	case kind >= 0xe0:
		return int64(int8(kind)), nil
	}
	switch kind {
	case 0xc0:
		return nil, nil
	case 0xc2, 0xc3:
		return kind == 0xc3, nil
	case 0xca, 0xcb:
		return u.float(kind)
	case 0xcc, 0xcd, 0xce, 0xcf:
		n, err := u.number(1 << (kind - 0xcc))
		return int64(n), err
	case 0xd0, 0xd1, 0xd2, 0xd3:
		return u.signed(1 << (kind - 0xd0))
	}
	return u.sized(kind, depth)
}

// sized returns a string, list or map whose length comes first.
func (u *unpacker) sized(kind uint64, depth int) (any, error) {
	sizes := map[uint64]int{0xc4: 1, 0xc5: 2, 0xc6: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4}
	size, ok := sizes[kind]
	if !ok {
		return nil, fmt.Errorf("%w: kind %#x", errUnpack, kind)
	}
	n, err := u.number(size)
	switch {
	case err != nil:
		return nil, err
	case kind >= 0xde:
		return u.object(n, depth)
	case kind >= 0xdc:
		return u.list(n, depth)
	}
	return u.text(n)
}

func (u *unpacker) text(n uint64) (any, error) {
	b, err := u.take(n)
	return string(b), err
}

func (u *unpacker) float(kind uint64) (any, error) {
	if kind == 0xca {
		n, err := u.number(4)
		return float64(math.Float32frombits(uint32(n))), err
	}
	n, err := u.number(8)
	return math.Float64frombits(n), err
}

func (u *unpacker) signed(size int) (any, error) {
	n, err := u.number(size)
	unused := 64 - 8*size
	return int64(n<<unused) >> unused, err
}

func (u *unpacker) list(n uint64, depth int) (any, error) {
	if n > uint64(len(u.b)) { // each value takes a byte
		return nil, errUnpack
	}
	values := make([]any, 0, n)
	for range n {
		v, err := u.value(depth + 1)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

func (u *unpacker) object(n uint64, depth int) (any, error) {
	fields := make(map[string]any)
	for range n {
		name, err := u.value(depth + 1)
		if err != nil {
			return nil, err
		}
		value, err := u.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if s, ok := name.(string); ok {
			fields[s] = value
		}
	}
	return fields, nil
}
