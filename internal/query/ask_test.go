package query

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAsks(t *testing.T) {
	q, err := Tasks.Parse(`word q:mail -payload.items.*."a.b">3 result~x header.a.b:1 payload."*":1`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Ask{
		{Field: "queue"},
		{Field: "payload", Path: []Step{{Name: "items"}, {Name: "*", Any: true}, {Name: "a.b"}}},
		{Field: "result"},
		{Field: "header", Path: []Step{{Name: "a.b"}}},
		{Field: "payload", Path: []Step{{Name: "*"}}},
	}
	if diff := cmp.Diff(want, q.Asks()); diff != "" {
		t.Errorf("Asks (-want +got):\n%s", diff)
	}
}
