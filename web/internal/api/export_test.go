package api

import (
	"maps"
	"slices"
	"strings"
)

// A Route is what is to be known of a route.
type Route struct{ Method, Path, Takes, Role, Help string }

// Routes returns all routes.
func Routes() (all []Route) {
	for _, r := range routes() {
		var takes []string
		for _, p := range r.params {
			takes = append(takes, named(p.name, p.required))
		}
		if r.body != nil {
			for _, name := range slices.Sorted(maps.Keys(r.body.Properties)) {
				takes = append(takes, named(name, slices.Contains(r.body.Required, name)))
			}
		}
		all = append(all, Route{r.method, r.path, strings.Join(takes, ", "), r.role.String(), r.help})
	}
	return all
}

// named returns a name, in bold if it is needed.
func named(name string, required bool) string {
	if required {
		return "**`" + name + "`**"
	}
	return "`" + name + "`"
}
