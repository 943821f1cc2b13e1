package connect

import (
	"strings"

	"github.com/leatwork/leat/queue/brokerurl"
)

// A Setting is one thing that can be said of the storage, or of how commands behave.
type Setting struct {
	Key     string // of the config file; the flag, and after LEAT_ in capitals the environment's
	Short   string // letter of the flag, if it has one
	Kind    Kind
	Default string
	Help    string

	// Elsewhere is true if the flag belongs to some commands, which have it of
	// their own.
	Elsewhere bool

	role    role
	endless bool // of a duration: 0 is none that ends
}

// A Kind is what values a setting may have.
type Kind string

// The kinds of settings.
const (
	Text     Kind = "text"
	List     Kind = "list" // of texts, with commas between them
	Number   Kind = "number"
	Truth    Kind = "bool"
	Duration Kind = "duration"
)

// A role is what a setting has to do with the connection.
type role int

const (
	habit   role = iota // nothing: how commands behave
	url                 // the connection in a word
	single              // names one Redis
	cluster             // names a cluster
	trio                // names sentinels
	socket              // names a socket
	detail              // says more of the connection
	secret              // says more of it, and is told to nobody
)

// names reports whether the setting says where the storage is.
func (r role) names() bool { return r > url && r < detail }

// Env is the name of the setting's variable in the environment.
func (s Setting) Env() string { return "LEAT_" + strings.ToUpper(s.Key) }

// Table returns every setting.
func Table() []Setting {
	return []Setting{
		{Key: "broker", role: url, Help: "where tasks are stored: " + brokerurl.Forms},
		{Key: "broker_file", role: url, Help: "a file with that URL in it"},
		{Key: "uri", Short: "u", role: single, Default: "127.0.0.1:6379", Help: "the Redis server, as HOST:PORT or as a URL like --broker"},
		{Key: "db", Short: "n", Kind: Number, role: detail, Default: "0", Help: "number of the Redis database"},
		{Key: "username", Short: "U", role: detail, Help: "user of an ACL"},
		{Key: "password", Short: "p", role: secret, Help: "password of the server; others can see it in a list of processes, see --password_file"},
		{Key: "password_file", role: detail, Help: "a file with the password in it"},
		{Key: "cluster", Kind: Truth, role: cluster, Default: "false", Help: "the server is a Redis Cluster"},
		{Key: "cluster_addrs", Kind: List, role: cluster, Default: "127.0.0.1:7000,127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003,127.0.0.1:7004,127.0.0.1:7005", Help: "some nodes of the cluster"},
		{Key: "shards", Kind: Number, role: detail, Default: "0", Help: "into how many shards a cluster's namespace is divided; 0: asynq's layout"},
		{Key: "sentinel_addrs", Kind: List, role: trio, Help: "sentinels that know where the master is"},
		{Key: "master", role: trio, Help: "name of the master that the sentinels watch"},
		{Key: "sentinel_username", role: detail, Help: "user that the sentinels know"},
		{Key: "sentinel_password", role: secret, Help: "password of the sentinels"},
		{Key: "sentinel_password_file", role: detail, Help: "a file with that password in it"},
		{Key: "socket", role: socket, Help: "path of the Redis server's Unix socket"},
		{Key: "prefix", role: detail, Default: "asynq", Help: "what the names of all keys in Redis begin with"},
		{Key: "tls", Kind: Truth, role: detail, Default: "false", Help: "speak TLS with the server; each of the next four says so, too"},
		{Key: "tls_server", role: detail, Help: "the name that the server's certificate must have"},
		{Key: "tls_ca", role: detail, Help: "a file with the certificates of those who are trusted; otherwise, the system's"},
		{Key: "tls_cert", role: detail, Help: "a file with the client's certificate"},
		{Key: "tls_key", role: detail, Help: "a file with the key of that"},
		{Key: "insecure", Kind: Truth, role: detail, Default: "false", Help: "do not check the server's certificate"},
		{Key: "profile", Help: "the profile of the config file that is used"},
		{Key: "output", Short: "o", Default: "table", Help: "how it is written: table, wide, json, jsonl, yaml, id"},
		{Key: "timeout", Kind: Duration, Default: "30s", endless: true, Help: "how long to wait for the storage, at each call; 0: as long as it takes"},
		{Key: "quiet", Kind: Truth, Default: "false", Help: "write only what was asked for, and what went wrong"},
		{Key: "no_color", Kind: Truth, Default: "false", Help: "write without colours; so does the variable NO_COLOR"},
		{Key: "name", Elsewhere: true, Help: "what this installation is called on every page of the dashboard"},
		{Key: "badge_color", Elsewhere: true, Help: "the colour of the badge with that name: blue, cyan, green, grey, purple, red or yellow"},
		{Key: "refresh", Kind: Duration, Default: "2s", Elsewhere: true, Help: "how often what is shown is read anew"},
	}
}

// find returns the setting of a key.
func find(key string) (Setting, bool) {
	for _, s := range Table() {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}

func keys() []string {
	var all []string
	for _, s := range Table() {
		all = append(all, s.Key)
	}
	return all
}

// Flags returns how the flag is spelled, with its letter.
func (s Setting) Flags() string {
	name := "--" + strings.ReplaceAll(s.Key, "_", "-")
	if s.Short != "" {
		return "-" + s.Short + ", " + name
	}
	return name
}
