package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/web/access"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestWhatIsRecordedIsTold(t *testing.T) {
	var told bytes.Buffer
	l := New(model.New(model.Options{}), slog.New(slog.NewTextHandler(&told, nil)))
	want := Entry{
		At: time.Now().UTC().Round(0), By: "ann", Role: access.Admin, From: "10.0.0.7", Deed: "delete", Kind: "task",
		Target: "mail/17", Args: map[string]string{"why": "twice", "note": "a\nb"}, Count: 1,
	}
	l.Record(t.Context(), want)
	got, err := l.Latest(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{want}, got); diff != "" {
		t.Errorf("Latest after one Record (-want +got):\n%s", diff)
	}
	for _, part := range []string{"level=INFO", "msg=audit", "deed=delete", "by=ann", "role=admin", `args.note="a\nb"`, "target=mail/17"} {
		if !strings.Contains(told.String(), part) {
			t.Errorf("the logger was told %q, without %q", told.String(), part)
		}
	}
}

func TestTheLatestComeFirstAndOldOnesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := model.New(model.Options{})
		l := New(b, quiet())
		ctx := t.Context()
		for i := range room + 7 {
			l.Record(ctx, Entry{Deed: fmt.Sprint(i)})
		}
		got := latest(t, l, room*2)
		if len(got) != room || got[0] != fmt.Sprint(room+6) || got[room-1] != "7" {
			t.Errorf("of %d entries %d are kept, from %s to %s", room+7, len(got), got[len(got)-1], got[0])
		}
		time.Sleep(40 * 24 * time.Hour)
		l.Record(ctx, Entry{Deed: "a month later"})
		if got := latest(t, l, 2); got[0] != "a month later" || got[1] != fmt.Sprint(room+6) {
			t.Errorf("the latest two of two months are %q", got)
		}
		time.Sleep(2 * keep)
		if got := latest(t, l, 2); len(got) != 0 {
			t.Errorf("half a year later there still is %q", got)
		}
		now := monthOf(time.Now())
		l.Record(ctx, Entry{Deed: "half a year later"}) // which deletes what is old
		for m := now.before(); m.begins.Year() > 1999; m = m.before() {
			if docs, err := b.Documents(ctx, m.home(), headKey); err != nil || docs[0].Version != 0 {
				t.Fatalf("month %s is still kept: %v, %v", m.home(), docs, err)
			}
		}
	})
}

func latest(t *testing.T, l *Log, n int) (deeds []string) {
	t.Helper()
	entries, err := l.Latest(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		deeds = append(deeds, e.Deed)
	}
	return deeds
}

func TestSeveralProcessesRecordOnOneStorage(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{}).URL()
	file := filepath.Join(t.TempDir(), "audit.db")
	for name, open := range map[string]func() (broker.Broker, error){
		"redis":  func() (broker.Broker, error) { return redisbroker.Open(redis, nil) },
		"sqlite": func() (broker.Broker, error) { return sqlitebroker.Open(file, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			const processes, each = 4, 10
			var logs []*Log
			for range processes {
				b, err := open()
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				logs = append(logs, New(b, quiet()))
			}
			var all sync.WaitGroup
			for p, l := range logs {
				for i := range each {
					all.Go(func() { l.Record(t.Context(), Entry{Deed: fmt.Sprint(p*each + i)}) })
				}
			}
			all.Wait()
			seen := map[string]bool{}
			for _, deed := range latest(t, logs[0], 1000) {
				if seen[deed] {
					t.Errorf("%s is there twice", deed)
				}
				seen[deed] = true
			}
			if len(seen) != processes*each {
				t.Errorf("%d of %d entries are kept", len(seen), processes*each)
			}
		})
	}
}

// broken is a storage that keeps nothing.
type broken struct {
	*model.Model
	err error
}

func (b broken) Apply(ctx context.Context, _ time.Time, _ []broker.Change, _ broker.LeaseRequest) (broker.Applied, error) {
	if b.err != nil {
		return broker.Applied{}, b.err
	}
	<-ctx.Done()
	return broker.Applied{}, ctx.Err()
}

func TestAStorageThatFailsStopsNoDeed(t *testing.T) {
	for name, b := range map[string]broken{
		"refuses":         {err: errors.New("no room")},
		"does not answer": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told bytes.Buffer
				b.Model = model.New(model.Options{})
				l := New(b, slog.New(slog.NewTextHandler(&told, nil)))
				ctx, cancel := context.WithCancel(t.Context())
				cancel() // who did it has gone
				began := time.Now()
				l.Record(ctx, Entry{Deed: "delete", By: "ann"})
				if took := time.Since(began); took > patience {
					t.Errorf("a deed was held up for %v", took)
				}
				if got := strings.Count(told.String(), "deed=delete"); got != 2 || !strings.Contains(told.String(), "is not kept") {
					t.Errorf("the logger was told of the deed and of the fault %d times:\n%s", got, told.String())
				}
			})
		})
	}
}

func TestWhatIsTooLongIsCut(t *testing.T) {
	l := New(model.New(model.Options{}), quiet())
	e := Entry{Deed: "delete", Target: strings.Repeat("ä", 9000), Err: "\xff\x00", Args: map[string]string{}}
	for i := range 100 {
		e.Args[fmt.Sprint(i)] = strings.Repeat("x", 9000)
	}
	l.Record(t.Context(), e)
	got, err := l.Latest(t.Context(), 1)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if n := len(got[0].Target); n > mostText+len("…") {
		t.Errorf("a target of %d bytes is kept", n)
	}
	if n := len(got[0].Args); n != mostArgs {
		t.Errorf("%d arguments are kept", n)
	}
	if got[0].Err != "\uFFFD\x00" {
		t.Errorf("the error %q is kept as %q", e.Err, got[0].Err)
	}
}

func TestAnEntryThatCannotBeReadHidesNoOther(t *testing.T) {
	b := model.New(model.Options{})
	l := New(b, quiet())
	for _, deed := range []string{"a", "b", "c"} {
		l.Record(t.Context(), Entry{Deed: deed})
	}
	_, err := b.Apply(t.Context(), time.Now(), []broker.Change{{
		Home: monthOf(time.Now()).home(),
		Put:  []broker.Put{{Key: slot(1), Body: []byte(`{"deed":"b","role":"emperor"}`), If: broker.AnyVersion}},
	}}, broker.LeaseRequest{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.Latest(t.Context(), 9)
	if err != nil || len(got) != 3 || got[0].Deed != "c" || got[2].Deed != "a" || !strings.Contains(got[1].Err, "cannot be read") {
		t.Errorf("Latest = %+v, %v", got, err)
	}
}

// still is a storage that says whether something was written.
type still struct {
	*model.Model
	written bool
}

func (s *still) Apply(context.Context, time.Time, []broker.Change, broker.LeaseRequest) (broker.Applied, error) {
	s.written = true
	return broker.Applied{}, nil
}

func (s *still) Advance(context.Context, time.Time, broker.AdvanceRequest) (broker.Advanced, error) {
	s.written = true
	return broker.Advanced{}, nil
}

func TestWhoLooksWritesNothing(t *testing.T) {
	s := &still{Model: model.New(model.Options{})}
	if _, err := New(s, quiet()).Latest(t.Context(), 10); err != nil || s.written {
		t.Errorf("a look has written: %v, %v", s.written, err)
	}
}
