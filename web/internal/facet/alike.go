package facet

import (
	"regexp"
	"strings"

	"github.com/leatwork/leat/internal/query"
)

// varying is what differs between errors that are otherwise alike: numbers, addresses,
// times, ids and the like.
var varying = regexp.MustCompile(`0[xX][0-9a-fA-F]+|\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}\b|\b[0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}\b|\b[0-9a-fA-F]{7,}[0-9][0-9a-fA-F]*\b|[0-9]+`)

// between is what stands between the parts of an address, a time or a list of numbers.
var between = regexp.MustCompile(`#([.:,/+T -]{0,2}#)+`)

const alikeMost = 160 // bytes of an error that are compared

// alike returns what an error has in common with others that tell of the same: its first
// line, with "#" in place of what varies.
func alike(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	if len(line) > alikeMost {
		line = strings.ToValidUTF8(line[:alikeMost], "")
	}
	line = strings.ReplaceAll(line, "#", " ")
	return between.ReplaceAllString(varying.ReplaceAllString(line, "#"), "#")
}

// alikeTerm returns the term of a query that takes the errors which are alike in that way.
func alikeTerm(common string) string {
	parts := append(strings.Split(common, "#"), "") // whatever comes behind
	if n := len(parts); parts[n-2] == "" {
		parts = parts[:n-1]
	}
	return query.Term("error", parts[0], parts[1:]...)
}
