package brokertest

import "testing"

func TestEveryCaseHasASentenceOfItsOwn(t *testing.T) {
	seen := make(map[string]bool)
	note := func(sentence string) {
		if sentence == "" || seen[sentence] {
			t.Errorf("%q is a case's sentence twice, or none", sentence)
		}
		seen[sentence] = true
	}
	for _, part := range suite {
		for _, p := range part.promises {
			note(p.sentence)
		}
	}
	for _, c := range outside {
		note(c.sentence)
	}
	if n := Cases(); n != len(seen) {
		t.Errorf("Cases() = %d, want %d", n, len(seen))
	}
}
