package cron

import (
	"errors"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
)

// Options are what a schedule has beside its spec.
type Options struct {
	Zone  string    // name of the IANA database; empty for what the spec says, or UTC
	Start time.Time // no tick before; zero for no such limit
	End   time.Time // no tick after; zero for no such limit
}

// Parse returns the schedule that spec and o describe. For each fault it joins a
// [task.InvalidError]: of field "spec" for what cannot be read or never ticks, of
// "zone" for a time zone that is unknown or given in both, and of "end" if no
// tick lies between Start and End.
func Parse(spec string, o Options) (Schedule, error) {
	prefix, body := cutZone(strings.TrimSpace(spec))
	zone, zoneErr := loadZone(prefix, o.Zone)
	made, specErr := parseBody(body, o.Start)
	if specErr != nil {
		specErr = task.Invalid("spec", spec, specErr.Error())
	}
	if err := errors.Join(specErr, zoneErr); err != nil {
		return Schedule{}, err
	}
	s := Schedule{spec: strings.Join(strings.Fields(body), " "), zone: zone, start: o.Start, end: o.End, rule: made(zone)}
	if !o.Start.IsZero() && s.Next(o.Start.Add(-1)).IsZero() {
		return Schedule{}, task.Invalid("end", o.End, "no tick lies between start and end")
	}
	return s, nil
}

// cutZone parts a spec that begins with a time zone.
func cutZone(spec string) (prefix, body string) {
	if strings.HasPrefix(spec, "CRON_TZ=") || strings.HasPrefix(spec, "TZ=") {
		if end := strings.IndexAny(spec, " \t"); end >= 0 {
			return spec[:end], spec[end:]
		}
		return spec, ""
	}
	return "", spec
}

// loadZone returns the time zone that a spec's prefix or the options name.
func loadZone(prefix, option string) (*time.Location, error) {
	_, name, given := strings.Cut(prefix, "=")
	switch {
	case given && option != "":
		return nil, task.Invalid("zone", option, "the spec has a zone too: "+prefix)
	case given && name == "":
		return nil, task.Invalid("zone", prefix, "must name a time zone")
	case !given:
		name = option
	}
	if name == "Local" {
		return nil, task.Invalid("zone", name, "must be the same for all who run the entry; name the time zone")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, task.Invalid("zone", name, `must be a time zone that this machine knows, such as "Europe/Berlin"; `+
			"a program that imports time/tzdata knows all")
	}
	return zone, nil
}

// parseBody reads a spec without its zone.
func parseBody(body string, start time.Time) (func(*time.Location) rule, error) {
	words := strings.Fields(body)
	switch {
	case len(words) == 0:
		return nil, errors.New("must have five or six fields")
	case words[0] == "@every":
		step, err := parseEvery(words[1:])
		return func(*time.Location) rule { return every{step: step, from: start} }, err
	case strings.HasPrefix(words[0], "@"):
		var err error
		if words, err = spellOut(words); err != nil {
			return nil, err
		}
	}
	f, err := parseFields(words)
	return func(zone *time.Location) rule {
		if f.wallClock {
			return byWallClock{f, zone}
		}
		return byRealTime{f, zone}
	}, err
}
