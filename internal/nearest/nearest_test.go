package nearest_test

import (
	"testing"

	"github.com/leatwork/leat/internal/nearest"
)

func TestAWordThatIsNearlyRightIsGuessed(t *testing.T) {
	words := []string{"queue", "state", "password", "password_file"}
	for word, want := range map[string]string{
		"quue": "queue", "stat": "state", "pass": "password", "paswordfile": "password_file",
		"": "", "xy": "", "qs": "", "concurrency": "",
	} {
		if got := nearest.Of(word, words); got != want {
			t.Errorf("Of(%q) = %q, want %q", word, got, want)
		}
	}
}
