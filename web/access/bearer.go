package access

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leatwork/leat/task"
)

const leastToken = 16

// A Token lets a program in.
type Token struct {
	Name  string // of the program, for the audit log
	Value string // at least 16 bytes of A-Z, a-z, 0-9, "-", ".", "_", "~", "+", "/" and "="
	Role  Role
}

// Bearer knows programs by a token that they send as "Authorization: Bearer TOKEN". Tokens
// are compared in constant time. Those that make no sense are refused with a
// [task.InvalidError] for each fault, all joined.
func Bearer(tokens ...Token) (Authoriser, error) {
	var faults []error
	if len(tokens) == 0 {
		faults = append(faults, task.Invalid("tokens", 0, "there must be one"))
	}
	var b bearer
	seen := map[string]bool{}
	for i, t := range tokens {
		field := fmt.Sprintf("tokens[%d]", i)
		if err := t.check(field); err != nil {
			faults = append(faults, err)
		}
		if seen[t.Value] {
			faults = append(faults, task.Invalid(field+".Value", t.Name, "is another's, too"))
		}
		seen[t.Value] = true
		b = append(b, known{Identity{Name: t.Name, Role: t.Role}, plainSecret(t.Value)})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return b, nil
}

func (t Token) check(field string) error {
	var faults []error
	if reason := whyNoName(t.Name); reason != "" {
		faults = append(faults, task.Invalid(field+".Name", t.Name, reason))
	}
	if err := checkRole(field+".Role", t.Role); err != nil {
		faults = append(faults, err)
	}
	if n := len(t.Value); n < leastToken || strings.ContainsFunc(t.Value, isNoToken) {
		faults = append(faults, task.Invalid(field+".Value", fmt.Sprintf("of %d bytes", n), fmt.Sprintf("must have at least %d, all of which a token may have", leastToken)))
	}
	return errors.Join(faults...)
}

func isNoToken(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/=", r)
}

type bearer []known

// Authorise implements [Authoriser].
func (b bearer) Authorise(r *http.Request) (Identity, error) {
	none := &UnknownError{Reason: "there is no token", Challenges: []string{fmt.Sprintf("Bearer realm=%q", realm)}}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, none
	}
	found := -1
	for i, k := range b { // all of them, whichever it is
		if k.secret.is(r.Context(), strings.TrimSpace(value)) {
			found = i
		}
	}
	if found < 0 {
		none.Reason, none.Wrong = "the token is wrong", true
		return Identity{}, none
	}
	return b[found].Identity, nil
}
