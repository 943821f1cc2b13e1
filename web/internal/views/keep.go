package views

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Most is how many views are kept.
const Most = 50

// tries is how often a change is tried of which others were faster each time.
const tries = 50

// key is the document in which all views are.
const key = "views"

// home is where it lies. No task is ever in a queue of that name.
func home() broker.Home { return broker.Home{Queue: "leat~views", ID: "all"} }

// All returns the views that are kept in b, in the order in which they were.
func All(ctx context.Context, b broker.Broker) ([]View, error) {
	all, _, err := read(ctx, b)
	return all, err
}

func read(ctx context.Context, b broker.Broker) ([]View, broker.Document, error) {
	docs, err := b.Documents(ctx, home(), key)
	if err != nil {
		return nil, broker.Document{}, fmt.Errorf("views: %w", err)
	}
	all, err := parse(docs[0])
	return all, docs[0], err
}

func parse(d broker.Document) (all []View, err error) {
	if d.Version == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(d.Body, &all); err != nil {
		return nil, fmt.Errorf("views: document %s at version %d makes no sense: %w", d.Key, d.Version, err)
	}
	return all, nil
}

// Keep keeps a view. One of the same name on the same page is [broker.ErrExists].
func Keep(ctx context.Context, b broker.Broker, now time.Time, v View) error {
	if err := v.Check(); err != nil {
		return err
	}
	return change(ctx, b, now, func(all []View) ([]View, error) {
		switch {
		case slices.ContainsFunc(all, func(o View) bool { return o.ID() == v.ID() }):
			return nil, fmt.Errorf("view %s: %w", v.ID(), broker.ErrExists)
		case len(all) >= Most:
			return nil, task.Invalid("name", v.Name, fmt.Sprintf("is one too many: %d views are kept, forget one of them first", Most))
		}
		return append(all, v), nil
	})
}

// Forget forgets the view of that id, which is [broker.ErrNotFound] if there is none.
func Forget(ctx context.Context, b broker.Broker, now time.Time, id string) error {
	return change(ctx, b, now, func(all []View) ([]View, error) {
		left := slices.DeleteFunc(slices.Clone(all), func(v View) bool { return v.ID() == id })
		if len(left) == len(all) {
			return nil, fmt.Errorf("view %s: %w", id, broker.ErrNotFound)
		}
		return left, nil
	})
}

// change writes what edit makes of the views that there are.
func change(ctx context.Context, b broker.Broker, now time.Time, edit func([]View) ([]View, error)) error {
	all, at, err := read(ctx, b)
	for range tries {
		if err == nil {
			all, err = edit(all)
		}
		if err != nil {
			return err
		}
		outcome, err := write(ctx, b, now, all, at.Version)
		if err != nil {
			return err
		}
		lost, beaten := errors.AsType[*broker.ConflictError](outcome)
		if !beaten {
			return outcome
		}
		at = lost.Document
		if all, err = parse(at); err != nil {
			return err
		}
	}
	return fmt.Errorf("views: %d times others were faster: %w", tries, broker.ErrConflict)
}

func write(ctx context.Context, b broker.Broker, now time.Time, all []View, version int64) (outcome, err error) {
	body, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	applied, err := b.Apply(ctx, now, []broker.Change{{Home: home(), Put: []broker.Put{{Key: key, Body: body, If: version}}}}, broker.LeaseRequest{})
	if err != nil {
		return nil, err
	}
	return applied.Outcomes[0], nil
}
