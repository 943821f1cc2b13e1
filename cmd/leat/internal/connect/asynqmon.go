package connect

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"
)

// An Alias is the name that asynqmon has for a setting.
type Alias struct {
	Name string // of the flag; in capitals, the environment's
	Kind Kind
	Help string

	key string // of the setting
}

// Aliases returns the names that asynqmon has for settings.
func Aliases() []Alias {
	return []Alias{
		{"redis_url", Text, "URL of a Redis server, or of sentinels; see leat help connection", "broker"},
		{"redis_addr", Text, "the Redis server, as HOST:PORT", "uri"},
		{"redis_db", Number, "number of the Redis database", "db"},
		{"redis_password", Text, "password of the server; others can see it in a list of processes", "password"},
		{"redis_cluster_nodes", Text, "some nodes of a Redis Cluster, with commas between them", "cluster_addrs"},
		{"redis_tls", Text, "speak TLS with the server, whose certificate must have this name", "tls_server"},
		{"redis_insecure_tls", Truth, "speak TLS with the server, and do not check its certificate", "insecure"},
	}
}

// Env is the name of the alias in the environment, which has no prefix.
func (a Alias) Env() string { return strings.ToUpper(a.Name) }

// Flag is how its flag is spelled.
func (a Alias) Flag() string { return "--" + strings.ReplaceAll(a.Name, "_", "-") }

// AliasFlags adds a flag for each alias. See [Settings.Aliases].
func AliasFlags(flags *pflag.FlagSet) {
	for _, a := range Aliases() {
		switch a.Kind {
		case Truth:
			flags.Bool(a.Name, false, a.Help)
		case Number:
			flags.Uint16(a.Name, 0, a.Help)
		default:
			flags.String(a.Name, "", a.Help)
		}
	}
}

// aliasLayer returns what is said by aliases in one place: text returns what of one, ""
// if nothing, and where.
func aliasLayer(text func(Alias) (text, from string)) (l layer, err error) {
	l = layer{}
	for _, a := range Aliases() {
		s, _ := find(a.key)
		if said, from := text(a); said != "" {
			err = errors.Join(err, l.take(Value{Setting: s, Text: said, From: from}))
		}
	}
	l.prefer()
	return l, err
}

// prefer settles what asynqmon settles where several of its names say where the storage
// is: the nodes of a cluster count most, then a URL, then an address. What a URL says
// itself is not said again, and a cluster has but one database.
func (l layer) prefer() {
	_, nodes := l["cluster_addrs"]
	url, named := l["broker"]
	switch {
	case nodes:
		delete(l, "broker")
		delete(l, "uri")
		delete(l, "db")
	case named:
		delete(l, "uri")
		if u := splitURL(url.Text); strings.HasPrefix(u.scheme, "redis") {
			for key, said := range u.says() {
				if said {
					delete(l, key)
				}
			}
		}
	}
	if v, said := l["insecure"]; said && v.truth() {
		v.Setting, _ = find("tls")
		l["tls"] = v
	}
}

// aliasFlags returns what flags say by aliases; nil says nothing.
func aliasFlags(flags *pflag.FlagSet) (layer, error) {
	if flags == nil {
		return layer{}, nil
	}
	return aliasLayer(func(a Alias) (text, from string) {
		if f := flags.Lookup(a.Name); f.Changed {
			return f.Value.String(), a.Flag()
		}
		return "", ""
	})
}

// aliasEnv returns what an environment says by aliases, if there are flags of them.
func aliasEnv(flags *pflag.FlagSet, environ []string) (layer, error) {
	if flags == nil {
		return layer{}, nil
	}
	return aliasLayer(func(a Alias) (text, from string) { return Variable(environ, a.Env()), a.Env() })
}

// and adds what is said in the same place by other names.
func (l layer) and(other layer) (err error) {
	for key, v := range other {
		if _, said := l[key]; said && v.Key == "tls" {
			continue // which only follows from another
		}
		err = errors.Join(err, l.take(v))
	}
	return err
}
