package output_test

import (
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/output"
)

func TestQuantitiesAreShort(t *testing.T) {
	for got, want := range map[string]string{
		output.Seconds(0):       "0s",
		output.Seconds(0.0124):  "12ms",
		output.Seconds(1.54):    "1.5s",
		output.Seconds(3723.6):  "1h2m4s",
		output.Bytes(1023):      "1023 B",
		output.Bytes(1536):      "1.5 KiB",
		output.Bytes(3 << 30):   "3.0 GiB",
		output.Percent(0.12345): "12.35%",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
