package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// deedFunctions are what templates offer deeds with:
//
//	{{deeds "task" .State (target .Queue .ID)}}    what may be done to one thing
//	{{fill "task" "enqueue" "queue" .Queue}}       what makes something, or is done to a part, with what is known of it
//	{{pick (target .Queue .ID)}}                   a box with which one of several is chosen
//	{{pickall}}                                    one that chooses all of the page
//	{{several "task" .State .Query}}               what may be done to those, or to all that the query takes
//
// They show nothing to who may not, nor where nothing is changed. The boxes need not be
// within what several shows.
func (p *Pages) deedFunctions(role access.Role) template.FuncMap {
	return template.FuncMap{
		"target": func(queue, id string) deed.Target { return deed.Target{Queue: queue, ID: id} },
		"deeds":  func(kind, state string, t deed.Target) (template.HTML, error) { return p.offer(role, kind, state, t) },
		"fill": func(kind, name string, known ...any) (template.HTML, error) {
			return p.offerFilled(role, kind, name, known)
		},
		"pick":    func(t deed.Target) (template.HTML, error) { return p.pick(role, t) },
		"pickall": func() template.HTML { return p.pickAll(role) },
		"several": func(kind, state, query string) (template.HTML, error) {
			return p.offerSeveral(role, kind, state, query)
		},
	}
}

// An offer is a button for a deed.
type offer struct {
	deed.Deed
	Action string // where its form is
	Link   string // the form with its target; "": it is done at once
	Target deed.Target
}

// offers returns what may be done to something in a state; "": in any.
func (p *Pages) offers(role access.Role, kind deed.Kind, state string) (all []offer) {
	if p.ReadOnly {
		return nil
	}
	for _, d := range deed.All(role) {
		if d.Kind == kind && !d.New && !d.Part && (state == "" || d.SuitsState(state)) {
			all = append(all, offer{Deed: d, Action: p.deedPath(d)})
		}
	}
	return all
}

func (p *Pages) deedPath(d deed.Deed) string {
	return p.Root + "/deed/" + string(d.Kind) + "/" + d.Name
}

// AtOnce reports whether the deed needs neither to be asked for again nor more to be said.
func (o offer) AtOnce() bool { return !o.Final && len(o.Params) == 0 }

var offerTemplate = template.Must(template.New("offers").Parse(
	`{{if .}}<span class="deeds">{{range .}}` +
		`{{if .Link}}<a class="button small{{if .Final}} final{{end}}" href="{{.Link}}" title="{{.Help}}" data-deed>{{.Label}}…</a>` +
		`{{else}}<form method="post" action="{{.Action}}" class="inline" data-deed>` +
		`{{with .Target.Queue}}<input type="hidden" name="queue" value="{{.}}">{{end}}{{with .Target.ID}}<input type="hidden" name="id" value="{{.}}">{{end}}` +
		`<button class="small" title="{{.Help}}">{{.Label}}</button></form>{{end}}` +
		`{{end}}</span>{{end}}`))

func (p *Pages) offer(role access.Role, kind, state string, t deed.Target) (template.HTML, error) {
	all := p.offers(role, deed.Kind(kind), state)
	for i, o := range all {
		all[i].Target = t
		if !o.AtOnce() {
			link, err := p.url("/deed/"+kind+"/"+o.Name, "queue", t.Queue, "id", t.ID)
			if err != nil {
				return "", err
			}
			all[i].Link = link
		}
	}
	return render(offerTemplate, all)
}

func (p *Pages) offerFilled(role access.Role, kind, name string, known []any) (template.HTML, error) {
	d, err := deed.Find(deed.Kind(kind), name)
	if err != nil || p.ReadOnly || !role.Allows(d.Role) {
		return "", err
	}
	link, err := p.url("/deed/"+kind+"/"+name, known...)
	if err != nil {
		return "", err
	}
	return render(offerTemplate, []offer{{Deed: d, Link: link}})
}

// picksForm is the id of the form to which the boxes belong.
const picksForm = "picks"

var pickTemplate = template.Must(template.New("pick").Parse(
	`<input type="checkbox" name="pick" form="` + picksForm + `" value="{{.Value}}" aria-label="Choose {{.Name}}">`))

func (p *Pages) pick(role access.Role, t deed.Target) (template.HTML, error) {
	if !p.may(access.Identity{Role: role}) {
		return "", nil
	}
	return render(pickTemplate, map[string]string{"Value": pickValue(t), "Name": t.String()})
}

func (p *Pages) pickAll(role access.Role) template.HTML {
	if !p.may(access.Identity{Role: role}) {
		return ""
	}
	return `<input type="checkbox" data-pick-all hidden aria-label="Choose all of this page">`
}

// pickValue returns a target as one value of a form.
func pickValue(t deed.Target) string {
	v := url.Values{}
	if t.Queue != "" {
		v.Set("queue", t.Queue)
	}
	if t.ID != "" {
		v.Set("id", t.ID)
	}
	return v.Encode()
}

// readPick is the other way round.
func readPick(text string) (deed.Target, error) {
	v, err := url.ParseQuery(text)
	return deed.Target{Queue: v.Get("queue"), ID: v.Get("id")}, err
}

var severalTemplate = template.Must(template.New("several").Parse(
	`{{if .Offers}}<form id="` + picksForm + `" method="get" class="deeds" data-deed data-kind="{{.Kind}}">` +
		`<span class="dim" data-picked>With those that are chosen:</span>` +
		`{{range .Offers}}<button class="small{{if .Final}} final{{end}}" formaction="{{.Action}}" title="{{.Help}}"{{if .AtOnce}} formmethod="post"{{end}}>{{.Label}}{{if not .AtOnce}}…{{end}}</button>{{end}}` +
		`<input type="hidden" name="q" value="{{.Query}}"><label class="inline"><input type="checkbox" name="all" value="1"> all that match, on all pages</label>` +
		`</form>{{end}}`))

func (p *Pages) offerSeveral(role access.Role, kind, state, query string) (template.HTML, error) {
	var all []offer
	for _, o := range p.offers(role, deed.Kind(kind), state) {
		if o.Several {
			all = append(all, o)
		}
	}
	return render(severalTemplate, map[string]any{"Offers": all, "Kind": kind, "Query": query})
}

func render(t *template.Template, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("%s: %w", t.Name(), err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // html/template has escaped what is ours and what is not
}
