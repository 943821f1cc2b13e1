package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/pages"
)

// An Installation is another one, to which every page leads from the menu behind the name of
// this one.
type Installation struct {
	Name  string // what it is called
	URL   string // of its dashboard: a path on the same host, such as "/staging", or an address of http or https
	Color string // of the badge in which the name is shown; see [Config].Color
}

// colors are those that a badge may have; style.css has a class for each.
var colors = []string{"blue", "cyan", "green", "grey", "purple", "red", "yellow"}

// Colors returns the names of the colours that a badge may have.
func Colors() []string { return slices.Clone(colors) }

// badgeFaults returns what makes no sense of how this installation and others are named.
func (c Config) badgeFaults() (faults []error) {
	check := func(field, color string) {
		if color != "" && !slices.Contains(colors, color) {
			faults = append(faults, task.Invalid(field, color, "must be one of "+strings.Join(colors, ", ")))
		}
	}
	check("Config.Color", c.Color)
	for _, o := range c.Others {
		check("Installation.Color", o.Color)
		if o.Name == "" {
			faults = append(faults, task.Invalid("Installation.Name", o.Name, "is needed"))
		}
		if !leadsSomewhere(o.URL) {
			faults = append(faults, task.Invalid("Installation.URL", o.URL, "must be a path that begins with a slash, or an address of http or https, and no more"))
		}
	}
	return faults
}

func leadsSomewhere(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(address, `\`) {
		return false
	}
	if u.Scheme == "" {
		return u.Host == "" && strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(u.Path, "//") // which browsers take for a host
	}
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// places returns the others as pages show them.
func (c Config) places() (all []pages.Place) {
	for _, o := range c.Others {
		all = append(all, pages.Place{Name: o.Name, Color: o.Color, URL: strings.TrimSuffix(o.URL, "/")})
	}
	return all
}
