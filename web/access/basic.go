package access

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leatwork/leat/task"
)

const (
	realm         = "leat"
	leastPassword = 8
)

// A User is somebody with a password.
type User struct {
	Name     string
	Password string // at least 8 bytes, as it is or as [HashPassword] writes it
	Role     Role
}

// Basic knows users by their name and password, which their browsers ask them for. Use it
// only where the connection is encrypted, or is on one machine. Users that make no sense
// are refused with a [task.InvalidError] for each fault, all joined.
//
// Passwords are compared in constant time. One that is hashed is computed when it is first
// sent, and then remembered as long as the process lives, by a sum under a key that only
// this has.
func Basic(users ...User) (Authoriser, error) {
	b := &basic{users: map[string]known{}}
	var faults []error
	if len(users) == 0 {
		faults = append(faults, task.Invalid("users", 0, "there must be one"))
	}
	for i, u := range users {
		field := fmt.Sprintf("users[%d]", i)
		if _, twice := b.users[u.Name]; twice {
			faults = append(faults, task.Invalid(field+".Name", u.Name, "is there twice"))
		}
		password, err := u.check(field)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if password.hashed != nil {
			b.other = &secret{hashed: password.hashed}
		}
		b.users[u.Name] = known{Identity{Name: u.Name, Role: u.Role}, password}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return b, nil
}

// check returns u's password, or what makes no sense.
func (u User) check(field string) (*secret, error) {
	var faults []error
	if reason := whyNoName(u.Name); reason != "" {
		faults = append(faults, task.Invalid(field+".Name", u.Name, reason))
	} else if strings.Contains(u.Name, ":") {
		faults = append(faults, task.Invalid(field+".Name", u.Name, "must have no colon"))
	}
	if err := checkRole(field+".Role", u.Role); err != nil {
		faults = append(faults, err)
	}
	if strings.HasPrefix(u.Password, hashPrefix) {
		h, err := parseHashed(field+".Password", u.Password)
		return &secret{hashed: h}, errors.Join(append(faults, err)...)
	}
	if n := len(u.Password); n < leastPassword {
		faults = append(faults, task.Invalid(field+".Password", fmt.Sprintf("of %d bytes", n), fmt.Sprintf("must have at least %d", leastPassword)))
	}
	return plainSecret(u.Password), errors.Join(faults...)
}

// whyNoName returns why nobody can have that name, or "".
func whyNoName(name string) string {
	switch {
	case name == "":
		return "is needed"
	case len(name) > task.MaxName:
		return fmt.Sprintf("must have at most %d bytes", task.MaxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must be text that can be seen"
	}
	return ""
}

// A known identity is one with its secret.
type known struct {
	Identity
	secret *secret
}

type basic struct {
	users map[string]known
	other *secret // what the password of a name is compared with that nobody has
}

// Authorise implements [Authoriser].
func (b *basic) Authorise(r *http.Request) (Identity, error) {
	none := &UnknownError{Reason: "there is no password", Challenges: []string{fmt.Sprintf(`Basic realm=%q, charset="UTF-8"`, realm)}}
	name, password, ok := r.BasicAuth()
	if !ok {
		return Identity{}, none
	}
	user, found := b.users[name]
	if !found {
		user.secret = b.stranger()
	}
	if !user.secret.is(r.Context(), password) || !found {
		none.Reason, none.Wrong = "the name or the password is wrong", true
		return Identity{}, none
	}
	return user.Identity, nil
}

// stranger returns what is compared if nobody has a name, so that this takes as long as
// if somebody had it.
func (b *basic) stranger() *secret {
	if b.other != nil {
		return b.other
	}
	return plainSecret("")
}
