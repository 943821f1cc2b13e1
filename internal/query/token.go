package query

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
)

// A mark is how far a search has come.
type mark struct {
	For     string `json:"q"` // the search that it is of
	State   string `json:"s,omitempty"`
	Queue   string `json:"n,omitempty"`
	Group   string `json:"g,omitempty"`
	After   string `json:"a,omitempty"` // within that place; "": at its beginning
	Told    int    `json:"t,omitempty"` // of tasks that were looked up by their ids
	Scanned int    `json:"c,omitempty"`
	Total   int    `json:"m,omitempty"`
}

// maxToken is how long a token may be.
const maxToken = 4096

// Token returns where the search stands, for another one, in another process or later,
// that is to [Search.Resume] behind the last task that was told. It is plain ASCII, and ""
// if there are no more tasks, or [Search.Next] was not called.
func (s *Search) Token() string {
	var m mark
	switch {
	case !s.begun || len(s.places)+len(s.found) == 0:
		return ""
	case len(s.found) > 0:
		m = s.last
	default:
		m = s.markOf(s.places[0], s.after)
	}
	m.For, m.Total = s.name(), s.total
	return tokenOf(m)
}

// Resume has a search that has not begun go on where another one stood, whose
// [Search.Token] it is given and which searched for the same. Scanned and Total go on,
// too. What is no such token is refused with a [task.InvalidError]; one whose text was
// changed may be refused by the storage instead, when [Search.Next] is called.
func (s *Search) Resume(token string) error {
	m, err := read[mark](token)
	if err != nil {
		return err
	}
	if m.For != s.name() {
		return refuse(token, foreignToken)
	}
	if _, err := task.ParseState(m.State); err != nil && m.Told == 0 || m.Told < 0 || m.Scanned < 0 || m.Total < 0 {
		return refuse(token, noToken)
	}
	s.from = &m
	return nil
}

// name tells searches for different tasks apart.
func (s *Search) name() string {
	return nameOf(s.Query.String(), s.Queues, s.States, s.Group, s.Newest)
}

// nameOf returns a short name of what is searched for.
func nameOf(what ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", what))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// tokenOf returns a mark as a token.
func tokenOf(mark any) string {
	text, err := json.Marshal(mark)
	if err != nil {
		return "" // there is nothing in it that has no JSON
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// read returns the mark that a token is.
func read[M any](token string) (m M, err error) {
	if len(token) > maxToken {
		return m, refuse(token[:80]+"…", "is too long")
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(text, &m) != nil {
		return m, refuse(token, noToken)
	}
	return m, nil
}

// What may be wrong with a token.
const (
	noToken      = "is none that was given out"
	foreignToken = "was given out for another query"
)

func refuse(token, reason string) error {
	return fmt.Errorf("search: %w", task.Invalid("cursor", token, reason))
}

// markOf returns how far the search is that has come so far in p.
func (s *Search) markOf(p Place, after string) mark {
	return mark{State: p.State.String(), Queue: p.Queue, Group: p.Group, After: after, Scanned: s.scanned}
}

// goOn leaves out what lies before the place at which the search is to go on.
func (s *Search) goOn() {
	m := s.from
	if m == nil {
		return
	}
	if m.Told > 0 {
		s.found = s.found[min(m.Told, len(s.found)):]
		return
	}
	s.scanned, s.total = m.Scanned, max(m.Total, m.Scanned)
	s.places = slices.DeleteFunc(s.places, func(p Place) bool { return m.against(p) > 0 })
	if len(s.places) > 0 && m.against(s.places[0]) == 0 {
		s.after = m.After
	}
}

// against compares the place in which m is with p.
func (m *mark) against(p Place) int {
	state, _ := task.ParseState(m.State) // which was seen when m was read
	return cmp.Or(rank(state)-rank(p.State), strings.Compare(m.Queue, p.Queue), strings.Compare(m.Group, p.Group))
}
