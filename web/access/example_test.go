package access_test

import (
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"net/netip"

	"github.com/leatwork/leat/web/access"
)

// People have passwords, programs tokens, and everybody else may look.
func ExampleFirst() {
	hash, err := access.HashPassword("correct horse battery staple") // once, to put it where configurations are
	if err != nil {
		log.Fatal(err)
	}

	people, err1 := access.Basic(access.User{Name: "ada", Password: hash, Role: access.Admin})
	programs, err2 := access.Bearer(access.Token{Name: "deploy", Value: "3f1c9b0d7e2a4c58", Role: access.Operator})
	others, err3 := access.Anyone(access.Viewer)
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	authoriser, err := access.First(people, programs, others)
	if err != nil {
		log.Fatal(err)
	}

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer 3f1c9b0d7e2a4c58")
	who, err := authoriser.Authorise(r)
	fmt.Println(who.Name, who.Role, err)
	r.Header.Set("Authorization", "Bearer guessed") // is not overlooked
	_, err = authoriser.Authorise(r)
	fmt.Println(errors.Is(err, access.ErrUnknown))
	// Output:
	// deploy operator <nil>
	// true
}

// A proxy has made sure who asks, and writes that into headers.
func ExampleTrustedHeader() {
	authoriser, err := access.TrustedHeader(access.Headers{
		User:    "X-Auth-Request-User",
		Role:    "X-Auth-Request-Groups",
		Roles:   map[string]access.Role{"sre": access.Admin, "developers": access.Operator},
		Default: access.Viewer,
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.3.0/24")},
	})
	if err != nil {
		log.Fatal(err)
	}

	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.3.7:41114"
	r.Header.Set("X-Auth-Request-User", "ada")
	r.Header.Set("X-Auth-Request-Groups", "staff,sre")
	r.Header.Set("X-Forwarded-For", "192.0.2.55")
	who, err := authoriser.Authorise(r)
	fmt.Println(who.Name, who.Role, who.From, err)
	r.RemoteAddr = "192.0.2.66:41114" // who is no proxy may write what they like
	_, err = authoriser.Authorise(r)
	fmt.Println(errors.Is(err, access.ErrUnknown))
	// Output:
	// ada admin 192.0.2.55 <nil>
	// true
}
