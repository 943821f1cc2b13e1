package connect

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
)

// A Value is what a setting has come to, and where it was said.
type Value struct {
	Setting
	Text  string
	From  string // "--db", "LEAT_DB", "FILE:3", "profile prod (FILE:7)", "default"
	layer int    // 0: default
}

// A layer is what is said in one place, by key.
type layer map[string]Value

// take adds a value to the layer, or says why it makes no sense.
func (l layer) take(v Value) error {
	if err := v.check(); err != nil {
		return err
	}
	if v.Key == "uri" && isURL(v.Text) {
		from := v.From
		v.Setting, _ = find("broker")
		v.From = from
	}
	if other, twice := l[v.Key]; twice {
		return contradict(v, other)
	}
	l[v.Key] = v
	return nil
}

// check reports whether the text is one of the setting's kind.
func (v Value) check() error {
	var err error
	switch v.Kind {
	case Number:
		_, err = strconv.ParseUint(v.Text, 10, 16)
	case Truth:
		_, err = strconv.ParseBool(v.Text)
	case Duration:
		var d time.Duration
		if d, err = time.ParseDuration(v.Text); err == nil && (d < 0 || d == 0 && !v.endless) {
			err = errors.New("too short")
		}
	default:
		return nil
	}
	if err != nil {
		return task.Invalid(v.From, v.Text, fmt.Sprintf("must be a %s", v.Kind))
	}
	return nil
}

func (v Value) truth() bool {
	yes, err := strconv.ParseBool(v.Text)
	return err == nil && yes
}

// alternatives are settings of which one is enough.
var alternatives = [][2]string{
	{"broker", "broker_file"}, {"password", "password_file"}, {"sentinel_password", "sentinel_password_file"},
}

// places returns the settings by which the layer says where the storage is, at most one
// for each role.
func (l layer) places() []Value {
	var all []Value
	for _, s := range Table() {
		v, said := l[s.Key]
		denied := v.Kind == Truth && !v.truth()
		if said && !denied && (s.role == url || s.role.names()) && !slices.ContainsFunc(all, func(p Value) bool { return p.role == s.role }) {
			all = append(all, v)
		}
	}
	return all
}

// contradictions reports what in the layer excludes each other.
func (l layer) contradictions() error {
	var err error
	for _, pair := range alternatives {
		if a, b := l[pair[0]], l[pair[1]]; a.Key != "" && b.Key != "" {
			err = errors.Join(err, contradict(a, b))
		}
	}
	if places := l.places(); len(places) > 1 {
		err = errors.Join(err, contradict(places[0], places[1]))
	}
	return err
}

func contradict(a, b Value) error {
	return task.Invalid(a.From, a.shown(), fmt.Sprintf("contradicts %s: only one of them can be meant", b.From))
}

// over lays the layer over those below, and gives its values its number.
func (l layer) over(below layer, number int) layer {
	all := layer{}
	for key, v := range below {
		all[key] = v
	}
	if places := l.places(); len(places) > 0 {
		all.giveWay(places[0].role)
	}
	for _, pair := range alternatives {
		if l[pair[0]].Key != "" || l[pair[1]].Key != "" {
			delete(all, pair[0])
			delete(all, pair[1])
		}
	}
	for key, v := range l {
		v.layer = number
		all[key] = v
	}
	return all
}

// giveWay takes out what does not count any more once a layer above says where the
// storage is, in a way that has that role.
func (l layer) giveWay(above role) {
	_, named := l["broker"]
	_, filed := l["broker_file"]
	for key, v := range l {
		if whole := above == url || named || filed; whole && v.role != habit || v.role.names() && v.role != above {
			delete(l, key)
		}
	}
}

// isURL reports whether text is a URL of a broker, and no address.
func isURL(text string) bool {
	return strings.Contains(text, "://") || strings.HasPrefix(text, "sqlite:") || text == "memory:"
}

// shown returns the text as it may be shown to everybody.
func (v Value) shown() string {
	switch {
	case v.role == secret && v.Text != "":
		return masked
	case v.role == url:
		return Redacted(v.Text)
	}
	return v.Text
}
