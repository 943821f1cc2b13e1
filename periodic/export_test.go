package periodic

import "time"

// WithClock returns c with a clock of its own.
func (c Config) WithClock(clock func() time.Time) Config {
	c.clock = clock
	return c
}
