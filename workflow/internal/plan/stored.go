package plan

import (
	"reflect"
	"sync"
)

// A Stored remembers where a plan was stored last. It may be used by several
// goroutines.
type Stored struct {
	mu sync.Mutex
	in any
}

// Begin reports whether the plan is to be stored in a storage.
func (s *Stored) Begin(storage any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !reflect.TypeOf(storage).Comparable() || s.in != storage
}

// End takes note that the plan is stored there.
func (s *Stored) End(storage any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reflect.TypeOf(storage).Comparable() {
		s.in = storage
	}
}
