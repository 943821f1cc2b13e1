package access

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/leatwork/leat/task"
)

const (
	hashPrefix = "pbkdf2-sha256$"
	iterations = 600_000

	// What is believed of a stored hash: one that is checked in no time protects nobody,
	// and one that takes minutes stops everybody.
	leastIterations, mostIterations = 10_000, 10_000_000

	saltBytes, keyBytes = 16, 32
)

// HashPassword returns a password in a form from which it cannot be found out, other than
// by trying: PBKDF2 with HMAC-SHA-256, 600,000 rounds and a salt of its own, as
// "pbkdf2-sha256$ROUNDS$SALT$KEY". [Basic] takes it in place of the password.
func HashPassword(password string) (string, error) { return hash(password, iterations) }

func hash(password string, rounds int) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	key, err := pbkdf2.Key(sha256.New, password, salt, rounds, keyBytes)
	if err != nil {
		return "", err
	}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%s%d$%s$%s", hashPrefix, rounds, encode(salt), encode(key)), nil
}

// A hashed password is what HashPassword has written.
type hashed struct {
	rounds    int
	salt, key []byte
}

func parseHashed(field, text string) (*hashed, error) {
	fault := task.Invalid(field, hashPrefix+"…", "is not what HashPassword has written") // the rest is not told
	parts := strings.Split(strings.TrimPrefix(text, hashPrefix), "$")
	if len(parts) != 3 {
		return nil, fault
	}
	rounds, err := strconv.Atoi(parts[0])
	if err != nil || rounds < leastIterations || rounds > mostIterations {
		return nil, fault
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[1])
	if err != nil || len(salt) < saltBytes {
		return nil, fault
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != keyBytes {
		return nil, fault
	}
	return &hashed{rounds: rounds, salt: salt, key: key}, nil
}

func (h *hashed) is(password string) bool {
	key, err := pbkdf2.Key(sha256.New, password, h.salt, h.rounds, len(h.key))
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}

// A secret is something that is compared without telling by the time it takes how much
// of it was guessed. It may be used by several goroutines.
type secret struct {
	hashed *hashed // nil: sum is known from the start

	mu  sync.Mutex
	sum []byte // of the right one, under sumKey; of hashed ones only after the first use
}

// sumKey is known only to this process, so that what lies in its memory is no password,
// and nobody can prepare one whose sum begins like another's.
var sumKey = func() []byte {
	key := make([]byte, sha256.Size)
	rand.Read(key) // never fails
	return key
}()

func sum(text string) []byte {
	h := hmac.New(sha256.New, sumKey)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func plainSecret(text string) *secret { return &secret{sum: sum(text)} }

// is reports whether given is the secret. A hashed one is computed once, and again for
// each wrong guess: one at a time, which also bounds what guessing costs. If ctx ends
// before its turn comes, it is not.
func (s *secret) is(ctx context.Context, given string) bool {
	mac := sum(given)
	if known := s.known(); known != nil && subtle.ConstantTimeCompare(mac, known) == 1 {
		return true
	}
	if s.hashed == nil {
		return false
	}
	select {
	case guessing <- struct{}{}:
		defer func() { <-guessing }()
	case <-ctx.Done():
		return false
	}
	if !s.hashed.is(given) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum = mac
	return true
}

func (s *secret) known() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}

// guessing is filled while a guess at a hashed password is checked.
var guessing = make(chan struct{}, 1)
