package redisbroker

import (
	"crypto/sha1" // a version is compared with what scripts compute, and guards nothing
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// entry returns the entry ref that is stored as a message, and what it has of
// [fieldWords], [fieldHome], [fieldReads], [fieldCrashes], [fieldExit] and
// [fieldGroup]. It returns an error for one that this broker would not have stored.
func (b *world) entry(ref broker.EntryRef, msg string, rest []any) (broker.Entry, error) {
	e, err := b.decode(ref, msg, textAt(rest, 0))
	if err != nil {
		return broker.Entry{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	if home := textAt(rest, 1); home != "" {
		e.Home = parseHome(home)
		e.Reads = strings.Fields(textAt(rest, 2))
	}
	e.Crashes = int(numberAt(rest, 3))
	if exit := textAt(rest, 4); exit != "" {
		e.Exit, err = b.exit(exit)
	}
	// The message keeps the group of an entry that has left it.
	e.Group = textAt(rest, 5)
	// What passes can be settled: a settlement is checked in the same way.
	if err := errors.Join(err, broker.CheckStored(&e), checkClaim(e)); err != nil {
		return broker.Entry{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	return e, nil
}

// decode returns the entry ref whose message is msg, with words beside it.
func (b *world) decode(ref broker.EntryRef, msg, words string) (broker.Entry, error) {
	e, claim, err := wire.DecodeEntry([]byte(msg))
	if err != nil {
		return e, err
	}
	if e.EntryRef != ref {
		return e, fmt.Errorf("its message is that of %s", e.EntryRef)
	}
	wire.SetWords(&e, words)
	if claim == "" {
		e.Claim = broker.Claim{}
		return e, nil
	}
	key, ours := strings.CutPrefix(claim, b.keys.claims(ref.Queue))
	if !ours {
		return e, task.Invalid("unique key", claim, "is not one of its queue")
	}
	e.Claim.Key = key
	return e, nil
}

func checkClaim(e broker.Entry) error {
	if e.Claim.Key == "" {
		return nil
	}
	return task.CheckMadeName("Claim.Key", e.Claim.Key)
}

// exit returns the entry that is packed, as it is added, in an entry's field.
func (b *world) exit(packed string) (*broker.Entry, error) {
	value, err := unpack([]byte(packed))
	fields, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, fmt.Errorf("its exit %w", errUnpack)
	}
	text := func(name string) string { s, _ := fields[name].(string); return s }
	more := make(map[string]string)
	list, _ := fields["more"].([]any)
	for i := 0; i+1 < len(list); i += 2 {
		more[textAt(list, i)] = textAt(list, i+1)
	}
	ref := broker.EntryRef{Queue: text("queue"), ID: text("id")}
	e, err := b.decode(ref, text("msg"), more[fieldWords])
	if err != nil {
		return nil, fmt.Errorf("its exit %s: %w", ref, err)
	}
	if home := more[fieldHome]; home != "" {
		e.Home = parseHome(home)
		e.Reads = strings.Fields(more[fieldReads])
	}
	e.Group = ""
	return &e, nil
}

// stored returns an entry as lua/lib/read.lua has it, with its attempts if they
// follow.
func (b *world) stored(ref broker.EntryRef, fields []any) (broker.Stored, error) {
	state, err := task.ParseState(textAt(fields, 1))
	if err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	s := broker.Stored{State: state}
	s.Entry, err = b.entry(ref, textAt(fields, 4), fields[5:11])
	if err != nil {
		s.Entry = broker.Entry{EntryRef: ref, LastErr: err.Error()}
	}
	s.Result, s.Progress = bytesAt(fields, 11), bytesAt(fields, 14)
	due := ""
	switch when := time.UnixMilli(numberAt(fields, 2)).UTC(); state {
	case task.Scheduled, task.Retry:
		due = textAt(fields, 2)
		s.DueAt = when
		s.Claim.Behind = textAt(fields, 15) != ""
	case task.Active:
		s.Until, s.CancelAsked = when, textAt(fields, 13) != ""
	case task.Completed:
		s.Until = when
	case task.Archived:
		s.End, _ = broker.ParseEnd(textAt(fields, 12))
	case task.Aggregating:
		if ends := numberAt(fields, 3); ends != 0 {
			s.Until = time.UnixMilli(ends).UTC()
		}
	}
	s.Version = versionOf(textAt(fields, 4), textAt(fields, 5), textAt(fields, 10), textAt(fields, 1), due)
	s.Place = textAt(fields, 2) + " " + ref.ID
	s.Attempts = attempts(textAt(fields, 16))
	return s, nil
}

// versionOf is what lua/lib/replace.lua computes of the fields of an entry that a
// replacement or a move overwrites.
func versionOf(msg, words, group, state, due string) string {
	sum := sha1.Sum([]byte(msg + "|" + words + "|" + group + "|" + state + "|" + due))
	return hex.EncodeToString(sum[:])
}

// attempts returns what lua/lib/finish.lua has packed; what is damaged is left
// out.
func attempts(packed string) []broker.Attempt {
	if packed == "" {
		return nil
	}
	value, _ := unpack([]byte(packed))
	list, _ := value.([]any)
	var all []broker.Attempt
	for i := range list {
		words := listAt(list, i)
		all = append(all, broker.Attempt{
			Started: momentAt(words, 0), Ended: momentAt(words, 1), Worker: textAt(words, 2), Err: textAt(words, 3), Stack: textAt(words, 4),
		})
	}
	return all
}

// document returns a document from its version and body, which are nil if it
// does not exist.
func document(key string, version, body any) broker.Document {
	d := broker.Document{Key: key}
	text, _ := version.(string)
	d.Version, _ = strconv.ParseInt(text, 10, 64)
	if s, ok := body.(string); ok && d.Version > 0 {
		d.Body = []byte(s)
	}
	return d
}
