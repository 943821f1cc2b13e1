package access

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
)

// Loopback takes for an admin whoever comes from a loopback address and asks for a
// loopback host, as a browser on the machine itself does, without a credential. What a
// proxy says that it has passed on is not taken for that; but there are proxies that say
// nothing, so do not put one before it.
func Loopback() Authoriser { return AuthoriserFunc(loopback) }

// passedOn are headers by which proxies say that they are one.
var passedOn = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

func loopback(r *http.Request) (Identity, error) {
	addr, ok := addressOf(r)
	switch {
	case !ok || !addr.IsLoopback():
		return Identity{}, &UnknownError{Reason: "the request is not from this machine"}
	case slices.ContainsFunc(passedOn, func(name string) bool { return len(r.Header[name]) > 0 }):
		return Identity{}, &UnknownError{Reason: "a proxy has passed the request on"}
	case !isLoopbackHost(r.Host):
		return Identity{}, &UnknownError{Reason: "the request is for another host"}
	}
	return Identity{Name: "local", Role: Admin, Weak: true}, nil
}

// Anyone takes everybody for somebody of that role, without a credential. A role that is
// none, and Nobody, are refused with a [task.InvalidError].
func Anyone(role Role) (Authoriser, error) {
	if err := checkRole("role", role); err != nil {
		return nil, err
	}
	return AuthoriserFunc(func(*http.Request) (Identity, error) {
		return Identity{Role: role, Weak: true}, nil
	}), nil
}

func checkRole(field string, role Role) error {
	if role < Viewer || role > Admin {
		return task.Invalid(field, role.String(), "must be viewer, operator or admin")
	}
	return nil
}

// addressOf returns the address that a request has come from.
func addressOf(r *http.Request) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap().WithZone(""), err == nil
}

// isLoopbackHost reports whether a Host is this machine's own.
func isLoopbackHost(host string) bool {
	name := HostName(host)
	if name == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}

// HostName returns the name or the address in a Host header, in lower case and without
// its port; "" if it makes no sense.
func HostName(host string) string {
	name := strings.ToLower(host)
	if behind, ok := strings.CutPrefix(name, "["); ok {
		addr, port, closed := strings.Cut(behind, "]")
		if !closed || port != "" && !isPort(port) {
			return ""
		}
		return addr
	}
	if i := strings.IndexByte(name, ':'); i >= 0 {
		if !isPort(name[i:]) {
			return ""
		}
		name = name[:i]
	}
	return strings.TrimSuffix(name, ".")
}

// isPort reports whether s is a colon and a port, or nothing behind the colon.
func isPort(s string) bool {
	return s[0] == ':' && strings.Trim(s[1:], "0123456789") == ""
}
