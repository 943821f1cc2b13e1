package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Settings are how somebody wants the pages, kept in cookies of their browser.
type settings struct {
	Theme   string // one of themes
	Zone    string // "local", "utc", or a zone's name
	Refresh string // one of refreshes
	Density string // one of densities
	Columns string // of lists of tasks; "": those that suit their states
}

var (
	themes    = []string{"system", "light", "dark"}
	refreshes = []string{"2s", "5s", "10s", "30s", "1m", "off"}
	densities = []string{"comfortable", "compact"}
)

const cookiePrefix = "leat_"

// settingsOf returns the settings of who asks. What makes no sense is as good as not said.
func settingsOf(r *http.Request) settings {
	get := func(name, otherwise string, valid func(string) bool) string {
		if c, err := r.Cookie(cookiePrefix + name); err == nil && valid(c.Value) {
			return c.Value
		}
		return otherwise
	}
	columns, _ := url.QueryUnescape(get("columns", "", areColumns))
	return settings{
		Theme:   get("theme", themes[0], among(themes)),
		Refresh: get("refresh", refreshes[0], among(refreshes)),
		Density: get("density", densities[0], among(densities)),
		Zone:    get("zone", "local", isZone),
		Columns: columns,
	}
}

// among returns whether something is one of some.
func among(some []string) func(string) bool {
	return func(v string) bool { return slices.Contains(some, v) }
}

// areColumns reports whether text names columns as a cookie has them.
func areColumns(text string) bool {
	text, err := url.QueryUnescape(text)
	if err == nil {
		_, err = readColumns(text)
	}
	return err == nil
}

// isZone reports whether times can be written in a zone of that name.
func isZone(name string) bool {
	if name == "local" || name == "utc" {
		return true
	}
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local"
}

// pause is how long to wait between two tellings of what has changed.
func (s settings) pause() time.Duration {
	d, err := time.ParseDuration(s.Refresh)
	if err != nil {
		return time.Minute // it is off, and nobody should have asked
	}
	return d
}

var settingsPage = page{path: "/settings", name: "settings", title: "Settings", load: func(_ context.Context, _ *Pages, r *request) (any, error) {
	return map[string]any{"Themes": themes, "Refreshes": refreshes, "Densities": densities, "Now": r.Settings}, nil
}}

// saveSettings keeps settings in the browser of who sends them.
func (p *Pages) saveSettings(w http.ResponseWriter, r *http.Request) {
	for name, valid := range map[string]func(string) bool{
		"theme":   among(themes),
		"refresh": among(refreshes),
		"density": among(densities),
		"zone":    isZone,
	} {
		if v := r.PostFormValue(name); valid(v) {
			p.remember(w, r, name, v)
		} else if v != "" {
			p.say(w, r, p.Root+"/settings", notice{Text: name + " " + v + " is not known here", Bad: true})
			return
		}
	}
	p.say(w, r, p.Root+"/settings", notice{Text: "saved"})
}

// remember keeps a setting in the browser of who asks; "": it is as nobody has said it.
func (p *Pages) remember(w http.ResponseWriter, r *http.Request, name, value string) {
	age := 400 * 24 * 3600
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: cookiePrefix + name, Value: value, Path: p.Root + "/", MaxAge: age, SameSite: http.SameSiteLaxMode, HttpOnly: true, Secure: r.TLS != nil})
}
