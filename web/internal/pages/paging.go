package pages

import "strconv"

// A paging is where one can go from a page of a list that is read bit by bit.
type paging struct {
	Place string // how far the list has got
	First string // the address of the first page; "": this is it
	Next  string // that of the next page; "": there is none
	GoOn  bool   // the page ends only because enough was looked at
	Sizes []choice
}

// A choice is one of several ways to see something.
type choice struct {
	Text, URL string
	Current   bool
}

// paging returns where one can go from a page of so many rows of a size, behind which the
// list goes on at token; "": it is at its end.
func (p *Pages) paging(r *request, token string, rows, size int) (g paging, err error) {
	link := func(name, value string) string {
		address, e := p.with(r, name, value)
		if e != nil {
			err = e
		}
		return address
	}
	if token != "" {
		g.Next = link("cursor", token)
	}
	if r.get("cursor") != "" {
		g.First = link("cursor", "")
	}
	for _, n := range pageSizes {
		g.Sizes = append(g.Sizes, choice{strconv.Itoa(n), link("size", strconv.Itoa(n)), n == size})
	}
	g.GoOn = token != "" && rows < size
	return g, err
}
