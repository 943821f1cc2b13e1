package workflow

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"

	"github.com/leatwork/leat/queue/broker"
)

// A controlCache remembers the control documents that were read last: the steps of a
// run mostly see the same one. What it gives away is shared, and must not be modified.
type controlCache struct {
	slots [256]atomic.Pointer[cachedControl]
}

type cachedControl struct {
	home    broker.Home
	body    []byte
	control control
}

var cacheSeed = maphash.MakeSeed()

// decode is [decodeControl] of a document of home.
func (cache *controlCache) decode(home broker.Home, d broker.Document) (control, error) {
	slot := &cache.slots[maphash.String(cacheSeed, home.ID)%uint64(len(cache.slots))]
	if known := slot.Load(); known != nil && known.home == home && bytes.Equal(known.body, d.Body) && d.Version > 0 {
		return known.control, nil
	}
	c, err := decodeControl(d)
	if err == nil {
		slot.Store(&cachedControl{home, d.Body, c})
	}
	return c, err
}
