package connect

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
)

// A target is the storage that the settings come to.
type target struct {
	url    string
	prefix string
	secure bool
}

// target puts together what the settings say of the connection.
func (s *Settings) target() (target, error) {
	l, err := s.values.filled()
	if err != nil {
		return target{}, err
	}
	var t target
	if v, said := l["broker"]; said {
		t, err = l.refined(v)
	} else {
		t, err = l.composed()
	}
	if err == nil && !t.secure && l["insecure"].truth() {
		err = task.Invalid(l["insecure"].From, true, "makes no sense without TLS: say tls, too, or a URL that begins with rediss")
	}
	t.prefix = l["prefix"].Text
	return t, err
}

// filled returns the layer with what its files hold in their place.
func (l layer) filled() (layer, error) {
	all := layer{}
	for key, v := range l {
		all[key] = v
	}
	for _, pair := range alternatives {
		v, said := l[pair[1]]
		if !said {
			continue
		}
		text, err := os.ReadFile(v.Text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.From, err)
		}
		t, _ := find(pair[0])
		v.Setting, v.Text = t, strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		all[pair[0]] = v
	}
	return all, nil
}

// OpenFiles returns the files with secrets in them that everybody on the machine can
// read.
func (s *Settings) OpenFiles() []string {
	var open []string
	for _, pair := range alternatives {
		if v, said := s.values[pair[1]]; said {
			if info, err := os.Stat(v.Text); err == nil && info.Mode().Perm()&0o004 != 0 {
				open = append(open, v.Text)
			}
		}
	}
	slices.Sort(open)
	return open
}

// wantsTLS reports whether TLS is asked for by a setting.
func (l layer) wantsTLS() bool {
	if v, said := l["tls"]; said {
		return v.truth()
	}
	for _, key := range []string{"tls_server", "tls_ca", "tls_cert", "tls_key"} {
		if _, said := l[key]; said {
			return true
		}
	}
	return false
}

// composed returns the target of settings that name no URL.
func (l layer) composed() (target, error) {
	u := split{scheme: "redis"}
	switch places := l.places(); {
	case len(places) == 0 || places[0].role == single:
		u.hosts = cmp.Or(l["uri"].Text, defaultOf("uri"))
	case places[0].role == socket:
		u.scheme, u.path = "redis-socket", escapedPath(l["socket"].Text)
	case places[0].role == cluster:
		u.scheme, u.hosts = "redis-cluster", cmp.Or(l["cluster_addrs"].Text, defaultOf("cluster_addrs"))
	default:
		u.scheme, u.hosts = "redis-sentinel", l["sentinel_addrs"].Text
		if u.hosts == "" || l["master"].Text == "" {
			return target{}, task.Invalid(places[0].From, places[0].Text, "needs both sentinel_addrs and master")
		}
	}
	return l.detailed(u)
}

// refined returns the target of a URL, with what else is said.
func (l layer) refined(broker Value) (target, error) {
	if !strings.HasPrefix(broker.Text, "redis") {
		return l.embedded(broker)
	}
	u := splitURL(broker.Text)
	if !slices.Contains(schemes, u.scheme) {
		return target{}, task.Invalid(broker.From, Redacted(broker.Text), "must begin with one of "+strings.Join(schemes, "://, ")+"://")
	}
	if err := l.saidTwice(broker, u); err != nil {
		return target{}, err
	}
	return l.detailed(u)
}

var schemes = []string{"redis", "rediss", "redis-socket", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster"}

// embedded returns the target of a URL that names no Redis, of which no more can be said.
func (l layer) embedded(broker Value) (target, error) {
	for _, s := range Table() {
		if v, said := l[s.Key]; said && v.role >= detail && v.Text != s.Default {
			return target{}, task.Invalid(v.From, v.shown(), "is about Redis, and "+broker.From+" names "+Redacted(broker.Text))
		}
	}
	return target{url: broker.Text}, nil
}

// saidTwice refuses what the URL says and a setting of the same layer, too.
func (l layer) saidTwice(broker Value, u split) (err error) {
	in := u.says()
	for _, s := range Table() {
		if v, said := l[s.Key]; said && in[s.Key] && v.layer == broker.layer {
			err = errors.Join(err, contradict(v, broker))
		}
	}
	return err
}

// detailed adds to a URL what is said beside it.
func (l layer) detailed(u split) (target, error) {
	socketed := strings.HasSuffix(u.scheme, "-socket")
	if l.wantsTLS() && !strings.HasPrefix(u.scheme, "rediss") {
		if socketed {
			return target{}, task.Invalid("tls", true, "makes no sense on a Unix socket")
		}
		u.scheme = "rediss" + strings.TrimPrefix(u.scheme, "redis")
	}
	name, password, hasPassword := u.user()
	if v, said := l["username"]; said {
		name = v.Text
	}
	if v, said := l["password"]; said {
		password, hasPassword = v.Text, v.Text != ""
	}
	if name != "" || hasPassword {
		u.setUser(name, password, hasPassword)
	}
	if v, said := l["db"]; said {
		if socketed {
			u.setQuery("db", v.Text)
		} else {
			u.path = "/" + v.Text
		}
	}
	for key, word := range map[string]string{"shards": "shards", "master": "master", "sentinel_username": "sentinel_user", "sentinel_password": "sentinel_password"} {
		if v, said := l[key]; said && v.Text != "" && (key != "shards" || v.Text != "0") {
			u.setQuery(word, v.Text)
		}
	}
	return target{url: u.String(), secure: strings.HasPrefix(u.scheme, "rediss")}, nil
}

func defaultOf(key string) string {
	s, _ := find(key)
	return s.Default
}
