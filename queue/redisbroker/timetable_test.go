package redisbroker

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
)

const schedulerID = "3f1c1a3e-6f0d-4d28-9d2e-0d7a4f6b2c11"

// periodic returns a scheduler with entries of those ids.
func periodic(ids ...string) broker.Scheduler {
	s := broker.Scheduler{ID: schedulerID, Host: "h", PID: 7}
	for _, id := range ids {
		s.Entries = append(s.Entries, broker.PeriodicEntry{ID: id, Spec: "@daily", Type: "t"})
	}
	return s
}

// encoded returns the records of the entries of s.
func encoded(t *testing.T, s broker.Scheduler) (records []string) {
	t.Helper()
	for _, e := range s.Entries {
		b, err := wire.EncodePeriodic(e)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(b))
	}
	return records
}

func TestSchedulersAreStoredAsAsynqDoes(t *testing.T) {
	_, cluster := alone(t)
	for what, url := range map[string]string{"on one server": redistest.Start(t, redistest.Options{}).URL(), "on a cluster": cluster} {
		t.Run(what, func(t *testing.T) {
			b, err := Open(url, &Options{LocalClock: true})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			schedulersAreStored(t, b, b.client)
		})
	}
}

func schedulersAreStored(t *testing.T, b broker.Timetable, c redis.UniversalClient) {
	ctx, now := t.Context(), time.UnixMilli(1900000000500)
	set, list := "asynq:schedulers", "asynq:schedulers:{h:7:"+schedulerID+"}"
	s := periodic("a", "b", "c")
	for range 2 {
		if err := b.BeatScheduler(ctx, now, s); err != nil {
			t.Fatal(err)
		}
	}
	found := c.ZRangeWithScores(ctx, set, 0, -1).Val()
	if diff := cmp.Diff([]redis.Z{{Score: 1900000061, Member: list}}, found); diff != "" {
		t.Errorf("schedulers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(encoded(t, s), c.LRange(ctx, list, 0, -1).Val()); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if ttl := c.TTL(ctx, list).Val(); ttl <= 0 || ttl > broker.SchedulerTTL {
		t.Errorf("the record lives %v, want %v", ttl, broker.SchedulerTTL)
	}
	if err := b.BeatScheduler(ctx, now, broker.Scheduler{ID: schedulerID, Gone: true}); err != nil {
		t.Fatal(err)
	}
	if n := c.Exists(ctx, set).Val() + c.Exists(ctx, list).Val(); n != 0 {
		t.Errorf("%d keys are left of a scheduler that has gone", n)
	}
}

// A timetableBench is a broker whose timetable is looked at.
type timetableBench struct {
	*testing.T
	b   *world
	now time.Time
}

func newTimetableBench(t *testing.T) *timetableBench {
	return &timetableBench{t, opened(t, Options{LocalClock: true}), time.UnixMilli(1900000000500)}
}

func (x *timetableBench) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func TestTicksAreStoredAsAsynqDoes(t *testing.T) {
	x := newTimetableBench(t)
	tick := broker.Tick{Entry: "e", TaskID: "i", At: x.now}
	x.must(x.b.RecordTicks(t.Context(), tick))
	tick.At = time.Unix(1900000000, 0)
	record, err := wire.EncodeTick(tick)
	x.must(err)
	key := string(x.b.keys) + ":scheduler_history:e"
	found := x.b.client.ZRangeWithScores(t.Context(), key, 0, -1).Val()
	if diff := cmp.Diff([]redis.Z{{Score: 1900000000, Member: string(record)}}, found); diff != "" {
		t.Errorf("ticks (-want +got):\n%s", diff)
	}
	for i := range broker.MaxTicks + 5 {
		x.must(x.b.RecordTicks(t.Context(), broker.Tick{Entry: "e", TaskID: fmt.Sprint(i), At: x.now.Add(time.Hour)}))
	}
	if n := x.b.client.ZCard(t.Context(), key).Val(); n != broker.MaxTicks {
		t.Errorf("%d ticks are kept, want %d", n, broker.MaxTicks)
	}
}

// TestATimetableThatIsDamagedIsReadAsFarAsItCanBe puts what asynq would not write
// between what it would.
func TestATimetableThatIsDamagedIsReadAsFarAsItCanBe(t *testing.T) {
	x := newTimetableBench(t)
	ctx, set := t.Context(), x.b.keys.schedulers()
	s := periodic("a", "b")
	x.must(x.b.BeatScheduler(ctx, x.now, s))
	x.must(x.b.client.LPush(ctx, set+":{h:7:"+schedulerID+"}", "nonsense").Err())
	for _, name := range []string{"nonsense", set + ":{}", set + ":{h:x:id}", set + ":{h:7:}", set + ":{7:id}"} {
		x.must(x.b.client.ZAdd(ctx, set, redis.Z{Score: 1900000061, Member: name}).Err())
	}
	alive, err := x.b.Schedulers(ctx, x.now)
	if diff := cmp.Diff([]broker.Scheduler{s}, alive, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("Schedulers() (-want +got):\n%s%v", diff, err)
	}
	tick := broker.Tick{Entry: "e", TaskID: "i", At: time.Unix(1900000000, 0).UTC()}
	x.must(x.b.RecordTicks(ctx, tick))
	x.must(x.b.client.ZAdd(ctx, x.b.keys.ticks("e"), redis.Z{Score: 1900000001, Member: "nonsense"}).Err())
	ticks, err := x.b.Ticks(ctx, "e", 2)
	if diff := cmp.Diff([]broker.Tick{tick}, ticks); diff != "" || err != nil {
		t.Errorf("Ticks() (-want +got):\n%s%v", diff, err)
	}
}

// TestSchedulersThatDiedAreForgotten has one beat when many others are dead, of which
// it removes a hundred at a time.
func TestSchedulersThatDiedAreForgotten(t *testing.T) {
	x := newTimetableBench(t)
	for i := range 150 {
		s := periodic("a")
		s.ID = fmt.Sprint(i)
		x.must(x.b.BeatScheduler(t.Context(), x.now, s))
	}
	late := x.now.Add(broker.SchedulerTTL + 2*time.Second)
	for _, left := range []int64{51, 1} {
		x.must(x.b.BeatScheduler(t.Context(), late, periodic("a")))
		if n := x.b.client.ZCard(t.Context(), x.b.keys.schedulers()).Val(); n != left {
			t.Errorf("%d schedulers are known, want %d", n, left)
		}
	}
}
