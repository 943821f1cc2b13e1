// Package nearest guesses which word somebody meant who has written another.
package nearest

import "strings"

// Of returns which of words is meant by one that is none of them, or "" if that cannot
// be guessed: one that differs in a few places, or begins with what was written.
func Of(word string, words []string) string {
	best, least := "", min(len(word)/2, 3)+1
	for _, w := range words {
		d := distance(word, w)
		if strings.HasPrefix(w, word) && len(word) > 2 {
			d = min(d, 1)
		}
		if d < least {
			best, least = w, d
		}
	}
	return best
}

// distance returns in how many places a and b differ: letters that are missing, too many,
// or others.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
