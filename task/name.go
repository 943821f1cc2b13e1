package task

import (
	"fmt"
	"unicode/utf8"
)

// MaxName is the longest name of a queue, type, group or id, in bytes.
const MaxName = 256

// Joint joins the parts of ids and queue names that the engine makes, such as
// "run~step". No name that a user gives may contain it.
const Joint = '~'

// CheckName returns an [InvalidError] for field unless name is 1 to [MaxName]
// bytes of A-Z a-z 0-9 _ . : / @ + and -. Names become parts of storage keys:
// nothing else may enter there.
func CheckName(field, name string) error { return checkName(field, name, MaxName, false) }

// CheckMadeName is [CheckName] for names that the engine makes out of others:
// it also allows [Joint], and four times the length.
func CheckMadeName(field, name string) error { return checkName(field, name, 4*MaxName, true) }

func checkName(field, name string, most int, joint bool) error {
	if name == "" {
		return Invalid(field, name, "must not be empty")
	}
	if len(name) > most {
		return Invalid(field, name, fmt.Sprintf("is longer than %d bytes", most))
	}
	for i := range len(name) {
		if c := name[i]; !nameByte[c] && !(joint && c == Joint) {
			r, _ := utf8.DecodeRuneInString(name[i:])
			return Invalid(field, name, fmt.Sprintf("has %q at byte %d; allowed are letters A-Z, digits and _.:/@+-", r, i))
		}
	}
	return nil
}

// nameByte holds the bytes that a user's name may contain.
var nameByte = func() (ok [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@+-") {
		ok[c] = true
	}
	return ok
}()
