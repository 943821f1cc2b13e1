package workflow

import (
	"errors"
	"sync"
	"sync/atomic"
)

// atOnce is how many reads go abreast.
const atOnce = 8

// abreast calls f with 0 to before n, several at a time, and returns their errors.
func abreast(n int, f func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, atOnce) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = f(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
