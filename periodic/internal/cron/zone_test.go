package cron_test

import (
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic/internal/cron"
)

// Each row is a switch of the clocks of a zone, or a day without, and when a
// spec ticks from the first time to the second, both of the zone's wall clock.
func TestEntriesTickOverSwitchesOfTheClocks(t *testing.T) {
	for _, tt := range []struct {
		zone, spec, from, to string
		want                 []string // time and offset; those of other days with the day
	}{
		// 02:00 -05 is followed by 03:00 -04
		{"America/New_York", "30 2 * * *", "2025-03-08 12:00", "2025-03-10 12:00", []string{"09 03:00:00 -0400", "10 02:30:00 -0400"}},
		{"America/New_York", "15,45 2 * * *", "2025-03-09 00:00", "2025-03-10 00:00", []string{"09 03:00:00 -0400"}},
		{"America/New_York", "*/20 30 2 * * *", "2025-03-09 00:00", "2025-03-10 00:00", []string{"09 03:00:00 -0400"}},
		{"America/New_York", "0 2,3 * * *", "2025-03-09 00:00", "2025-03-10 00:00", []string{"09 03:00:00 -0400"}},
		{"America/New_York", "30 1 * * *", "2025-03-09 00:00", "2025-03-10 00:00", []string{"09 01:30:00 -0500"}},
		{"America/New_York", "*/15 2 * * *", "2025-03-09 00:00", "2025-03-10 00:00", nil},
		{"America/New_York", "*/30 1-3 * * *", "2025-03-09 00:00", "2025-03-10 00:00", []string{"09 01:00:00 -0500", "09 01:30:00 -0500", "09 03:00:00 -0400", "09 03:30:00 -0400"}},
		{"America/New_York", "0 */2 * * *", "2025-03-09 00:00", "2025-03-09 06:30", []string{"09 04:00:00 -0400", "09 06:00:00 -0400"}},
		// 02:00 -04 is followed by 01:00 -05
		{"America/New_York", "30 1 * * *", "2025-11-02 00:00", "2025-11-03 00:00", []string{"02 01:30:00 -0400"}},
		{"America/New_York", "0 1,2 * * *", "2025-11-02 00:00", "2025-11-03 00:00", []string{"02 01:00:00 -0400", "02 02:00:00 -0500"}},
		{"America/New_York", "*/20 59 1 * * *", "2025-11-02 00:00", "2025-11-03 00:00", []string{"02 01:59:00 -0400", "02 01:59:20 -0400", "02 01:59:40 -0400"}},
		{"America/New_York", "*/30 1 * * *", "2025-11-02 00:00", "2025-11-03 00:00", []string{"02 01:00:00 -0400", "02 01:30:00 -0400", "02 01:00:00 -0500", "02 01:30:00 -0500"}},
		{"America/New_York", "30 ? * * *", "2025-11-02 00:00", "2025-11-02 02:59", []string{"02 00:30:00 -0400", "02 01:30:00 -0400", "02 01:30:00 -0500", "02 02:30:00 -0500"}},
		// 02:00 +01 is followed by 03:00 +02, 03:00 +02 by 02:00 +01
		{"Europe/Berlin", "0 2 * * *", "2026-03-29 00:00", "2026-03-30 00:00", []string{"29 03:00:00 +0200"}},
		{"Europe/Berlin", "0 2 29 3 *", "2026-03-29 00:00", "2028-01-01 00:00", []string{"29 03:00:00 +0200", "29 02:00:00 +0200"}},
		{"Europe/Berlin", "0 2 * * *", "2026-10-25 00:00", "2026-10-26 00:00", []string{"25 02:00:00 +0200"}},
		{"Europe/Berlin", "@daily", "2026-10-24 12:00", "2026-10-26 12:00", []string{"25 00:00:00 +0200", "26 00:00:00 +0100"}},
		// 00:00 -03 is followed by 01:00 -02
		{"America/Sao_Paulo", "0 1 * * 0", "2018-11-04 00:00", "2018-11-05 00:00", []string{"04 01:00:00 -0200"}},
		{"America/Sao_Paulo", "0 0 4 11 *", "2018-11-01 00:00", "2018-12-01 00:00", []string{"04 01:00:00 -0200"}},
		{"America/Sao_Paulo", "0 0 * * *", "2018-11-03 12:00", "2018-11-05 12:00", []string{"04 01:00:00 -0200", "05 00:00:00 -0200"}},
		{"America/Sao_Paulo", "0 * 4 11 *", "2018-11-03 12:00", "2018-11-04 02:30", []string{"04 01:00:00 -0200", "04 02:00:00 -0200"}},
		// 02:00 +10:30 is followed by 02:30 +11, 02:00 +11 by 01:30 +10:30
		{"Australia/Lord_Howe", "15 2 * * *", "2025-10-05 00:00", "2025-10-06 00:00", []string{"05 02:30:00 +1100"}},
		{"Australia/Lord_Howe", "0 * * * *", "2025-10-05 00:00", "2025-10-05 04:30", []string{"05 01:00:00 +1030", "05 03:00:00 +1100", "05 04:00:00 +1100"}},
		{"Australia/Lord_Howe", "45 1 * * *", "2025-04-06 00:00", "2025-04-07 00:00", []string{"06 01:45:00 +1100"}},
		{"Australia/Lord_Howe", "15,45 * * * *", "2025-04-06 01:00", "2025-04-06 02:30", []string{"06 01:15:00 +1100", "06 01:45:00 +1100", "06 01:45:00 +1030", "06 02:15:00 +1030"}},
		// no switches
		{"Asia/Kolkata", "0 9 * * mon-fri", "2026-03-27 00:00", "2026-03-31 00:00", []string{"27 09:00:00 +0530", "30 09:00:00 +0530"}},
		{"Asia/Kolkata", "0 */12 * * *", "2026-10-25 00:00", "2026-10-26 00:00", []string{"25 12:00:00 +0530", "26 00:00:00 +0530"}},
		{"Asia/Kathmandu", "0 * * * *", "2026-10-25 00:00", "2026-10-25 02:00", []string{"25 01:00:00 +0545", "25 02:00:00 +0545"}},
		// 30 December 2011 is missing
		{"Pacific/Apia", "0 12 * * *", "2011-12-29 00:00", "2012-01-01 00:00", []string{"29 12:00:00 -1000", "31 12:00:00 +1400"}},
		{"Pacific/Apia", "0 0 * * *", "2011-12-28 12:00", "2012-01-01 00:00", []string{"29 00:00:00 -1000", "31 00:00:00 +1400", "01 00:00:00 +1400"}},
		{"Pacific/Apia", "0 12 30 * *", "2011-12-01 00:00", "2012-02-01 00:00", []string{"30 12:00:00 +1400"}},
		{"Pacific/Apia", "0 */8 * * *", "2011-12-29 12:00", "2011-12-31 12:00", []string{"29 16:00:00 -1000", "31 00:00:00 +1400", "31 08:00:00 +1400"}},
		// 03:00 +01 is followed by 02:00 +00 for Ramadan, and 02:00 +00 by 03:00 +01 after it
		{"Africa/Casablanca", "30 2 * * *", "2026-02-15 00:00", "2026-02-16 00:00", []string{"15 02:30:00 +0100"}},
		{"Africa/Casablanca", "30 2 * * *", "2026-03-22 00:00", "2026-03-23 00:00", []string{"22 03:00:00 +0100"}},
		// 00:00 +02 is followed by 01:00 +03, 00:00 +03 by 23:00 +02 of the day before
		{"Asia/Beirut", "0 0 * * *", "2026-03-28 12:00", "2026-03-29 12:00", []string{"29 01:00:00 +0300"}},
		{"Asia/Beirut", "0 0 * * *", "2026-10-24 12:00", "2026-10-25 12:00", []string{"25 00:00:00 +0200"}},
		{"Asia/Beirut", "30 23 * * *", "2026-10-24 12:00", "2026-10-25 12:00", []string{"24 23:30:00 +0300"}},
		{"Asia/Beirut", "30 * * * *", "2026-10-24 22:45", "2026-10-25 00:30", []string{"24 23:30:00 +0300", "24 23:30:00 +0200", "25 00:30:00 +0200"}},
		{"Africa/Cairo", "5 0 * * fri", "2026-04-23 12:00", "2026-04-25 12:00", []string{"24 01:00:00 +0300"}},
		{"Africa/Cairo", "59 23 * * *", "2026-10-29 12:00", "2026-10-30 12:00", []string{"29 23:59:00 +0300"}},
		// the year after a leap year that is beyond the tables of the zone
		{"Europe/Berlin", "0 */6 * * *", "2040-12-31 00:00", "2041-01-01 00:00", []string{"31 06:00:00 +0100", "31 12:00:00 +0100", "31 18:00:00 +0100", "01 00:00:00 +0100"}},
		{"Europe/Berlin", "30 2 * * *", "2040-12-31 00:00", "2041-01-01 12:00", []string{"31 02:30:00 +0100", "01 02:30:00 +0100"}},
		// 26 hours from one end of the day to the other
		{"Pacific/Kiritimati", "0 0 1 1 *", "2026-12-01 00:00", "2027-02-01 00:00", []string{"01 00:00:00 +1400"}},
		{"Etc/GMT+12", "0 0 1 1 *", "2026-12-01 00:00", "2027-02-01 00:00", []string{"01 00:00:00 -1200"}},
		// one day in 1969 came twice: clocks were set back by 23 hours
		{"Pacific/Kwajalein", "0 12 * * *", "1969-09-29 13:00", "1969-10-02 00:00", []string{"30 12:00:00 +1100", "01 12:00:00 -1200"}},
	} {
		s := parse(t, tt.spec, cron.Options{Zone: tt.zone})
		var got []string
		for _, at := range s.Between(local(t, s, tt.from), local(t, s, tt.to), 100) {
			got = append(got, at.Format("02 15:04:05 -0700"))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s ticks from %s to %s at\n%q, want\n%q", s, tt.from, tt.to, got, tt.want)
		}
	}
}

// local returns the instant at which the clocks of a schedule's zone show text.
func local(t *testing.T, s cron.Schedule, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, s.Zone())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestIntervalsFollowRealTimeOverASwitch(t *testing.T) {
	for _, tt := range []struct {
		spec, day string
		want      int
		apart     time.Duration
	}{
		{"0 * * * *", "2025-03-09", 23, time.Hour},
		{"0 * * * *", "2025-11-02", 25, time.Hour},
		{"@hourly", "2025-11-02", 25, time.Hour},
		{"*/15 * * * *", "2025-03-09", 92, 15 * time.Minute},
		{"*/15 * * * *", "2025-11-02", 100, 15 * time.Minute},
		{"* * * * * *", "2025-11-02", 90000, time.Second},
		{"@every 90m", "2025-11-02", 17, 90 * time.Minute},
	} {
		s := parse(t, tt.spec, cron.Options{Zone: "America/New_York"})
		midnight := local(t, s, tt.day+" 00:00").Add(-time.Second)
		ticks := s.Between(midnight, midnight.AddDate(0, 0, 1), 100_000)
		if len(ticks) != tt.want {
			t.Errorf("%s ticks %d times on %s, want %d", s, len(ticks), tt.day, tt.want)
		}
		for i := 1; i < len(ticks); i++ {
			if apart := ticks[i].Sub(ticks[i-1]); apart != tt.apart {
				t.Fatalf("%s: %v and %v are %v apart, want %v", s, ticks[i-1], ticks[i], apart, tt.apart)
			}
		}
	}
	s := parse(t, "0 0-23 * * *", cron.Options{Zone: "America/New_York"})
	for day, want := range map[string]int{"2025-03-09": 23, "2025-11-02": 24} {
		midnight := local(t, s, day+" 00:00").Add(-time.Second)
		if got := s.Count(midnight, midnight.AddDate(0, 0, 1), 100); got != want {
			t.Errorf("%s ticks %d times on %s, want %d: it goes by the wall clock", s, got, day, want)
		}
	}
}

func TestWhoAsksWithinARepeatIsToldOfTheNextDay(t *testing.T) {
	s := parse(t, "30 1 * * *", cron.Options{Zone: "America/New_York"})
	first := time.Date(2025, 11, 2, 5, 30, 0, 0, time.UTC)
	for asked, want := range map[time.Duration]time.Duration{
		-time.Second:     0,
		0:                25 * time.Hour,
		31 * time.Minute: 25 * time.Hour, // 01:01, for the second time
		89 * time.Minute: 25 * time.Hour,
		25*time.Hour - 1: 25 * time.Hour,
	} {
		if got := s.Next(first.Add(asked)); !got.Equal(first.Add(want)) {
			t.Errorf("after %v comes %v, want %v", first.Add(asked).In(s.Zone()), got, first.Add(want).In(s.Zone()))
		}
	}
}

func TestEntriesOfTwoZonesTickEachInItsOwn(t *testing.T) {
	from := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for zone, want := range map[string]string{
		"Asia/Tokyo":       "2026-11-29T21:00:00Z",
		"America/New_York": "2026-11-29T11:00:00Z",
		"":                 "2026-11-29T06:00:00Z",
	} {
		at := parse(t, "0 6 * * *", cron.Options{Zone: zone}).Next(from)
		if got := at.UTC().Format(time.RFC3339); got != want || at.Hour() != 6 {
			t.Errorf("six o'clock in %q is %s (%v), want %s", zone, got, at, want)
		}
	}
}
