package task

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// ParseOption returns the option that prints as text, as asynq and this package
// write options down: MaxRetry(3), Queue("low"). The times of ProcessAt and
// Deadline are whole seconds there, in a zone that is not known to everybody:
// only UTC, GMT and the zone of this machine are read.
//
// It returns an [InvalidError] for a text that is none of the options of asynq.
func ParseOption(text string) (Option, error) {
	name, argument, ok := strings.Cut(text, "(")
	argument, closed := strings.CutSuffix(argument, ")")
	parse := optionParsers[name]
	if !ok || !closed || parse == nil {
		return nil, Invalid("option", text, "is not a known option, as in MaxRetry(3)")
	}
	o, err := parse(argument)
	if err != nil {
		return nil, Invalid("option", text, "has an argument that cannot be read")
	}
	return o, nil
}

var optionParsers = map[string]func(string) (Option, error){
	"TaskID":    parser(strconv.Unquote, ID),
	"Queue":     parser(strconv.Unquote, Queue),
	"Group":     parser(strconv.Unquote, Group),
	"MaxRetry":  parser(strconv.Atoi, MaxRetry),
	"Timeout":   parser(time.ParseDuration, Timeout),
	"Unique":    parser(time.ParseDuration, Unique),
	"ProcessIn": parser(time.ParseDuration, ProcessIn),
	"Retention": parser(time.ParseDuration, Retention),
	"Deadline":  parser(parseUnixDate, Deadline),
	"ProcessAt": parser(parseUnixDate, ProcessAt),
	"Header":    parser(parsePair, func(pair [2]string) Option { return Header(pair[0], pair[1]) }),
}

// parser returns a function that reads an argument and makes an option of it.
func parser[T any](read func(string) (T, error), option func(T) Option) func(string) (Option, error) {
	return func(argument string) (Option, error) {
		value, err := read(argument)
		if err != nil {
			return nil, err
		}
		return option(value), nil
	}
}

// parseUnixDate reads a time. The zones that Go does not know it takes to be UTC
// under another name, which would move the time by hours in silence.
func parseUnixDate(text string) (time.Time, error) {
	t, err := time.ParseInLocation(time.UnixDate, text, time.Local)
	if err != nil {
		return time.Time{}, err
	}
	zone, offset := t.Zone()
	if offset == 0 && zone != "UTC" && zone != "GMT" && t.Location() != time.Local {
		return time.Time{}, Invalid("zone", zone, "is not known here")
	}
	return t, nil
}

func parsePair(text string) (pair [2]string, err error) {
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return pair, err
	}
	if len(list) != len(pair) {
		return pair, Invalid("header", text, "is not a key and a value")
	}
	return [2]string(list), nil
}
