package broker

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// How many terms a [Listing] may have, and how many bytes each.
const (
	MaxTerms     = 32
	MaxTermBytes = 512
)

// A Listing is what a home is found by, from the change that says so until the
// home is deleted or another change says otherwise.
type Listing struct {
	At    time.Time // its place among the homes beside the same queue; in milliseconds
	Terms []string  // distinct, valid UTF-8 and not empty
}

// A HomesRequest asks for the homes beside Queue that have a [Listing] with all of
// Terms, in order of its At, ties by id; with Newest set in the reverse order.
type HomesRequest struct {
	Queue    string
	Terms    []string  // at most MaxTerms; none: all that are listed
	From, To time.Time // At is not before From, and before To; zero: no bound
	Newest   bool
	After    string // the Next of the page before; "": from the beginning
	Limit    int    // 1 to MaxParts
}

// A HomesPage is part of the homes that were asked for. It may hold fewer than
// were asked for, even none, although there are more: then, too, Next is not
// empty. What changes its Listing meanwhile may be told twice, or not.
type HomesPage struct {
	Homes []ListedHome
	Next  string // "" on the last page
}

// A ListedHome is a home that was found, and the At of its [Listing].
type ListedHome struct {
	Home Home
	At   time.Time
}

// An OpenRequest asks for the open entries of Home, in whatever order.
type OpenRequest struct {
	Home  Home
	After string // the Next of the page before; "": from the beginning
	Limit int    // 1 to MaxParts; about so many are returned
}

// An OpenPage is part of the open entries of a home: all that are open from the
// first page to the last are in one of them, and maybe in several; what begins or
// ends to be open meanwhile may be in one or in none.
type OpenPage struct {
	Entries []EntryRef
	Next    string // "" on the last page
}

// Check returns what makes no sense in r, which [Broker.OpenEntries] is called with,
// as rule 6 of the package comment has it, or nil.
func (r OpenRequest) Check() error {
	var k checker
	k.at(r.Home)
	k.limit("OpenRequest.Limit", r.Limit)
	return k.refusal()
}

// Check returns what makes no sense in r, which [Broker.Homes] is called with, as
// rule 6 of the package comment has it, or nil.
func (r HomesRequest) Check() error {
	var k checker
	k.made("HomesRequest.Queue", r.Queue)
	k.terms("HomesRequest.Terms", r.Terms)
	k.limit("HomesRequest.Limit", r.Limit)
	return k.refusal()
}

func (k *checker) limit(field string, n int) {
	if n < 1 || n > MaxParts {
		k.refuse(field, n, fmt.Sprintf("must be 1 to %d", MaxParts))
	}
}

func (k *checker) listing(l *Listing) {
	if l == nil {
		return
	}
	if l.At.IsZero() {
		k.refuse("List.At", l.At, "is needed")
	}
	k.terms("List.Terms", l.Terms)
}

func (k *checker) terms(field string, terms []string) {
	if n := len(terms); n > MaxTerms {
		k.refuse(field, n, fmt.Sprintf("are more than %d", MaxTerms))
	}
	var seen set[string]
	for _, t := range terms {
		switch {
		case t == "" || len(t) > MaxTermBytes || !utf8.ValidString(t):
			k.refuse(field, t, fmt.Sprintf("must be 1 to %d bytes of valid UTF-8", MaxTermBytes))
		case !seen.add(t, len(terms)):
			k.refuse(field, t, "is there twice")
		}
	}
}
