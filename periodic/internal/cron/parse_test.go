package cron_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tables below hold on machines without zones too

	"github.com/leatwork/leat/periodic/internal/cron"
	"github.com/leatwork/leat/task"
)

func TestASpecIsRefusedWithItsFieldAndValue(t *testing.T) {
	noon := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		spec   string
		o      cron.Options
		field  string
		value  string
		reason string
	}{
		{"", cron.Options{}, "spec", `""`, "five or six fields"},
		{"* * * *", cron.Options{}, "spec", `"* * * *"`, "five or six fields, has 4"},
		{"* * * * * * *", cron.Options{}, "spec", `"* * * * * * *"`, "five or six fields, has 7"},
		{"60 * * * *", cron.Options{}, "spec", `"60 * * * *"`, "above maximum (59)"},
		{"* * * * 7", cron.Options{}, "spec", `"* * * * 7"`, "above maximum (6)"},
		{"* * 0 * *", cron.Options{}, "spec", `"* * 0 * *"`, "below minimum (1)"},
		{"9-5 * * * *", cron.Options{}, "spec", `"9-5 * * * *"`, "beyond end of range"},
		{"*/0 * * * *", cron.Options{}, "spec", `"*/0 * * * *"`, "positive"},
		{"* * * foo *", cron.Options{}, "spec", `"* * * foo *"`, "foo"},
		{"1,,2 * * * *", cron.Options{}, "spec", `"1,,2 * * * *"`, `"" in field "1,,2"`},
		{", * * * *", cron.Options{}, "spec", `", * * * *"`, `in field ","`},
		{"*-5 * * * *", cron.Options{}, "spec", `"*-5 * * * *"`, `"*-5"`},
		{"+5 * * * *", cron.Options{}, "spec", `"+5 * * * *"`, `"+5"`},
		{"*/5/5 * * * *", cron.Options{}, "spec", `"*/5/5 * * * *"`, `"*/5/5"`},
		{"0 0 30 2 *", cron.Options{}, "spec", `"0 0 30 2 *"`, "never ticks"},
		{"0 0 31 4,6,9,11 *", cron.Options{}, "spec", `"0 0 31 4,6,9,11 *"`, "never ticks"},
		{"@reboot", cron.Options{}, "spec", `"@reboot"`, "@hourly"},
		{"@daily 5", cron.Options{}, "spec", `"@daily 5"`, "@hourly"},
		{"@every", cron.Options{}, "spec", `"@every"`, "a duration"},
		{"@every 1h 5m", cron.Options{}, "spec", `"@every 1h 5m"`, "a duration"},
		{"@every soon", cron.Options{}, "spec", `"@every soon"`, "soon"},
		{"@every 500ms", cron.Options{}, "spec", `"@every 500ms"`, "at least one"},
		{"@every 1500ms", cron.Options{}, "spec", `"@every 1500ms"`, "whole seconds"},
		{"@every -1h", cron.Options{}, "spec", `"@every -1h"`, "at least one"},
		{"TZ=Asia/Tokyo", cron.Options{}, "spec", `"TZ=Asia/Tokyo"`, "five or six fields"},
		{"TZ=Asia/Tokyo TZ=Asia/Seoul * * * * *", cron.Options{}, "spec", `"TZ=Asia/Tokyo TZ=Asia/Seoul * * * * *"`, `"TZ=Asia/Seoul"`},
		{"* * * * *", cron.Options{Zone: "Europe/Springfield"}, "zone", `"Europe/Springfield"`, "that this machine knows"},
		{"CRON_TZ=Mars * * * * *", cron.Options{}, "zone", `"Mars"`, "that this machine knows"},
		{"TZ= * * * * *", cron.Options{}, "zone", `"TZ="`, "must name"},
		{"TZ=Local * * * * *", cron.Options{}, "zone", `"Local"`, "the same for all"},
		{"* * * * *", cron.Options{Zone: "Local"}, "zone", `"Local"`, "the same for all"},
		{"TZ=UTC * * * * *", cron.Options{Zone: "UTC"}, "zone", `"UTC"`, "TZ=UTC"},
		{"@hourly", cron.Options{Start: noon.Add(time.Second), End: noon.Add(time.Minute)}, "end", noon.Add(time.Minute).String(), "between start and end"},
		{"@hourly", cron.Options{Start: noon, End: noon.Add(-1)}, "end", noon.Add(-1).String(), "between start and end"},
	} {
		_, err := cron.Parse(tt.spec, tt.o)
		e, ok := errors.AsType[*task.InvalidError](err)
		if !ok || e.Field != tt.field || e.Value != tt.value || !strings.Contains(e.Reason, tt.reason) {
			t.Errorf("Parse(%q, %+v) = %v, want an InvalidError of %s %s that says %q", tt.spec, tt.o, err, tt.field, tt.value, tt.reason)
		}
	}
}

func TestSpecAndZoneAreRefusedAtOnce(t *testing.T) {
	_, err := cron.Parse("TZ=Mars 61 * * * *", cron.Options{})
	if err == nil || !strings.Contains(err.Error(), `invalid spec "TZ=Mars 61 * * * *"`) || !strings.Contains(err.Error(), `invalid zone "Mars"`) {
		t.Errorf("got %v, want both faults", err)
	}
}

func TestAScheduleIsWrittenAsItIsRead(t *testing.T) {
	for _, tt := range []struct{ spec, zone, want string }{
		{" 0  6 * * MON ", "", "0 6 * * MON"},
		{"0 6 * * *", "Asia/Tokyo", "CRON_TZ=Asia/Tokyo 0 6 * * *"},
		{"TZ=Asia/Tokyo  @daily", "", "CRON_TZ=Asia/Tokyo @daily"},
		{"CRON_TZ=UTC\t@every 90s", "", "@every 90s"},
	} {
		s := parse(t, tt.spec, cron.Options{Zone: tt.zone})
		if s.String() != tt.want {
			t.Errorf("Parse(%q).String() = %q, want %q", tt.spec, s, tt.want)
		}
		if again := parse(t, s.String(), cron.Options{}); again.String() != tt.want || again.Zone().String() != s.Zone().String() {
			t.Errorf("%q is read as %q in %v", s, again, again.Zone())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{"", "TZ=", "CRON_TZ=Asia/Tokyo", "*/15 2 * * mon-fri", "0 0 29 feb ?", "1,2-3/4 0 0 31 * 6", "@every 1h", "@weekly", "99999999999999999999 * * * *"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := cron.Parse(spec, cron.Options{})
		if err != nil {
			if !errors.Is(err, task.ErrInvalid) {
				t.Errorf("Parse(%q) = %v", spec, err)
			}
			return
		}
		now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
		again := parse(t, s.String(), cron.Options{})
		if next := s.Next(now); !next.After(now) || !next.Equal(again.Next(now)) {
			t.Errorf("%q ticks after %v at %v, %q at %v", spec, now, next, again, again.Next(now))
		}
	})
}

func parse(t testing.TB, spec string, o cron.Options) cron.Schedule {
	t.Helper()
	s, err := cron.Parse(spec, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
