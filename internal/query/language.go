package query

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// A Language is the queries about one kind of things. It may be used by several
// goroutines.
type Language[T any] struct {
	things  string // "tasks"
	declare func() []field[T]
	bare    func(v T) []string // where a word without a field is looked for

	once   sync.Once
	fields []field[T]
	known  map[string][]string // values that completion offers beside the words of fields
}

// A FieldInfo describes a field for those who write queries.
type FieldInfo struct {
	Name    string   // as it is written, "header.NAME" with what follows
	Aliases []string // other names, understood and not shown
	Ops     []string // the operators that it takes, the most usual one first
	Words   []string // the only values that it has; nil: it has others
	Help    string   // what it is, without a full stop
	Example string   // a query with it
}

// Fields returns the fields in the order in which help lists them.
func (l *Language[T]) Fields() []FieldInfo {
	infos := make([]FieldInfo, len(l.all()))
	for i, f := range l.all() {
		infos[i] = f.FieldInfo
	}
	return infos
}

// Things returns what the language is about, in the plural: "tasks".
func (l *Language[T]) Things() string { return l.things }

// all returns the fields, which are made when the first query is read.
func (l *Language[T]) all() []field[T] {
	l.once.Do(func() { l.fields = l.declare() })
	return l.fields
}

// field returns the field of that name.
func (l *Language[T]) field(name string) (f field[T], found bool) {
	for _, f := range l.all() {
		if f.key() == name || slices.Contains(f.Aliases, name) {
			return f, true
		}
	}
	return f, false
}

// names returns the names of all fields.
func (l *Language[T]) names() []string {
	var names []string
	for _, f := range l.all() {
		names = append(names, f.Name)
	}
	return names
}

// A kind is what a field is, and so what can be asked about it.
type kind int

const (
	kindText     kind = iota // texts; one that is empty is none
	kindWord                 // one of some words
	kindNumber               //
	kindSpan                 // a duration
	kindMoment               // a time, which usually has passed
	kindDue                  // a time, which usually is to come
	kindAge                  // a time, asked for by how long it is ago
	kindTruth                // yes or no
	kindDocument             // bytes, which may be JSON
)

// ops are the operators that a field of the kind takes.
func (k kind) ops() []string {
	switch k {
	case kindNumber, kindSpan:
		return []string{">", "<", ">=", "<=", ":"}
	case kindMoment:
		return []string{">", "<", ">=", "<=", ":"}
	case kindDue:
		return []string{"<", ">", "<=", ">=", ":"}
	case kindAge:
		return []string{">", "<", ">=", "<="}
	case kindTruth, kindWord:
		return []string{":"}
	case kindDocument:
		return []string{":", "~", ">", "<", ">=", "<="}
	default:
		return []string{":", "~"}
	}
}

// How a field is written: by its name alone, with something behind a dot, or either.
type tail int

const (
	tailNone tail = iota
	tailName      // "header.NAME": all behind the dot is one name
	tailPath      // "payload" or "payload.PATH"
)

// A field is something that can be asked of a T. Of the functions there is the one that
// its kind needs; name is what is behind the dot, if the field has that.
type field[T any] struct {
	FieldInfo
	kind kind
	tail tail

	texts  func(v T, name string) []string
	number func(v T) number
	span   func(v T, now time.Time) (d time.Duration, known bool)
	moment func(v T) time.Time // zero: it has none
	truth  func(v T) bool
	bytes  func(v T) []byte
}

// key returns the name without what follows.
func (f field[T]) key() string {
	name, _, _ := strings.Cut(f.Name, ".")
	return name
}

// The constructors of fields take the name with its aliases, parted by spaces, what it is,
// an example, and how it is read.

func declared[T any](k kind, names, help, example string) field[T] {
	all := strings.Fields(names)
	return field[T]{FieldInfo: FieldInfo{Name: all[0], Aliases: all[1:], Ops: k.ops(), Help: help, Example: example}, kind: k}
}

func textField[T any](names, help, example string, read func(T) string) field[T] {
	return textsField(names, help, example, func(v T) []string { return []string{read(v)} })
}

func textsField[T any](names, help, example string, read func(T) []string) field[T] {
	f := declared[T](kindText, names, help, example)
	f.texts = func(v T, _ string) []string { return read(v) }
	return f
}

// namedField is one whose names are the keys of a map.
func namedField[T any](names, help, example string, read func(T) map[string]string) field[T] {
	f := declared[T](kindText, names, help, example)
	f.tail = tailName
	f.texts = func(v T, name string) []string { return []string{read(v)[name]} }
	return f
}

func wordField[T any](names, help, example string, words []string, read func(T) string) field[T] {
	f := textField(names, help, example, read)
	f.kind, f.Ops, f.Words = kindWord, kindWord.ops(), words
	return f
}

func countField[T any](names, help, example string, read func(T) int) field[T] {
	return numberField(names, help, example, func(v T) number { return numberOf(int64(read(v))) })
}

func numberField[T any](names, help, example string, read func(T) number) field[T] {
	f := declared[T](kindNumber, names, help, example)
	f.number = read
	return f
}

func spanField[T any](names, help, example string, read func(T, time.Time) (time.Duration, bool)) field[T] {
	f := declared[T](kindSpan, names, help, example)
	f.span = read
	return f
}

func momentField[T any](k kind, names, help, example string, read func(T) time.Time) field[T] {
	f := declared[T](k, names, help, example)
	f.moment = read
	return f
}

func truthField[T any](names, help, example string, read func(T) bool) field[T] {
	f := declared[T](kindTruth, names, help, example)
	f.Words, f.truth = []string{yes, no}, read
	return f
}

func documentField[T any](names, help, example string, read func(T) []byte) field[T] {
	f := declared[T](kindDocument, names, help, example)
	f.tail, f.bytes = tailPath, read
	return f
}

const (
	yes = "yes"
	no  = "no"
)
