package pages

import (
	"encoding/json"
	"net/http"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
)

// A suggestion is what may stand in a query in place of a part of it. Its places are those
// of JavaScript, which counts in units of UTF-16.
type suggestion struct {
	Text string `json:"text"`
	Help string `json:"help,omitempty"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

const mostSuggestions = 30

// complete answers with what may stand at a place of a query that is being written.
func (p *Pages) complete(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	text := v.Get("q")
	units, _ := strconv.Atoi(v.Get("at")) // what is none is 0
	at := byteAt(text, units)
	var found []query.Suggestion
	switch v.Get("of") {
	case "queues":
		found = query.Complete(query.Queues.Knowing("queue", p.queueNames(r)), text, at)
	case "groups":
		found = query.Complete(query.Groups.Knowing("queue", p.queueNames(r)), text, at)
	case "runs":
		found = query.Complete(query.Runs.Knowing("queue", p.queueNames(r)), text, at)
	default:
		found = query.Complete(query.Tasks.Knowing("queue", p.queueNames(r)), text, at)
	}
	suggestions := []suggestion{}
	for _, s := range found[:min(len(found), mostSuggestions)] {
		if utf8.ValidString(s.Text) {
			suggestions = append(suggestions, suggestion{s.Text, plain.Name(s.Help), unitsTo(text, s.From), unitsTo(text, s.To)})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(suggestions) // nobody to tell
}

// queueNames returns the names of the queues, as far as they are to be had.
func (p *Pages) queueNames(r *http.Request) (names []string) {
	q, err := p.Storage.Queues(r.Context())
	if err != nil {
		return nil
	}
	for _, i := range q.Infos {
		names = append(names, i.Queue)
	}
	return names
}

// byteAt returns which byte of text comes after so many units of UTF-16.
func byteAt(text string, units int) int {
	for i, r := range text {
		if units <= 0 {
			return i
		}
		units -= utf16.RuneLen(r)
	}
	return len(text)
}

// unitsTo returns how many units of UTF-16 the first bytes of text are.
func unitsTo(text string, bytes int) (n int) {
	for _, r := range text[:bytes] {
		n += utf16.RuneLen(r)
	}
	return n
}
