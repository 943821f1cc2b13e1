package redisbroker

import (
	"strconv"
	"time"
)

// textAt, numberAt and the like return the i-th value of a reply, or nothing if it
// is of another kind.
func textAt(reply []any, i int) string {
	if i < len(reply) {
		if s, ok := reply[i].(string); ok {
			return s
		}
	}
	return ""
}

// bytesAt returns nil for what is not there, and never for what is.
func bytesAt(reply []any, i int) []byte {
	if i < len(reply) {
		if s, ok := reply[i].(string); ok {
			return []byte(s)
		}
	}
	return nil
}

func numberAt(reply []any, i int) int64 {
	if i < len(reply) {
		switch n := reply[i].(type) {
		case int64:
			return n
		case string:
			v, _ := strconv.ParseInt(n, 10, 64)
			return v
		}
	}
	return 0
}

// momentAt returns a time that is given in milliseconds; 0 is the zero time.
func momentAt(reply []any, i int) time.Time {
	if ms := numberAt(reply, i); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func listAt(reply []any, i int) []any {
	if i < len(reply) {
		if l, ok := reply[i].([]any); ok {
			return l
		}
	}
	return nil
}
