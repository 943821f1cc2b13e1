package pages

import (
	"slices"
	"strings"
)

// A column is a column of a table by which it can be sorted.
type column[T any] struct {
	Key   string // in addresses; "": it cannot
	Title string
	Help  string
	Num   bool // its cells are numbers: those that are looked for are the largest
	less  func(a, b T) int
}

// A heading is the heading of a column, with the link that sorts by it.
type heading struct {
	Title, Help string
	Num         bool
	URL         string // "": there is none
	Sorted      string // as aria-sort has it; "": it is not sorted by this
}

// firstOf returns the first rows, most of them, and how many are left.
func firstOf[T any](rows []T, most int) (first []T, left int) {
	n := min(len(rows), most)
	return rows[:n:n], len(rows) - n
}

// sorted sorts rows as the query of r says, and returns the headings. A minus before the
// name of a column turns the order round.
func sorted[T any](p *Pages, r *request, columns []column[T], rows []T) ([]heading, error) {
	by, down := strings.CutPrefix(r.get("sort"), "-")
	var headings []heading
	for _, c := range columns {
		h := heading{Title: c.Title, Help: c.Help, Num: c.Num}
		if c.less != nil {
			next := c.Key
			if c.Num {
				next = "-" + c.Key
			}
			if c.Key == by {
				h.Sorted, next = "ascending", "-"+c.Key
				if down {
					h.Sorted, next = "descending", c.Key
				}
				slices.SortStableFunc(rows, func(a, b T) int {
					if down {
						a, b = b, a
					}
					return c.less(a, b)
				})
			}
			var err error
			if h.URL, err = p.with(r, "sort", next); err != nil {
				return nil, err
			}
		}
		headings = append(headings, h)
	}
	return headings, nil
}

// with returns the address of the page that r asks for, with one thing in its query
// otherwise. What says how far one has come in a list, and what was said, is left out.
func (p *Pages) with(r *request, name, value string) (string, error) {
	var pairs []any
	for _, key := range slices.Sorted(slices.Values(r.names())) {
		if key != name && key != "cursor" && key != "notice" {
			for _, v := range r.Query[key] {
				pairs = append(pairs, key, v)
			}
		}
	}
	return p.url(r.Page.path, append(pairs, name, value)...)
}

// names returns what the query of r names.
func (r *request) names() (names []string) {
	for name := range r.Query {
		names = append(names, name)
	}
	return names
}
