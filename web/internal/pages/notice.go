package pages

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
)

// A notice is what came of something that was asked for, shown once on the next page.
type notice struct {
	Text string
	Bad  bool
}

// Bytes returns the text.
func (n notice) Bytes() []byte { return []byte(n.Text) }

// notices are those that nobody has seen yet, under names that nobody can guess: no
// address has a text in it that a page would show.
type notices struct {
	mu    sync.Mutex
	known map[string]notice
	names []string // the oldest first
}

const mostNotices = 1000

// keep keeps a notice and returns its name.
func (n *notices) keep(what notice) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[string]notice{}
	}
	if len(n.names) == mostNotices {
		delete(n.known, n.names[0])
		n.names = n.names[1:]
	}
	name := rand.Text()
	n.known[name] = what
	n.names = append(n.names, name)
	return name
}

// take returns the notice of that name, once; nil if there is none.
func (n *notices) take(name string) *notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	what, ok := n.known[name]
	if !ok {
		return nil
	}
	delete(n.known, name)
	return &what
}

// say answers with a page to go to, on which what is shown. The address is one of ours.
func (p *Pages) say(w http.ResponseWriter, r *http.Request, address string, what notice) {
	u, err := url.Parse(address)
	if err != nil {
		u = &url.URL{Path: p.Root + "/"}
	}
	q := u.Query()
	q.Set("notice", p.notices.keep(what))
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}
