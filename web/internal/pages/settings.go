package pages

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Settings are how somebody wants the pages, kept in cookies of their browser.
type settings struct {
	Theme   string // one of themes
	Zone    string // "local", "utc", or a zone's name
	Refresh string // one of refreshes
}

var (
	themes    = []string{"system", "light", "dark"}
	refreshes = []string{"2s", "5s", "10s", "30s", "1m", "off"}
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
	return settings{
		Theme:   get("theme", "system", func(v string) bool { return slices.Contains(themes, v) }),
		Refresh: get("refresh", refreshes[0], func(v string) bool { return slices.Contains(refreshes, v) }),
		Zone:    get("zone", "local", isZone),
	}
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
	return map[string]any{"Themes": themes, "Refreshes": refreshes, "Now": r.Settings}, nil
}}

// saveSettings keeps settings in the browser of who sends them.
func (p *Pages) saveSettings(w http.ResponseWriter, r *http.Request) {
	for name, valid := range map[string]func(string) bool{
		"theme":   func(v string) bool { return slices.Contains(themes, v) },
		"refresh": func(v string) bool { return slices.Contains(refreshes, v) },
		"zone":    isZone,
	} {
		if v := r.PostFormValue(name); valid(v) {
			http.SetCookie(w, &http.Cookie{Name: cookiePrefix + name, Value: v, Path: p.Root + "/", MaxAge: 400 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true, Secure: r.TLS != nil})
		} else if v != "" {
			p.say(w, r, p.Root+"/settings", notice{Text: name + " " + v + " is not known here", Bad: true})
			return
		}
	}
	p.say(w, r, p.Root+"/settings", notice{Text: "saved"})
}
