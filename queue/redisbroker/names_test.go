package redisbroker

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNamesAreKeptOnceAndInOrder(t *testing.T) {
	var n names
	var want []string
	for i := range 3 * fewNames {
		name := fmt.Sprint("queue-", i)
		want = append(want, name)
		for _, known := range want {
			n.add(known)
		}
		if diff := cmp.Diff(want, n.all); diff != "" {
			t.Fatalf("names (-want +got):\n%s", diff)
		}
	}
}

func TestTheDateThatIsKeptIsThatOfTheTime(t *testing.T) {
	var d days
	for _, step := range []struct{ at, want string }{
		{"2030-03-17T23:59:59Z", "2030-03-17"},
		{"2030-03-18T00:00:00Z", "2030-03-18"},
		{"2030-03-18T00:30:00+01:00", "2030-03-17"},
		{"1970-01-01T12:00:00Z", "1970-01-01"},
		{"1969-12-31T12:00:00Z", "1969-12-31"},
	} {
		at, err := time.Parse(time.RFC3339, step.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.of(at); got != step.want {
			t.Errorf("date of %s = %v, want %s", step.at, got, step.want)
		}
	}
}
