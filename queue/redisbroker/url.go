package redisbroker

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/task"
)

// A target is what a URL says: where servers are, and what to tell them.
type target struct {
	kind     kind
	secure   bool     // over TLS
	hosts    []string // host:port; of a socket its path
	user     string
	password string
	db       int
	shards   int

	noBlocking bool

	// Of sentinels.
	master           string
	sentinelUser     string
	sentinelPassword string
}

// A kind is what a target's hosts are.
type kind int

const (
	server kind = iota
	socket
	sentinels
	cluster
)

// form says what a URL of one scheme may have.
type form struct {
	kind   kind
	secure bool
	port   string   // if none is named
	query  []string // what may stand behind the question mark, besides noblocking
}

var forms = map[string]form{
	"redis":           {server, false, "6379", nil},
	"rediss":          {server, true, "6379", nil},
	"redis-socket":    {socket, false, "", []string{"db"}},
	"redis-sentinel":  {sentinels, false, "26379", sentinelQuery},
	"rediss-sentinel": {sentinels, true, "26379", sentinelQuery},
	"redis-cluster":   {cluster, false, "6379", []string{"shards"}},
	"rediss-cluster":  {cluster, true, "6379", []string{"shards"}},
}

var sentinelQuery = []string{"master", "sentinel_user", "sentinel_password"}

// parseURL reads raw. Its errors do not repeat raw, which may hold a password.
func parseURL(raw string) (target, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	f, ok := forms[scheme]
	if !ok {
		if !strings.Contains(raw, "://") {
			scheme, _, _ = strings.Cut(raw, ":")
		}
		return target{}, refusedURL(scheme, "must begin with redis://, rediss://, redis-socket://, redis-sentinel://, redis-cluster://, rediss-sentinel:// or rediss-cluster://")
	}
	// Only one host is part of a URL by the book: the list is taken out.
	authority, path := rest, ""
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		authority, path = rest[:at], rest[at:]
	}
	at := strings.LastIndex(authority, "@") + 1
	u, err := url.Parse(scheme + "://" + authority[:at] + "host" + path)
	if err != nil || u.Fragment != "" || strings.Contains(path, "@") {
		return target{}, refusedURL(scheme, "is not a URL; special characters in a user or password must be escaped, such as # as %23")
	}
	t := target{kind: f.kind, secure: f.secure, user: u.User.Username()}
	t.password, _ = u.User.Password()
	if t.kind == socket {
		t.hosts, err = socketPath(scheme, authority[at:], u.Path)
	} else {
		t.hosts, err = hosts(scheme, authority[at:], f)
	}
	if err != nil {
		return target{}, err
	}
	return t, t.options(scheme, u, f)
}

func refusedURL(scheme, reason string) error { return task.Invalid("url", scheme+"://…", reason) }

// hosts reads a list such as "a,b:7000,[::1]:7001".
func hosts(scheme, list string, f form) ([]string, error) {
	var all []string
	for name := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(scheme + "://" + name)
		if err != nil || u.Host != name || u.User != nil {
			return nil, refusedURL(scheme, "has a host that is none; special characters in a user or password must be escaped, such as / as %2F")
		}
		host, port := u.Hostname(), u.Port()
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = f.port
		}
		all = append(all, net.JoinHostPort(host, port))
	}
	if len(all) > 1 && f.kind == server {
		return nil, refusedURL(scheme, "must name one host; several are for redis-sentinel:// and redis-cluster://")
	}
	return all, nil
}

func socketPath(scheme, host, path string) ([]string, error) {
	if host != "" || path == "" {
		return nil, refusedURL(scheme, "must name a socket, as in redis-socket:///run/redis.sock")
	}
	return []string{path}, nil
}

// options reads path and query.
func (t *target) options(scheme string, u *url.URL, f form) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return refusedURL(scheme, "has a query that is none")
	}
	for name, values := range query {
		if name != "noblocking" && !slices.Contains(f.query, name) || len(values) > 1 {
			return refusedURL(scheme, fmt.Sprintf("has a query with %q, which is unknown there or said twice", name))
		}
	}
	db := strings.Trim(u.Path, "/")
	if t.kind == socket {
		db = query.Get("db")
	}
	if t.db, err = number(db); err != nil {
		return refusedURL(scheme, fmt.Sprintf("names the database %q, which is no number", db))
	}
	if t.shards, err = number(query.Get("shards")); err != nil {
		return refusedURL(scheme, fmt.Sprintf("wants %q shards, which is no number", query.Get("shards")))
	}
	switch word := query.Get("noblocking"); word {
	case "", "false", "true":
		t.noBlocking = word == "true"
	default:
		return refusedURL(scheme, fmt.Sprintf("has noblocking=%q, which must be true or false", word))
	}
	t.master = query.Get("master")
	t.sentinelUser, t.sentinelPassword = query.Get("sentinel_user"), query.Get("sentinel_password")
	switch {
	case t.kind == sentinels && t.master == "":
		return refusedURL(scheme, "must name the master that the sentinels watch, as in ?master=mymaster")
	case t.kind == cluster && t.db != 0:
		return refusedURL(scheme, "must not name a database: a cluster has none but 0")
	}
	return nil
}

// number reads s, which may be empty.
func number(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err
}
