package periodic

import "time"

// WithBeat returns c with another time between two beats.
func (c Config) WithBeat(d time.Duration) Config {
	c.beat = d
	return c
}

// WithClock returns c with a clock of its own.
func (c Config) WithClock(clock func() time.Time) Config {
	c.clock = clock
	return c
}
