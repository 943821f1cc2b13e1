package access

import (
	"context"
	"net/http"
)

// An Identity is who asks.
type Identity struct {
	Name string // in the audit log; "" is written as "anybody"
	Role Role

	// Weak is whether anybody's browser would be taken for it, without a credential: then
	// the dashboard sees to it that no other site makes a browser ask.
	Weak bool

	// From is the address that it came from, for the logs. Whoever authorises need not
	// say it: then it is that of the connection.
	From string
}

// An Authoriser says who makes a request. It is called for every request, from several
// goroutines, and must not read the body.
//
// An error that matches [ErrUnknown] says that the request names nobody, and is answered
// with 401; any other is logged, and answered with 403.
type Authoriser interface {
	Authorise(r *http.Request) (Identity, error)
}

// An AuthoriserFunc is a function that is an Authoriser.
type AuthoriserFunc func(r *http.Request) (Identity, error)

// Authorise calls f.
func (f AuthoriserFunc) Authorise(r *http.Request) (Identity, error) { return f(r) }

type identityKey struct{}

// With returns a context in which id asks.
func With(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// From returns who asks in a context; nobody, if that was not said.
func From(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}
