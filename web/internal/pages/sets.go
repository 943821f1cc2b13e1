package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"

	"github.com/leatwork/leat/web/access"
)

//go:embed templates
var files embed.FS

// A set is the templates of one page, as somebody with one role sees it.
type set struct {
	*template.Template
	live []string // names of the parts that are live
}

const liveTemplate = "live:"

// part renders a part that is live.
func (s *set) part(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<section data-part="%s" id="part-%s">`, name, name) // a name of a template of ours
	if err := s.ExecuteTemplate(&b, liveTemplate+name, data); err != nil {
		return "", err
	}
	b.WriteString("</section>")
	return template.HTML(b.String()), nil //nolint:gosec // what a template of html/template has made
}

// sets are the templates of all pages, each parsed when it is needed first.
type sets struct {
	mu    sync.Mutex
	known map[setKey]*set
}

type setKey struct {
	name string
	role access.Role
}

// of returns the templates of the page of that name, for a role.
func (s *sets) of(p *Pages, name string, role access.Role) (*set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := setKey{name, role}
	if one := s.known[k]; one != nil {
		return one, nil
	}
	one := &set{}
	functions := p.functions(role)
	functions["live"] = one.part
	parsed, err := template.New(name).Funcs(functions).ParseFS(files, "templates/frame.html", "templates/parts.html", "templates/"+name+".html")
	if err != nil {
		return nil, err
	}
	one.Template = parsed.Option("missingkey=error")
	for _, t := range parsed.Templates() {
		if part, ok := strings.CutPrefix(t.Name(), liveTemplate); ok {
			one.live = append(one.live, part)
		}
	}
	slices.Sort(one.live)
	if s.known == nil {
		s.known = map[setKey]*set{}
	}
	s.known[k] = one
	return one, nil
}
