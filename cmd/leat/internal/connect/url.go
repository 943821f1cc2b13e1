package connect

import (
	neturl "net/url"
	"strings"
)

// masked is what a password is shown as.
const masked = "xxxxx"

// A split is a URL of a Redis in its parts, as they stand there.
type split struct {
	scheme, userinfo, hosts, path, query string
	hasUser                              bool
}

// splitURL takes apart a URL; it need not be a good one.
func splitURL(raw string) split {
	var s split
	var rest string
	s.scheme, rest, _ = strings.Cut(raw, "://")
	at := strings.IndexAny(rest, "/?#")
	if last := strings.LastIndex(rest, "@"); last > at { // a password with a slash is one that nobody may see, either
		at = last + strings.IndexAny(rest[last:]+"/", "/?#")
	}
	if at < 0 || at > len(rest) {
		at = len(rest)
	}
	authority, tail := rest[:at], rest[at:]
	if last := strings.LastIndex(authority, "@"); last >= 0 {
		s.userinfo, authority, s.hasUser = authority[:last], authority[last+1:], true
	}
	s.hosts = authority
	s.path, s.query, _ = strings.Cut(tail, "?")
	return s
}

func (s split) String() string {
	text := s.scheme + "://"
	if s.hasUser {
		text += s.userinfo + "@"
	}
	text += s.hosts + s.path
	if s.query != "" {
		text += "?" + s.query
	}
	return text
}

// user returns name and password, unescaped where they can be.
func (s split) user() (name, password string, hasPassword bool) {
	name, password, hasPassword = strings.Cut(s.userinfo, ":")
	return unescaped(name), unescaped(password), hasPassword
}

// says returns which settings the URL says.
func (s split) says() map[string]bool {
	name, _, hasPassword := s.user()
	return map[string]bool{
		"username": name != "", "password": hasPassword, "db": strings.Trim(s.path, "/") != "" && s.scheme != "redis-socket" || s.hasQuery("db"),
		"shards": s.hasQuery("shards"), "sentinel_username": s.hasQuery("sentinel_user"), "sentinel_password": s.hasQuery("sentinel_password"),
	}
}

func (s *split) setUser(name, password string, hasPassword bool) {
	info := neturl.User(name)
	if hasPassword {
		info = neturl.UserPassword(name, password)
	}
	s.userinfo, s.hasUser = info.String(), name != "" || hasPassword
}

func (s *split) setQuery(key, value string) {
	var words []string
	for word := range strings.SplitSeq(s.query, "&") {
		if name, _, _ := strings.Cut(word, "="); word != "" && name != key {
			words = append(words, word)
		}
	}
	s.query = strings.Join(append(words, key+"="+neturl.QueryEscape(value)), "&")
}

func (s split) hasQuery(key string) bool {
	for word := range strings.SplitSeq(s.query, "&") {
		if name, _, _ := strings.Cut(word, "="); name == key {
			return true
		}
	}
	return false
}

func unescaped(s string) string {
	if plain, err := neturl.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// Redacted returns a URL without the passwords in it, also if it is not a good one.
func Redacted(raw string) string {
	if !strings.Contains(raw, "://") {
		return raw
	}
	s := splitURL(raw)
	if name, _, hasPassword := strings.Cut(s.userinfo, ":"); hasPassword {
		s.userinfo = name + ":" + masked
	}
	if s.hasQuery("sentinel_password") {
		s.setQuery("sentinel_password", masked)
	}
	return s.String()
}

// escapedPath returns a path as it stands in a URL.
func escapedPath(path string) string { return (&neturl.URL{Path: path}).EscapedPath() }
