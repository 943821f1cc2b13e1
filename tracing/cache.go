package tracing

import (
	"sync"
	"sync/atomic"
)

// maxKept is how much a cache keeps: some programs make up types as they go.
const maxKept = 4096

// A cache keeps what is dearer to make than to use, by what it is made of. Beyond maxKept
// it is made anew each time. Its zero value is empty.
type cache[K comparable, V any] struct {
	known sync.Map // K: *V
	count atomic.Int64
}

// get returns what is kept under key, or what made returns, which is kept.
func (c *cache[K, V]) get(key K, made func(K) *V) *V {
	if v, ok := c.known.Load(key); ok {
		return v.(*V)
	}
	v := made(key)
	if c.count.Load() < maxKept {
		if _, known := c.known.LoadOrStore(key, v); !known {
			c.count.Add(1)
		}
	}
	return v
}
