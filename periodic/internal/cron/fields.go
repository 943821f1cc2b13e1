package cron

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// fields are the five or six fields of a spec.
type fields struct {
	match     cron.SpecSchedule // of UTC, which has no switches
	wallClock bool              // neither minute nor hour begins with a star
}

// descriptors are names of fields.
var descriptors = map[string]string{
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
	"@monthly":  "0 0 1 * *",
	"@weekly":   "0 0 * * 0",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@hourly":   "0 * * * *",
}

func spellOut(words []string) ([]string, error) {
	if spelled := descriptors[words[0]]; spelled != "" && len(words) == 1 {
		return strings.Fields(spelled), nil
	}
	return nil, errors.New("must be @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, or @every and a duration")
}

var (
	item   = regexp.MustCompile(`^([*?]|[0-9a-zA-Z]+(-[0-9a-zA-Z]+)?)(/[0-9]+)?$`)
	parser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
)

func parseFields(words []string) (fields, error) {
	if len(words) != 5 && len(words) != 6 {
		return fields{}, fmt.Errorf("must have five or six fields, has %d", len(words))
	}
	for _, word := range words {
		for of := range strings.SplitSeq(word, ",") {
			if !item.MatchString(of) {
				return fields{}, fmt.Errorf("%q in field %q is no value, range or step", of, word)
			}
		}
	}
	read, err := parser.Parse(strings.Join(words, " "))
	if err != nil {
		return fields{}, err
	}
	f := fields{match: *read.(*cron.SpecSchedule)} // what fields are read as
	f.match.Location = time.UTC
	minute, hour := words[len(words)-5], words[len(words)-4]
	f.wallClock = !beginsWithStar(minute) && !beginsWithStar(hour)
	if f.after(time.Unix(0, 0)).IsZero() {
		return fields{}, errors.New("never ticks: no month has such a day")
	}
	return f, nil
}

func beginsWithStar(field string) bool { return strings.ContainsAny(field[:1], "*?") }

// after returns the first wall clock time later than w that matches. It is zero
// only for fields that never match, which parseFields refuses. Wall clock times
// are times of UTC that show the same.
func (f fields) after(w time.Time) time.Time {
	for range 2 { // robfig searches the year of w and five more; 29 February may be eight away
		if at := f.match.Next(w); !at.IsZero() {
			return at
		}
		w = time.Date(w.Year()+6, time.January, 1, 0, 0, 0, -1, time.UTC)
	}
	return time.Time{}
}
