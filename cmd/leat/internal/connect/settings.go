package connect

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Settings are what is said in all layers. They are for one goroutine.
type Settings struct {
	// Events is how many events the storage is to keep of what is done through it, and
	// whether those can be read that it keeps: not 0.
	Events int

	// Aliases are the flags of a command that has [AliasFlags], whose variables of the
	// environment count then, too. nil: it has none.
	Aliases *pflag.FlagSet

	flags  *pflag.FlagSet
	file   *File
	values layer
}

// The numbers of layers that matter beside their order.
const (
	profileLayer = 2
	flagsLayer   = 5
)

// Flags adds a flag for each setting that is not [Setting].Elsewhere.
func (s *Settings) Flags(flags *pflag.FlagSet) {
	s.flags = flags
	for _, t := range Table() {
		if t.Elsewhere {
			continue
		}
		switch t.Kind {
		case Truth:
			flags.BoolP(t.Key, t.Short, false, t.Help)
		case Number:
			flags.Uint16P(t.Key, t.Short, 0, t.Help)
		case Duration:
			d, _ := time.ParseDuration(t.Default) // a test has read them all
			flags.DurationP(t.Key, t.Short, d, t.Help)
		default:
			flags.StringP(t.Key, t.Short, t.Default, t.Help)
		}
	}
	flags.String("config", "", "the config file; see leat help connection")
}

// Load reads all layers. What makes no sense is refused with a [task.InvalidError], all
// of it at once; a file that was named and is not there, with an error that matches
// [fs.ErrNotExist].
func (s *Settings) Load(environ []string) error {
	fromFlags, err := s.flagLayer()
	fromAliases, bad1 := aliasFlags(s.Aliases)
	fromEnv, bad2 := envLayer(environ)
	besideEnv, bad3 := aliasEnv(s.Aliases, environ)
	if err = errors.Join(err, bad1, fromFlags.and(fromAliases), bad2, bad3); err != nil {
		return err
	}
	if s.file, err = s.findFile(environ); err != nil {
		return err
	}
	chosen := Value{}
	for _, l := range []layer{s.file.top, fromEnv, fromFlags} {
		if v, ok := l["profile"]; ok {
			chosen = v
		}
	}
	profile, err := s.file.profile(chosen.Text, chosen.From)
	if err != nil {
		return err
	}
	s.values = layer{}
	for i, l := range []layer{s.file.top, profile, besideEnv, fromEnv, fromFlags} {
		if err := l.contradictions(); err != nil {
			return err
		}
		s.values = l.over(s.values, i+1)
	}
	return nil
}

func (s *Settings) flagLayer() (l layer, err error) {
	l = layer{}
	s.flags.VisitAll(func(f *pflag.Flag) { // Visit leaves out what a command below has parsed
		key := strings.ReplaceAll(f.Name, "-", "_")
		if t, ok := find(key); ok && f.Changed {
			err = errors.Join(err, l.take(Value{Setting: t, Text: f.Value.String(), From: "--" + key}))
		}
	})
	return l, err
}

func envLayer(environ []string) (l layer, err error) {
	l = layer{}
	for _, t := range Table() {
		if text := Variable(environ, t.Env()); text != "" {
			err = errors.Join(err, l.take(Value{Setting: t, Text: text, From: t.Env()}))
		}
	}
	return l, err
}

// Variable returns a variable of an environment; one that is empty is as good as none.
func Variable(environ []string, name string) string {
	for _, v := range slices.Backward(environ) {
		if text, ok := strings.CutPrefix(v, name+"="); ok {
			return text
		}
	}
	return ""
}

// UnknownVariables returns the names of variables that look like settings and are none,
// nor one of others that are known.
func UnknownVariables(environ []string, others ...string) []string {
	known := append([]string{"LEAT_CONFIG"}, others...)
	for _, t := range Table() {
		known = append(known, t.Env())
	}
	var unknown []string
	for _, v := range environ {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "LEAT_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// findFile reads the config file: the one that is named, or else the first that is there
// of those in [Places]. There may be none.
func (s *Settings) findFile(environ []string) (*File, error) {
	path := Variable(environ, "LEAT_CONFIG")
	if f := s.flags.Lookup("config"); f.Changed {
		path = f.Value.String()
	}
	if path != "" {
		return ReadFile(path)
	}
	for _, path := range Places(environ) {
		if _, err := os.Stat(path); err == nil {
			return ReadFile(path)
		}
	}
	return &File{top: layer{}}, nil
}

// Places returns where a config file is looked for that nobody has named.
func Places(environ []string) []string {
	var places []string
	home := Variable(environ, "HOME")
	if home == "" {
		home = Variable(environ, "USERPROFILE")
	}
	switch xdg := Variable(environ, "XDG_CONFIG_HOME"); {
	case xdg != "":
		places = append(places, filepath.Join(xdg, "leat", "config.yaml"))
	case home != "":
		places = append(places, filepath.Join(home, ".config", "leat", "config.yaml"))
	}
	if home != "" {
		places = append(places, filepath.Join(home, ".leat.yaml"))
	}
	return places
}

// Value returns what a setting has come to. A setting that nobody has said has its
// default.
func (s *Settings) Value(key string) string {
	if v, ok := s.values[key]; ok {
		return v.Text
	}
	t, _ := find(key)
	return t.Default
}

// Said reports whether a setting is said in some layer that counts.
func (s *Settings) Said(key string) bool { return s.values[key].Key != "" }

// Truth returns a setting that is a [Truth].
func (s *Settings) Truth(key string) bool { return s.values[key].truth() }

// endless is how long is waited for what may take as long as it takes.
const endless = 24 * time.Hour

// Timeout returns how long to wait for the storage at each call: never 0.
func (s *Settings) Timeout() time.Duration {
	d, _ := time.ParseDuration(s.Value("timeout")) // was read before
	return cmp.Or(d, endless)
}

// FilePath returns where the config file is that was read, or "".
func (s *Settings) FilePath() string { return s.file.Path }

// InForce returns every setting that counts: what was said, and the defaults of the
// others. No text tells a password.
func (s *Settings) InForce() []Value {
	var all []Value
	_, broker := s.values["broker"]
	_, file := s.values["broker_file"]
	for _, t := range Table() {
		v, said := s.values[t.Key]
		switch {
		case said:
			v.Text = v.shown()
		case t.Default == "" || (broker || file) && t.role != habit, t.role == cluster && !s.Truth("cluster"):
			continue
		default:
			v = Value{Setting: t, Text: t.Default, From: "default"}
		}
		all = append(all, v)
	}
	return all
}
