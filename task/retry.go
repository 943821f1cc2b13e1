package task

import (
	"math/rand/v2"
	"time"
)

// A RetryPolicy says how long a failed task waits for its next attempt. retried
// is how many retries it has used: 0 after the first failure. err is why it
// failed. It is called from several goroutines.
type RetryPolicy func(retried int, err error, t *Task) time.Duration

// DefaultRetryPolicy waits retried⁴ + 15 + r·(retried+1) seconds, where r is a
// random number from 0 to 29: about half a minute after the first failure, two
// and a half minutes after the fourth, four and a half days after the 25th. A
// larger number of retries than 75 counts as 75, so that no delay is much
// longer than a year.
func DefaultRetryPolicy(retried int, _ error, _ *Task) time.Duration {
	return backoff(retried, rand.IntN(jitter))
}

// jitter is how many values r may have.
const jitter = 30

func backoff(retried, r int) time.Duration {
	n := min(max(retried, 0), 75)
	return time.Duration(n*n*n*n+15+r*(n+1)) * time.Second
}
