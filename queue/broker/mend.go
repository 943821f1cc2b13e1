package broker

import (
	"context"
	"time"
)

// A Mender is a broker that can put right some of what a [Verifier] finds. It is not
// part of [Broker]: it reads everything, and is meant for repair.
type Mender interface {
	// Mend looks for what [Verifier].Verify tells of, does what there is one plain
	// remedy for, and returns both that and what is left. It may be called while the
	// storage is in use: each remedy looks again, in the commit in which it is done, and
	// what has no remedy is looked for twice. What is sound is left alone, and so is what
	// is damaged beyond reading; no entry is deleted. With dry nothing is changed, and
	// Done is what would be.
	Mend(ctx context.Context, now time.Time, dry bool) ([]Mended, error)
}

// A Mended is a fault, and what became of it.
type Mended struct {
	Fault string // the sentence that Verify has for it
	Done  string // the remedy, such as "taken out of pending"; "" if there is none
}
