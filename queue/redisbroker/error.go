package redisbroker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// An OpenError says why a server cannot be used. It matches
// [broker.ErrRefused], and what the server or the network said.
type OpenError struct {
	Address string // host:port or the path of a socket; never a password
	Reason  string // what is wrong with it: "does not answer"
	Err     error  // nil if nothing was said
}

// Error names the address and the reason.
func (e *OpenError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("redis at %s %s", e.Address, e.Reason)
	}
	return fmt.Sprintf("redis at %s %s: %v", e.Address, e.Reason, e.Err)
}

// Unwrap returns [broker.ErrRefused] and what was said.
func (e *OpenError) Unwrap() []error {
	if e.Err == nil {
		return []error{broker.ErrRefused}
	}
	return []error{broker.ErrRefused, e.Err}
}

// refusals are the codes of replies by which a server says that it has not
// executed a command.
var refusals = []string{
	"OOM", "LOADING", "NOAUTH", "WRONGPASS", "NOPERM", "READONLY", "MISCONF", "BUSY",
	"MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "NOSCRIPT",
}

// refusal returns err, which matches [broker.ErrRefused] if the command that
// ended in it was certainly not executed.
func refusal(err error) error {
	if errors.Is(err, redis.ErrClosed) { // while the call was under way
		err = fmt.Errorf("%w: %w", broker.ErrClosed, err)
	}
	if err != nil && notExecuted(err) {
		return fmt.Errorf("%w: %w", broker.ErrRefused, err)
	}
	return err
}

func notExecuted(err error) bool {
	if isReply(err) {
		code, _, _ := strings.Cut(err.Error(), " ")
		// A script that fails half-way says so with the same codes.
		return slices.Contains(refusals, code) && !strings.Contains(err.Error(), "@user_script")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	return errors.Is(err, redis.ErrClosed) || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted)
}

// isReply reports whether err is a server's answer, not the lack of one.
func isReply(err error) bool {
	_, ok := errors.AsType[redis.Error](err)
	return ok
}
