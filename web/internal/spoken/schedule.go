package spoken

import (
	"fmt"
	"strings"
	"time"
)

// Schedule returns in words what the schedule of a periodic entry says, such as "every 5
// minutes" or "Monday to Friday at 02:30, Europe/Berlin". Of a schedule for which there
// are no plain words it returns spec itself, as it does of one that makes no sense.
func Schedule(spec, zone string) string {
	body := strings.TrimSpace(spec)
	if prefix, rest, ok := strings.Cut(body, " "); ok {
		if name, named := strings.CutPrefix(strings.TrimPrefix(prefix, "CRON_"), "TZ="); named {
			zone, body = name, rest
		}
	}
	said, clock := words(strings.Fields(body))
	switch {
	case said == "":
		return spec
	case !clock:
		return said
	case zone == "":
		zone = "UTC"
	}
	return said + ", " + zone
}

// descriptors are words that stand for fields.
var descriptors = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// words returns what a spec without its zone says, and whether that depends on a clock.
func words(fields []string) (said string, clock bool) {
	if len(fields) == 2 && fields[0] == "@every" {
		d, err := time.ParseDuration(fields[1])
		if err != nil || d < time.Second || d%time.Second != 0 {
			return "", false
		}
		return every(d), false
	}
	if len(fields) == 1 {
		fields = strings.Fields(descriptors[fields[0]])
	}
	if len(fields) == 5 {
		fields = append([]string{"0"}, fields...)
	}
	if len(fields) != 6 {
		return "", false
	}
	var read [6]field
	for i, text := range fields {
		var ok bool
		if read[i], ok = parseField(text, bounds[i]); !ok {
			return "", false
		}
	}
	return spec{second: read[0], minute: read[1], hour: read[2], day: read[3], month: read[4], weekday: read[5]}.words()
}

// every says a pause between ticks in the largest unit of which it is a whole number.
func every(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d%unit.d == 0 {
			return everyN(int(d/unit.d), unit.name)
		}
	}
	return ""
}

func everyN(n int, unit string) string {
	if n == 1 {
		return "every " + unit
	}
	return fmt.Sprintf("every %d %ss", n, unit)
}

// A spec is six fields.
type spec struct{ second, minute, hour, day, month, weekday field }

// words says the spec, or "" if there are no plain words for it.
func (s spec) words() (said string, clock bool) {
	days, ok := s.days()
	if !ok {
		return "", false
	}
	if times := s.times(); times != "" {
		if days == "" {
			days = "every day"
		}
		return days + " at " + times, true
	}
	pause, within := s.pause()
	switch {
	case pause == "":
		return "", false
	case days != "":
		return pause + within + ", " + days, true
	}
	return pause + within, within != ""
}

// mostTimes is how many times of a day are said one by one.
const mostTimes = 4

// times says the times of a day at which the spec ticks, if they are few.
func (s spec) times() string {
	if s.second.isAll() || s.minute.isAll() || s.hour.isAll() || len(s.second.values) != 1 || len(s.minute.values)*len(s.hour.values) > mostTimes {
		return ""
	}
	var times []string
	for _, h := range s.hour.values {
		for _, m := range s.minute.values {
			t := fmt.Sprintf("%02d:%02d", h, m)
			if sec := s.second.values[0]; sec != 0 {
				t += fmt.Sprintf(":%02d", sec)
			}
			times = append(times, t)
		}
	}
	return list(times)
}

// pause says how much time is between ticks, and within which hours.
func (s spec) pause() (pause, within string) {
	sec, secStep := s.second.single(), s.second.step()
	minute, minuteStep := s.minute.single(), s.minute.step()
	switch {
	case secStep > 0 && s.minute.isAll() && s.hour.isAll():
		return everyN(secStep, "second"), ""
	case sec != 0:
		return "", ""
	case minuteStep > 0:
		from, to, ok := s.hour.run()
		if s.hour.isAll() {
			return everyN(minuteStep, "minute"), ""
		}
		if !ok {
			return "", ""
		}
		return everyN(minuteStep, "minute"), fmt.Sprintf(" from %02d:00 to %02d:59", from, to)
	case minute < 0:
		return "", ""
	}
	at := ""
	if minute > 0 {
		at = fmt.Sprintf(", %s past", many(minute, "minute"))
	}
	if step := s.hour.step(); step > 0 {
		return everyN(step, "hour") + at, ""
	}
	if from, to, ok := s.hour.run(); ok {
		return "every hour", fmt.Sprintf(" from %02d:%02d to %02d:%02d", from, minute, to, minute)
	}
	return "", ""
}

func many(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// unbound is a field that restricts nothing.
var unbound = field{values: []int{1}, bound: bound{from: 1, to: 1}, starred: true}

// days says on which days the spec ticks; "" on all.
func (s spec) days() (said string, ok bool) {
	if either := !s.day.starred && !s.weekday.starred; either && (s.day.isAll() || s.weekday.isAll()) {
		s.day, s.weekday = unbound, unbound // of two that restrict one is enough, and this one has all
	}
	var parts []string
	if !s.day.isAll() {
		if s.day.stepped {
			return "", false
		}
		parts = append(parts, "on the "+list(named(s.day.values, ordinal)))
	}
	if !s.weekday.isAll() {
		if s.weekday.stepped {
			return "", false
		}
		parts = append(parts, s.weekdays())
	}
	said = strings.Join(parts, ", and ") // one of them is enough
	if !s.month.isAll() {
		if s.month.stepped {
			return "", false
		}
		if said == "" {
			said = "every day"
		}
		return said + " in " + list(named(s.month.values, func(n int) string { return time.Month(n).String() })), true
	}
	if !s.day.isAll() {
		said = strings.Replace(said, parts[0], parts[0]+" of each month", 1)
	}
	return said, true
}

// weekdays says the days of the week.
func (s spec) weekdays() string {
	name := func(n int) string { return time.Weekday(n).String() }
	if from, to, ok := s.weekday.run(); ok && to > from+1 {
		return name(from) + " to " + name(to)
	}
	return "on " + list(named(s.weekday.values, func(n int) string { return name(n) + "s" }))
}

func named(values []int, name func(int) string) (names []string) {
	for _, v := range values {
		names = append(names, name(v))
	}
	return names
}

func ordinal(n int) string {
	end := "th"
	if n < 11 || n > 13 {
		switch n % 10 {
		case 1:
			end = "st"
		case 2:
			end = "nd"
		case 3:
			end = "rd"
		}
	}
	return fmt.Sprint(n, end)
}

// list joins words with commas, and the last two with "and".
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
