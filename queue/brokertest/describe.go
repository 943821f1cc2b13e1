package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var describePromises = []promise{
	{"a storage that tells of itself says what it is, and changes nothing", describeKind},
	{"what is sound is not mended", mendSound},
}

func describeKind(x *trial) {
	x.enqueue(entries("q", "a")...)
	about, err := x.b.(broker.Describer).Describe(x.Context(), "q")
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil || about.Kind == "" {
		x.Errorf("Describe() = %+v, %v, want a kind", about, err)
	}
	if got := x.names(); len(got) != 1 || got[0] != "q" {
		x.Errorf("Queues() = %v after Describe(), want q", got)
	}
}

func mendSound(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	x.lease("q", 1)
	for _, dry := range []bool{true, false} {
		if mended, err := x.b.(broker.Mender).Mend(x.Context(), time.Now(), dry); err != nil || len(mended) > 0 {
			x.Errorf("Mend(%v) = %+v, %v, want nothing", dry, mended, err)
		}
	}
}
