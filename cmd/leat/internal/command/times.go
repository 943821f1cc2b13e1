package command

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/internal/quantity"
)

// until returns how far away a time is that is to come: "in 5m3s", "right now".
func until(now, t time.Time) string {
	switch d := t.Sub(now).Round(time.Second); {
	case t.IsZero():
		return ""
	case d <= 0:
		return "right now"
	default:
		return fmt.Sprintf("in %v", d)
	}
}

// spell returns a number of seconds as a duration, nothing for 0.
func spell(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return quantity.Seconds(seconds)
}
