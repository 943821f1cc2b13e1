package periodic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// An Inspector is for those who look after entries: it shows what is known of them, and
// changes it. What it changes is stored, and schedulers hear of it within their
// SyncInterval; no tick that they decide after it is decided as if it had not been. Its
// methods may be called from several goroutines.
//
// An error that matches [queue.ErrUnknown] leaves open whether what was asked for was
// done; any other says that it was not. That there is no such entry matches
// [ErrEntryNotFound]. Of who does something, and why, the first 200 bytes are kept.
type Inspector struct {
	broker broker.Broker
	clock  func() time.Time
	told   func(name string, d broker.Document) // of each change
}

// NewInspector returns an inspector of the entries that are kept in b. It does not close
// b.
func NewInspector(b broker.Broker) *Inspector {
	return &Inspector{broker: b, clock: time.Now, told: func(string, broker.Document) {}}
}

// Inspector returns an inspector whose changes s hears of at once.
func (s *Scheduler) Inspector() *Inspector {
	return &Inspector{broker: s.broker, clock: s.now, told: func(name string, d broker.Document) {
		if err := s.hear(name, d); err != nil {
			s.cfg.Logger.Warn("periodic entry has trouble", "entry", name, "err", err)
		}
	}}
}

// An Info is what is known of an entry.
type Info struct {
	// Entry is what it was known as when its record was last written. A payload that a
	// program makes is not in it, and then Function is set.
	Entry
	Function bool

	Source Source
	Known  time.Time // since when
	Prev   time.Time // the last tick that was enqueued; zero: none
	Next   time.Time // the next tick; zero: none, or it is paused
	Paused *Pause    // nil: it is not

	// RunBy are the ids of the schedulers that have said lately that they run it. Late
	// says that its next tick should have been decided: none does, or none reaches the
	// storage.
	RunBy []string
	Late  bool

	Asked     int        // runs that were asked for and wait to be enqueued
	Backfills []Backfill // those under way, and the last ones that have ended
	History   []Event    // the last ones, the last one last

	// Open are tasks of ticks that have not ended, those of backfills excepted; a hundred
	// or so if there are more. Only [Inspector.Get] asks for them.
	Open []broker.EntryRef
}

// List returns all entries, in order of their names. It takes a trip for each.
func (i *Inspector) List(ctx context.Context) ([]Info, error) {
	infos, broken, err := i.Survey(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		return nil, fmt.Errorf("list entries: %s: %w", name, broken[name])
	}
	return infos, nil
}

// Survey is [Inspector.List], except that an entry whose record cannot be read keeps nothing
// of the others secret: it is left out, and broken tells why.
func (i *Inspector) Survey(ctx context.Context) (infos []Info, broken map[string]error, err error) {
	broken = make(map[string]error)
	req := broker.HomesRequest{Queue: homes, Limit: broker.MaxParts}
	for {
		page, err := i.broker.Homes(ctx, req)
		if err != nil {
			return nil, nil, fmt.Errorf("list entries: %w", err)
		}
		for _, h := range page.Homes {
			switch info, err := i.info(ctx, h.Home.ID); {
			case err == nil:
				infos = append(infos, info)
			case errors.Is(err, ErrEntryNotFound): // it was removed
			case errors.Is(err, errUnreadable):
				broken[h.Home.ID] = err
			default:
				return nil, nil, fmt.Errorf("list entries: %w", err)
			}
		}
		if req.After = page.Next; page.Next == "" {
			break
		}
	}
	if err := i.fillRunBy(ctx, infos); err != nil {
		return nil, nil, fmt.Errorf("list entries: %w", err)
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(infos, func(a, b Info) bool { return a.Name == b.Name }), broken, nil
}

// Get returns what is known of an entry.
func (i *Inspector) Get(ctx context.Context, name string) (Info, error) {
	info, err := i.info(ctx, name)
	if err != nil {
		return info, fmt.Errorf("get %s: %w", name, err)
	}
	page, err := i.broker.OpenEntries(ctx, broker.OpenRequest{Home: homeOf(name), Limit: maxFirings})
	if err != nil {
		return info, fmt.Errorf("get %s: %w", name, err)
	}
	info.Open = page.Entries
	infos := []Info{info}
	if err := i.fillRunBy(ctx, infos); err != nil {
		return info, fmt.Errorf("get %s: %w", name, err)
	}
	return infos[0], nil
}

// fillRunBy fills in by which schedulers entries are run.
func (i *Inspector) fillRunBy(ctx context.Context, infos []Info) error {
	alive, err := i.broker.Schedulers(ctx, i.clock())
	if err != nil {
		return fmt.Errorf("schedulers: %w", err)
	}
	by := make(map[string][]string)
	for _, s := range alive {
		for _, e := range s.Entries {
			by[e.ID] = append(by[e.ID], s.ID)
		}
	}
	for n := range infos {
		infos[n].RunBy = by[infos[n].Name]
	}
	return nil
}

// History returns what was decided of an entry's ticks and done to it lately, the last
// one last.
func (i *Inspector) History(ctx context.Context, name string) ([]Event, error) {
	info, err := i.info(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", name, err)
	}
	return info.History, nil
}

func (i *Inspector) info(ctx context.Context, name string) (Info, error) {
	d, err := i.read(ctx, name)
	if err != nil {
		return Info{}, err
	}
	if !d.exists() {
		return Info{}, ErrEntryNotFound
	}
	info := Info{
		Entry: d.Spec.entry(name), Function: d.Spec.Function, Source: d.Source, Known: d.Known, Prev: d.Fired, Paused: d.Paused,
		Asked: len(d.Asks), Backfills: d.Backfills, History: d.History,
	}
	t, err := info.readTimetable()
	if err == nil && d.Paused == nil {
		info.Next = t.Next(d.Last)
		info.Late = !info.Next.IsZero() && t.due(info.Next).Add(info.Window).Before(i.clock())
	}
	return info, nil
}

func (i *Inspector) read(ctx context.Context, name string) (document, error) {
	docs, err := i.broker.Documents(ctx, homeOf(name), recordKey)
	if err != nil {
		return document{}, err
	}
	return read(docs[0])
}

// read reads a record, if there is one.
func read(d broker.Document) (document, error) {
	known := document{version: d.Version}
	if d.Version == 0 {
		return known, nil
	}
	var err error
	known.record, err = decodeRecord(d)
	return known, err
}

// exists reports whether there is an entry.
func (d *document) exists() bool { return d.version > 0 && d.Removed.IsZero() }

// Pause has an entry without ticks until it is resumed: by says who wants it, and why.
// Runs that are asked for, and backfills, go on. Pausing it again says so anew.
func (i *Inspector) Pause(ctx context.Context, name, by, why string) error {
	by, why = cut(by), cut(why)
	return i.change(ctx, "pause", name, func(d *document, now time.Time) error {
		d.Paused = &Pause{By: by, Why: why, At: now}
		d.record = d.noted(Event{Tick: now, At: now, What: EntryPaused, Why: why, By: by})
		return nil
	})
}

// Resume has an entry that was paused go on from now. What would have ticked meanwhile is
// not made up for; [Inspector.Backfill] does that. One that is not paused stays as it is.
func (i *Inspector) Resume(ctx context.Context, name, by string) error {
	by = cut(by)
	return i.change(ctx, "resume", name, func(d *document, now time.Time) error {
		if d.Paused == nil {
			return errSame
		}
		d.Paused, d.Last = nil, later(d.Last, now)
		d.record = d.noted(Event{Tick: now, At: now, What: EntryResumed, By: by})
		return nil
	})
}

// RunNow has a task of the entry enqueued soon, whether it is paused or not, and subject
// to its Overlap. It returns the tick, whose Time is now, and the id that the task will
// have. At most 32 such wishes wait; more match [ErrTooMany].
func (i *Inspector) RunNow(ctx context.Context, name, by string) (tick Tick, id string, err error) {
	by = cut(by)
	err = i.change(ctx, "run", name, func(d *document, now time.Time) error {
		if len(d.Asks) >= maxAsks {
			return ErrTooMany
		}
		if n := len(d.Asks); n > 0 {
			now = later(now, d.Asks[n-1].At.Add(time.Millisecond))
		}
		d.Asks = append(slices.Clone(d.Asks), ask{At: now, By: by})
		tick, id = Tick{Entry: name, Time: now, Overlap: d.Spec.Overlap}, askID(name, now)
		return nil
	})
	return tick, id, err
}

// Backfill has the ticks from one time to another enqueued, which both have passed, the
// oldest first, so that never more than b.Cap of their tasks are open. They are no overlap
// of other ticks, and the other way round. Of b only From, To, Cap, Force and By count.
//
// Unless b.Force, ticks are left out that are known to have been run: by the schedule, as
// far as the history goes back, and by backfills. It returns the backfill's id;
// [Info].Backfills tells how far it has come. At most 32 are under way; more match
// [ErrTooMany].
func (i *Inspector) Backfill(ctx context.Context, name string, b Backfill) (id string, err error) {
	b.By = cut(b.By)
	var faults []error
	if b.Cap < 1 || b.Cap > maxFirings {
		faults = append(faults, task.Invalid("Cap", b.Cap, fmt.Sprintf("must be 1 to %d", maxFirings)))
	}
	if b.From.IsZero() || b.To.Before(b.From) {
		faults = append(faults, task.Invalid("To", b.To, "must not be before From"))
	}
	if b.To.After(i.clock()) {
		faults = append(faults, task.Invalid("To", b.To, "must have passed"))
	}
	if err := errors.Join(faults...); err != nil {
		return "", fmt.Errorf("backfill %s: %w", name, err)
	}
	err = i.change(ctx, "backfill", name, func(d *document, now time.Time) error {
		under := 0
		for _, other := range d.Backfills {
			if other.Ended.IsZero() {
				under++
			}
			now = later(now, other.Begun.Add(time.Millisecond))
		}
		if under >= maxAsks {
			return ErrTooMany
		}
		id = stamp(now)
		fresh := Backfill{ID: id, From: b.From.UTC(), To: b.To.UTC(), Cap: b.Cap, Force: b.Force, By: b.By, Begun: now, Done: b.From.UTC().Add(-1)}
		d.Backfills = append(slices.Clone(d.Backfills), fresh)
		d.record = d.noted(Event{Tick: fresh.From, Until: fresh.To, At: now, What: BackfillBegun, By: b.By})
		return nil
	})
	return id, err
}

// EndBackfill has nothing more of a backfill enqueued. Tasks of it that are open go on.
// One that has ended stays as it is; if there is none with that id, the error matches
// [ErrBackfillNotFound].
func (i *Inspector) EndBackfill(ctx context.Context, name, id, by string) error {
	return i.change(ctx, "end backfill of", name, func(d *document, now time.Time) error {
		n := slices.IndexFunc(d.Backfills, func(b Backfill) bool { return b.ID == id })
		if n < 0 {
			return fmt.Errorf("backfill %q: %w", id, ErrBackfillNotFound)
		}
		if b := d.Backfills[n]; !b.Ended.IsZero() || b.Done.Equal(b.To) {
			return errSame
		}
		d.Backfills = slices.Clone(d.Backfills)
		d.Backfills[n].To = d.Backfills[n].Done
		d.record = d.noted(Event{Tick: d.Backfills[n].From, Until: d.Backfills[n].To, At: now, What: BackfillCut, By: cut(by)})
		return nil
	})
}
