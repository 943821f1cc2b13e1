package examples

import (
	"os"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/redistest"
)

// Three orders go the three ways that there are, wherever they are kept.
func TestOrder(t *testing.T) {
	picture, err := os.ReadFile("order/testdata/order.mmd")
	if err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{
		"in memory": "memory:",
		"on sqlite": "sqlite:order.db",
		"on redis":  redistest.Start(t, redistest.Options{}).URL(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, "order", "-broker", url)
			if got.code != 0 {
				t.Fatalf("exit status %d: %s", got.code, got.stderr)
			}
			rest, ok := strings.CutPrefix(got.stdout, string(picture))
			if !ok {
				t.Errorf("it prints\n%s\nand not first the picture", got.stdout)
			}
			for _, want := range []string{
				"approved: paid 1500 cents by tx-approved\n",
				"forgotten: not approved\n",
				"1500 cents are given back\n",
				"failed: step notify: the order has no mail address",
			} {
				before, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("it prints\n%s\nand not %q there", rest, want)
				}
				rest = after
				if refund := strings.Contains(before, "given back"); refund {
					t.Errorf("it refunds before %q", want)
				}
			}
		})
	}
}
