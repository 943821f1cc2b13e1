package cron_test

import (
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic/internal/cron"
)

func TestFieldsMeanWhatTheTableSays(t *testing.T) {
	for _, tt := range []struct {
		spec, from string
		want       []string // the next ticks
	}{
		{"*/45 * * * *", "2026-01-01 00:00:00", []string{"2026-01-01 00:45:00", "2026-01-01 01:00:00", "2026-01-01 01:45:00"}},
		{"50/5 * * * *", "2026-01-01 00:00:00", []string{"2026-01-01 00:50:00", "2026-01-01 00:55:00", "2026-01-01 01:50:00"}},
		{"10-30/10 5 * * * *", "2026-01-01 00:00:00", []string{"2026-01-01 00:05:10", "2026-01-01 00:05:20", "2026-01-01 00:05:30", "2026-01-01 01:05:10"}},
		{"0 0 1,15 * mon", "2026-09-01 00:00:00", []string{"2026-09-07 00:00:00", "2026-09-14 00:00:00", "2026-09-15 00:00:00", "2026-09-21 00:00:00"}},
		{"0 0 */2 * mon", "2026-09-05 00:00:00", []string{"2026-09-07 00:00:00", "2026-09-09 00:00:00", "2026-09-11 00:00:00", "2026-09-13 00:00:00", "2026-09-14 00:00:00"}},
		{"0 0 */1 * mon", "2026-09-05 00:00:00", []string{"2026-09-07 00:00:00", "2026-09-14 00:00:00"}},
		{"0 0 ? * sun", "2026-09-05 00:00:00", []string{"2026-09-06 00:00:00", "2026-09-13 00:00:00"}},
		{"0 0 31 * *", "2026-01-31 00:00:00", []string{"2026-03-31 00:00:00", "2026-05-31 00:00:00"}},
		{"0 0 29 2 *", "2092-01-01 00:00:00", []string{"2092-02-29 00:00:00", "2096-02-29 00:00:00", "2104-02-29 00:00:00"}},
		{"*/30 12 29 feb ?", "2098-01-01 00:00:00", []string{"2104-02-29 12:00:00", "2104-02-29 12:30:00"}},
		{"@yearly", "2026-06-01 00:00:00", []string{"2027-01-01 00:00:00", "2028-01-01 00:00:00"}},
		{"@annually", "2026-06-01 00:00:00", []string{"2027-01-01 00:00:00"}},
		{"@monthly", "2026-06-01 00:00:00", []string{"2026-07-01 00:00:00"}},
		{"@weekly", "2026-06-01 00:00:00", []string{"2026-06-07 00:00:00", "2026-06-14 00:00:00"}},
		{"@daily", "2026-06-01 00:00:00", []string{"2026-06-02 00:00:00"}},
		{"@midnight", "2026-06-01 00:00:00", []string{"2026-06-02 00:00:00"}},
		{"@hourly", "2026-06-01 00:00:00", []string{"2026-06-01 01:00:00"}},
		{"@every 90s", "1970-01-01 00:00:00", []string{"1970-01-01 00:01:30", "1970-01-01 00:03:00"}},
		{"@every 1h", "2026-06-01 00:30:30", []string{"2026-06-01 01:00:00", "2026-06-01 02:00:00"}},
		{"@every 7s", "1969-12-31 23:59:50", []string{"1969-12-31 23:59:53", "1970-01-01 00:00:00", "1970-01-01 00:00:07"}},
	} {
		s, at := parse(t, tt.spec, cron.Options{}), utc(t, tt.from)
		for _, want := range tt.want {
			next := s.Next(at)
			if next.Format(time.DateTime) != want {
				t.Errorf("%s: after %v comes %v, want %s", s, at, next, want)
			}
			at = next
		}
	}
}

func utc(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestEveryIsPinnedToItsStart(t *testing.T) {
	start := time.Date(2026, 3, 1, 10, 0, 7, 250e6, time.UTC)
	s := parse(t, "@every 10m", cron.Options{Start: start})
	for asked, want := range map[time.Duration]time.Duration{
		-1000 * time.Hour:              0,
		-1:                             0,
		0:                              10 * time.Minute,
		10*time.Minute - 1:             10 * time.Minute,
		10 * time.Minute:               20 * time.Minute,
		1000*time.Hour + 5*time.Second: 1000*time.Hour + 10*time.Minute,
	} {
		if got := s.Next(start.Add(asked)); !got.Equal(start.Add(want)) {
			t.Errorf("after start%+v comes %v, want start%+v", asked, got, want)
		}
	}
}

func TestStartAndEndAreTicksThemselves(t *testing.T) {
	start, end := utc(t, "2026-05-01 06:00:00"), utc(t, "2026-05-03 06:00:00")
	s := parse(t, "0 6 * * *", cron.Options{Start: start, End: end})
	second := start.AddDate(0, 0, 1)
	want := []time.Time{start, second, end}
	if got := s.Between(time.Time{}, end.AddDate(9, 0, 0), 10); !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("ticks are %v, want %v", got, want)
	}
	if got := s.LastBetween(time.Time{}, end.AddDate(9, 0, 0), 10); !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("latest ticks are %v, want %v", got, want)
	}
	for _, at := range []time.Time{end, end.AddDate(20, 0, 0)} {
		if next := s.Next(at); !next.IsZero() {
			t.Errorf("after %v comes %v, want none", at, next)
		}
	}
	if last := s.Last(start.Add(-1)); !last.IsZero() {
		t.Errorf("before its start it has ticked at %v", last)
	}
	if got := s.Period(start.Add(-1)); got != 24*time.Hour {
		t.Errorf("the period is %v, want 24h", got)
	}
	if got := s.Period(second); got != 0 {
		t.Errorf("the period after all but one tick is %v, want 0", got)
	}
}

func TestLastIsTheLatestTick(t *testing.T) {
	now := time.Date(2026, 11, 29, 23, 7, 6, 5, time.UTC)
	for _, tt := range []struct {
		spec, want string
	}{
		{"* * * * * *", "2026-11-29 23:07:06"},
		{"7 * * * *", "2026-11-29 23:07:00"},
		{"8 * * * *", "2026-11-29 22:08:00"},
		{"* * 1 jan *", "2026-01-01 23:59:00"},
		{"0 0 29 2 *", "2024-02-29 00:00:00"},
		{"@every 200000h", "2015-08-19 16:00:00"},
	} {
		s := parse(t, tt.spec, cron.Options{})
		if got := s.Last(now); got.Format(time.DateTime) != tt.want {
			t.Errorf("%s ticked last at %v, want %s", s, got, tt.want)
		}
		if got := s.Last(s.Last(now)); !got.Equal(s.Last(now)) {
			t.Errorf("%s: the last tick at its tick %v is %v", s, s.Last(now), got)
		}
	}
}

func TestTheLatestTicksOfALongTimeAreFoundAtOnce(t *testing.T) {
	s := parse(t, "* * * * * *", cron.Options{})
	to := utc(t, "2026-11-29 12:00:00")
	got := s.LastBetween(to.AddDate(-200, 0, 0), to, 3)
	want := []time.Time{to.Add(-2 * time.Second), to.Add(-time.Second), to}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := s.LastBetween(to.Add(-2*time.Second), to, 3); len(got) != 2 {
		t.Errorf("got %v, want the two that are later than from", got)
	}
	if got := s.Count(to.AddDate(-200, 0, 0), to, 500); got != 500 {
		t.Errorf("counted %d, want to stop at 500", got)
	}
}

func BenchmarkNext(b *testing.B) {
	for _, bb := range []struct{ name, spec, zone string }{
		{"every second", "* * * * * *", "UTC"},
		{"every minute", "* * * * *", "America/New_York"},
		{"every day", "30 2 * * *", "America/New_York"},
		{"every year", "0 0 1 1 *", "Europe/Berlin"},
		{"29 February", "0 0 29 2 *", "Africa/Casablanca"},
		{"minutes of 29 February", "* * 29 2 *", "Africa/Casablanca"},
		{"@every", "@every 10s", "UTC"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := parse(b, bb.spec, cron.Options{Zone: bb.zone})
			at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			for b.Loop() {
				s.Next(at)
			}
		})
	}
}

func BenchmarkLast(b *testing.B) {
	for _, spec := range []string{"* * * * * *", "30 2 * * *", "0 0 29 2 *"} {
		b.Run(spec, func(b *testing.B) {
			s := parse(b, spec, cron.Options{Zone: "America/New_York"})
			at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			for b.Loop() {
				s.Last(at)
			}
		})
	}
}
