package connect

import "strings"

// Nearest returns which of words is meant by one that is none of them, or "" if that
// cannot be guessed.
func Nearest(word string, words []string) string {
	best, least := "", max(len(word)/3, 2)+1
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

// distance returns how many letters have to be put in, taken out or changed to make a
// into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
