package quantity_test

import (
	"testing"

	"github.com/leatwork/leat/internal/quantity"
)

func TestQuantitiesAreShort(t *testing.T) {
	for got, want := range map[string]string{
		quantity.Seconds(0):          "0s",
		quantity.Seconds(0.0124):     "12ms",
		quantity.Seconds(1.54):       "1.5s",
		quantity.Seconds(3723.6):     "1h2m4s",
		quantity.Bytes(1023):         "1023 B",
		quantity.Bytes(1536):         "1.5 KiB",
		quantity.Bytes(3 << 30):      "3.0 GiB",
		quantity.Percent(0.12345):    "12.35%",
		quantity.Count(-1234567):     "-1,234,567",
		quantity.Count(999):          "999",
		quantity.Many(1, "task"):     "1 task",
		quantity.Many(2000, "entry"): "2,000 entries",
		quantity.Many(7, "day"):      "7 days",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
