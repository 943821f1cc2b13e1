package soak

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
)

var soakSeed = flag.Uint64("soak.seed", 0, "what chance is drawn from; 0: another each time")

// A place is a kind of storage. What open returns as left tells what is in a storage
// that should be empty.
type place struct {
	name string
	open func(*testing.T) (url string, left func() []string)
}

const (
	redis = "Redis"
	file  = "a SQLite file"
)

var places = []place{{redis, onRedis}, {file, onFile}}

func onRedis(t *testing.T) (string, func() []string) {
	s := redistest.Start(t, redistest.Options{})
	return s.URL(), func() []string {
		return slices.DeleteFunc(strings.Fields(s.Do(t, "KEYS", "*")), func(key string) bool {
			return stays(key) || s.Do(t, "TTL", key) != "-1" // what was answered to a broker that is gone goes by itself
		})
	}
}

// onFile has no keys to look for: what belongs to a run that is gone is for Verify to
// find.
func onFile(t *testing.T) (string, func() []string) {
	return "sqlite:" + filepath.Join(t.TempDir(), "soak.db"), func() []string { return nil }
}

// stays reports whether a key is one of those that docs/storage.md says stay, of a plan,
// of the history of figures, the last number of the joins of groups, or the set of servers, in which one that was killed is until the next one beats.
func stays(key string) bool {
	for _, part := range []string{":queues", ":servers", ":workers", ":leat:joined", "leat:{wake}:", "leat:version", ":processed", ":failed", "~plan~", "{leat~history}"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// A site is a storage, and what everybody needs there.
type site struct {
	*testing.T
	url    string
	left   func() []string
	seed   uint64
	chance *rand.Rand
	broker broker.Broker
	client *queue.Client
}

func openSite(t *testing.T, p place) *site {
	s := &site{T: t, seed: *soakSeed}
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	t.Logf("seed %d", s.seed)
	s.chance = rand.New(rand.NewPCG(s.seed, 0))
	s.url, s.left = p.open(t)
	var err error
	s.broker, err = brokerurl.Open(s.url)
	s.check(err)
	s.client = queue.NewClient(s.broker)
	return s
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// wantSound demands that the storage is found sound.
func (s *site) wantSound(now time.Time) {
	s.Helper()
	faults, err := s.broker.(broker.Verifier).Verify(s.Context(), now)
	s.check(err)
	for _, f := range faults {
		s.Errorf("Verify() says %q, want nothing", f)
	}
}

// expire lets the time pass for which anything is kept, and demands that no queue
// holds anything then.
func (s *site) expire() {
	s.Helper()
	queues, err := s.broker.Queues(s.Context())
	s.check(err)
	now := time.Now().Add(30 * 24 * time.Hour)
	for {
		a, err := s.broker.Advance(s.Context(), now, broker.AdvanceRequest{Queues: queues, Limit: 1000, Keep: broker.ArchiveLimits{Age: time.Hour}})
		s.check(err)
		if a.Total() == 0 {
			break
		}
	}
	s.wantSound(now)
	counts, err := s.broker.Counts(s.Context(), now)
	s.check(err)
	for _, c := range counts {
		if c.Size() > 0 {
			s.Errorf("queue %s holds %+v after all has expired", c.Queue, c)
		}
	}
}

// leave closes the storage, and demands that nothing is left in it.
func (s *site) leave() {
	s.Helper()
	s.check(s.broker.Close())
	if keys := s.left(); len(keys) > 0 {
		s.Errorf("%d keys are left, such as %s", len(keys), keys[0])
	}
}
