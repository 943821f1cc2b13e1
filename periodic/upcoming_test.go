package periodic_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

func TestUpcomingTicksKeepToZoneAndBounds(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day := func(d, hour int) time.Time { return time.Date(2026, time.March, d, hour, 30, 0, 0, berlin).UTC() }
	for name, test := range map[string]struct {
		entry periodic.Entry
		n     int
		want  []time.Time
	}{
		"the clocks change":     {periodic.Entry{Name: "e", Schedule: "30 7 * * *", Zone: "Europe/Berlin"}, 3, []time.Time{day(28, 7), day(29, 7), day(30, 7)}},
		"it begins later":       {periodic.Entry{Name: "e", Schedule: "30 7 * * *", Zone: "Europe/Berlin", Start: day(30, 0)}, 1, []time.Time{day(30, 7)}},
		"it ends":               {periodic.Entry{Name: "e", Schedule: "30 7 * * *", Zone: "Europe/Berlin", End: day(29, 7)}, 5, []time.Time{day(28, 7), day(29, 7)}},
		"it has ended":          {periodic.Entry{Name: "e", Schedule: "30 7 * * *", Zone: "Europe/Berlin", End: day(1, 7)}, 5, nil},
		"none is asked for":     {periodic.Entry{Name: "e", Schedule: "@hourly"}, 0, nil},
		"every counts from its": {periodic.Entry{Name: "e", Schedule: "@every 1h", Start: day(1, 0)}, 1, []time.Time{day(27, 8)}},
	} {
		got, err := test.entry.Upcoming(day(27, 7), test.n)
		for i := range got {
			got[i] = got[i].UTC()
		}
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	_, err = periodic.Entry{Name: "e", Schedule: "now and then"}.Upcoming(time.Now(), 1)
	if _, ok := errors.AsType[*periodic.EntryError](err); !ok || !errors.Is(err, task.ErrInvalid) {
		t.Errorf("Upcoming() = %v, want an EntryError that matches ErrInvalid", err)
	}
}
