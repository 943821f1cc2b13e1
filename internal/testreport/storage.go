package main

import (
	"slices"
	"strings"
	"unicode"
)

// A storage is what a test's broker keeps its entries in.
type storage string

const (
	sqlite storage = "SQLite"
	redis  storage = "Redis"
)

// storages returns the kinds of storage that a test ran on: that of its
// package if it is a broker's, or else what the test is named for.
func storages(pkg, test string) []storage {
	switch {
	case strings.HasSuffix(pkg, "/sqlitebroker"):
		return []storage{sqlite}
	case strings.HasSuffix(pkg, "/redisbroker"):
		return []storage{redis}
	}
	var found []storage
	in := words(test)
	if slices.Contains(in, "sqlite") || slices.Contains(in, "memory") {
		found = append(found, sqlite)
	}
	if slices.Contains(in, "redis") {
		found = append(found, redis)
	}
	return found
}

// words returns the words of a test's name in lower case. They end where no
// letter follows, and before a capital that follows a small letter.
func words(name string) []string {
	var b strings.Builder
	var last rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) || !unicode.IsLetter(r) {
			b.WriteByte(' ')
		}
		if unicode.IsLetter(r) {
			b.WriteRune(unicode.ToLower(r))
		}
		last = r
	}
	return strings.Fields(b.String())
}
