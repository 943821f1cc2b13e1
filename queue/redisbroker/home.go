package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// OpenEntries implements [broker.Broker]. A page may hold more entries than were
// asked for, as Redis has it, or none although there are more. What it promises of
// all pages together ends when another server takes over, or the server restarts.
func (b *world) OpenEntries(ctx context.Context, r broker.OpenRequest) (broker.OpenPage, error) {
	cursor, malformed := parseCursor(r.After)
	if err := errors.Join(r.Check(), malformed, b.started(ctx)); err != nil {
		return broker.OpenPage{}, fmt.Errorf("open entries: %w", err)
	}
	fields, next, err := b.client.HScan(ctx, b.keys.open(r.Home), cursor, "", int64(r.Limit)).Result()
	if err != nil {
		return broker.OpenPage{}, fmt.Errorf("open entries of %s: %w", r.Home, refusal(err))
	}
	var page broker.OpenPage
	for i := 0; i < len(fields); i += 2 { // a value follows each, and is empty
		page.Entries = append(page.Entries, openEntry(r.Home, fields[i]))
	}
	if next != 0 {
		page.Next = strconv.FormatUint(next, 10)
	}
	return page, nil
}

func parseCursor(after string) (uint64, error) {
	if after == "" {
		return 0, nil
	}
	cursor, err := strconv.ParseUint(after, 10, 64)
	if err != nil || cursor == 0 {
		return 0, fmt.Errorf("%w: %w", broker.ErrRefused, task.Invalid("OpenRequest.After", after, "is no place"))
	}
	return cursor, nil
}

// An entry that is open is named as lua/lib/open.lua has it.
func openEntry(home broker.Home, field string) broker.EntryRef {
	if queue, rest, ok := strings.Cut(field, "|"); ok {
		return broker.EntryRef{Queue: queue, ID: home.ID + rest}
	}
	queue, id, _ := strings.Cut(field, " ")
	return broker.EntryRef{Queue: queue, ID: id}
}

// Homes implements [broker.Broker].
func (b *world) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	at, id, malformed := parseHomePlace(r.After)
	if err := errors.Join(r.Check(), malformed, b.started(ctx)); err != nil {
		return broker.HomesPage{}, fmt.Errorf("homes: %w", err)
	}
	args := append(b.common(atNoTime), r.Queue, r.Limit, "", bound(r.From), bound(r.To), at, id)
	if r.Newest {
		args[5] = "1"
	}
	for _, t := range r.Terms {
		args = append(args, t)
	}
	reply, err := b.run(ctx, homesScript, []string{b.keys.queue(r.Queue)}, args...).Slice()
	if err != nil {
		return broker.HomesPage{}, fmt.Errorf("homes beside %s: %w", r.Queue, refusal(err))
	}
	var page broker.HomesPage
	found := listAt(reply, 0)
	for i := 0; i < len(found); i += 2 {
		home := broker.Home{Queue: r.Queue, ID: textAt(found, i)}
		page.Homes = append(page.Homes, broker.ListedHome{Home: home, At: time.UnixMilli(numberAt(found, i+1)).UTC()})
	}
	if next := listAt(reply, 1); next != nil {
		page.Next = textAt(next, 0) + " " + textAt(next, 1)
	}
	return page, nil
}

// bound is a time as the script takes it, in milliseconds, or "" for none.
func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(millis(t), 10)
}

// parseHomePlace returns the words of a place that Homes gave, a time in
// milliseconds and an id.
func parseHomePlace(after string) (at, id string, err error) {
	at, id, _ = strings.Cut(after, " ")
	if _, err := strconv.ParseInt(at, 10, 64); after != "" && (err != nil || id == "") {
		return "", "", fmt.Errorf("%w: %w", broker.ErrRefused, task.Invalid("HomesRequest.After", after, "is no place"))
	}
	return at, id, nil
}
