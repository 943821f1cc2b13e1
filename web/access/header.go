package access

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
)

// Headers say in which headers a proxy tells who asks.
type Headers struct {
	User string // with the name; needed

	// Role is the header with the role, or with several words parted by commas, of which
	// the one counts that means most. "": everybody has Default.
	Role string

	// Roles are what words in Role mean: names of groups. nil: the names of the roles.
	Roles map[string]Role

	// Default is the role of those of whom Role says nothing that is known. Nobody:
	// they are refused.
	Default Role

	// Proxies are from where these headers are believed. At least one is needed.
	Proxies []netip.Prefix
}

// TrustedHeader believes a proxy that has made sure who asks, and writes that into headers.
// The proxy must take away what a browser sends in these itself. In a request from
// elsewhere they are a wrong credential. Headers that make no sense are refused with a
// [task.InvalidError] for each fault, all joined.
func TrustedHeader(h Headers) (Authoriser, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("trusted header: %w", err)
	}
	h.Roles, h.Proxies = maps.Clone(h.Roles), slices.Clone(h.Proxies)
	return trusted{h}, nil
}

func (h Headers) check() error {
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, task.Invalid("Headers."+field, value, reason))
	}
	if !isHeader(h.User) {
		fault("User", h.User, "must be the name of a header")
	}
	if h.Role != "" && (!isHeader(h.Role) || strings.EqualFold(h.Role, h.User)) {
		fault("Role", h.Role, "must be the name of another header")
	}
	if h.Default < Nobody || h.Default > Admin {
		fault("Default", h.Default.String(), "must be a role")
	}
	if h.Role == "" && h.Default == Nobody {
		fault("Default", h.Default.String(), "must be more if there is no header with a role: nobody could do anything")
	}
	if h.Role == "" && len(h.Roles) > 0 {
		fault("Role", h.Role, "is needed if there are words for roles")
	}
	for _, word := range slices.Sorted(maps.Keys(h.Roles)) {
		if word == "" || strings.TrimSpace(word) != word || strings.Contains(word, ",") {
			fault("Roles", word, "must be words without commas")
		}
		if role := h.Roles[word]; role < Nobody || role > Admin {
			fault("Roles", role.String(), "must be a role")
		}
	}
	if len(h.Proxies) == 0 {
		fault("Proxies", 0, "there must be one")
	}
	for _, p := range h.Proxies {
		if !p.IsValid() || p.Bits() == 0 {
			fault("Proxies", p.String(), "must be some addresses, and not all")
		}
	}
	return errors.Join(faults...)
}

// isHeader reports whether a header can have that name, and is none that means something
// else.
func isHeader(name string) bool {
	taken := []string{"Authorization", "Cookie", "Host", "X-Forwarded-For"}
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	}) && !slices.Contains(taken, http.CanonicalHeaderKey(name))
}

type trusted struct{ Headers }

// Authorise implements [Authoriser].
func (t trusted) Authorise(r *http.Request) (Identity, error) {
	users, roles := r.Header.Values(t.User), r.Header.Values(t.Role)
	switch {
	case len(users) == 0:
		return Identity{}, &UnknownError{Reason: "no proxy says who asks"}
	case !t.isProxy(r):
		return Identity{}, &UnknownError{Reason: "who says who asks is no proxy of ours", Wrong: true}
	case len(users) > 1 || whyNoName(users[0]) != "":
		return Identity{}, &UnknownError{Reason: "the proxy names several, or none", Wrong: true}
	}
	role := t.roleOf(strings.Join(roles, ","))
	if role == Nobody {
		return Identity{}, fmt.Errorf("%s has no role here", users[0])
	}
	return Identity{Name: users[0], Role: role, From: t.client(r)}, nil
}

func (t trusted) isProxy(r *http.Request) bool {
	addr, ok := addressOf(r)
	return ok && t.trusts(addr)
}

func (t trusted) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(t.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// roleOf returns the highest of the roles that words mean, or the default.
func (t trusted) roleOf(words string) Role {
	highest, known := Nobody, false
	for word := range strings.SplitSeq(words, ",") {
		if role, ok := t.roleNamed(strings.TrimSpace(word)); ok {
			highest, known = max(highest, role), true
		}
	}
	if !known {
		return t.Default
	}
	return highest
}

func (t trusted) roleNamed(word string) (Role, bool) {
	if t.Roles != nil {
		role, ok := t.Roles[word]
		return role, ok
	}
	role, err := ParseRole(word)
	return role, err == nil
}

// client returns the address before the first proxy: the last one that none of ours has.
// "": that of the connection.
func (t trusted) client(r *http.Request) string {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return ""
		}
		if addr = addr.Unmap(); !t.trusts(addr) {
			return addr.String()
		}
	}
	return ""
}
