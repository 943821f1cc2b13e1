package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/aside"
)

// A Part is one part of what is shown, and how it looks now.
type Part struct {
	Name string `json:"name"`
	HTML string `json:"html"`
}

// A Render renders all parts of what is shown. An error that matches [ErrGone] says that
// there is nothing to show any more.
type Render func(ctx context.Context) ([]Part, error)

// What keeps somebody from following.
var (
	ErrGone = errors.New("it is not there any more")
	ErrFull = errors.New("too many are following")
	ErrMany = errors.New("you are following too much at once: close some pages")
	ErrOver = errors.New("the dashboard is closed")
)

// Most is how many may follow at once, and MostEach how many of them may be one and the same.
const (
	Most     = 2000
	MostEach = 200
)

// atOnce is how much is rendered at once.
const atOnce = 8

// A Hub renders what somebody follows, once for all who follow the same, and tells them
// what has changed. What nobody follows is not rendered.
type Hub struct {
	every   time.Duration
	patient time.Duration
	busy    chan struct{} // has something in it for each that is rendered

	mu     sync.Mutex
	topics map[string]*topic
	count  int            // of followers
	each   map[string]int // how many of them somebody is
	closed bool
	ctx    context.Context
	cancel context.CancelFunc
	going  sync.WaitGroup
}

// New returns a hub that renders every so often, and gives each rendering at most patient.
func New(every, patient time.Duration) *Hub {
	h := &Hub{every: every, patient: patient, busy: make(chan struct{}, atOnce), topics: map[string]*topic{}, each: map[string]int{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// Close ends all that is followed, and returns when nothing is rendered any more.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.going.Wait()
}

// Follow has the follower told of what render renders, which must be the same for all who
// give the same key. who follows may follow [MostEach] things. [Follower.Leave] ends it.
func (h *Hub) Follow(who, key string, render Render) (*Follower, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrOver
	case h.count >= Most:
		return nil, ErrFull
	case h.each[who] >= MostEach:
		return nil, ErrMany
	}
	t := h.topics[key]
	if t == nil {
		t = &topic{hub: h, key: key, render: render, known: map[string]string{}, followers: map[*Follower]struct{}{}, again: make(chan struct{}, 1), left: make(chan struct{})}
		h.topics[key] = t
		h.going.Go(t.run)
	}
	h.count++
	h.each[who]++
	f := &Follower{who: who, topic: t, news: make(chan struct{}, 1), parts: map[string]string{}, order: nil}
	for _, name := range t.order {
		f.take(name, t.known[name])
	}
	f.latest = t.latest
	if len(t.order) > 0 {
		f.tell()
	}
	t.followers[f] = struct{}{}
	return f, nil
}

// Again has everything that is followed rendered at once, or, if it has just been rendered,
// in a moment.
func (h *Hub) Again() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.topics {
		select {
		case t.again <- struct{}{}:
		default:
		}
	}
}

// A topic is what followers of one key see.
type topic struct {
	hub    *Hub
	key    string
	render Render
	again  chan struct{}
	left   chan struct{} // closed when the last follower has left

	// Under hub.mu.
	followers map[*Follower]struct{}
	known     map[string]string // how parts look
	order     []string          // of parts
	latest    latest
}

// latest is what came of the last rendering.
type latest struct {
	at  time.Time // that succeeded
	err error     // of the last one, if it did not
}

// run renders until nobody follows.
func (t *topic) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var soonest time.Time // to be rendered
	for {
		select {
		case <-timer.C:
		case <-t.again:
			if wait := time.Until(soonest); wait > 0 {
				timer.Reset(wait)
				continue
			}
		case <-t.left:
			return
		case <-t.hub.ctx.Done():
			t.end()
			return
		}
		select {
		case t.hub.busy <- struct{}{}:
		case <-t.left:
			return
		case <-t.hub.ctx.Done():
			t.end()
			return
		}
		began := time.Now()
		t.once(began)
		<-t.hub.busy
		soonest = time.Now().Add(t.hub.every / 4)
		timer.Reset(max(t.hub.every-time.Since(began), t.hub.every/4))
	}
}

// once renders, and tells followers what has come of it.
func (t *topic) once(began time.Time) {
	ctx, cancel := context.WithTimeout(t.hub.ctx, t.hub.patient)
	defer cancel()
	parts, err := aside.Call(ctx, t.hub.patient, func() ([]Part, error) { return t.render(ctx) })
	t.tell(began, parts, err)
}

// tell tells followers what has changed.
func (t *topic) tell(at time.Time, parts []Part, err error) {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	if t.latest.err = err; err == nil {
		t.latest.at = at
	}
	for _, p := range parts {
		old, known := t.known[p.Name]
		if !known {
			t.order = append(t.order, p.Name)
		}
		if known && old == p.HTML {
			continue
		}
		t.known[p.Name] = p.HTML
		for f := range t.followers {
			f.take(p.Name, p.HTML)
		}
	}
	for f := range t.followers {
		f.latest = t.latest
		f.tell()
	}
}

func (t *topic) end() {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	t.latest.err = ErrOver
	for f := range t.followers {
		f.latest = t.latest
		f.tell()
	}
}

// A Follower is told what has changed. It is for one goroutine.
type Follower struct {
	who   string
	topic *topic
	news  chan struct{}

	// Under the hub's lock.
	parts  map[string]string // that have changed since they were last taken
	order  []string
	latest latest
	gone   bool
}

func (f *Follower) take(name, html string) {
	if _, waits := f.parts[name]; !waits {
		f.order = append(f.order, name)
	}
	f.parts[name] = html
}

func (f *Follower) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// News is sent to when there is something to [Follower.Take].
func (f *Follower) News() <-chan struct{} { return f.news }

// Take returns the parts that have changed since they were last taken, how they look now,
// and when that was; or what keeps it from being known how it looks now.
func (f *Follower) Take() (parts []Part, at time.Time, err error) {
	f.topic.hub.mu.Lock()
	defer f.topic.hub.mu.Unlock()
	for _, name := range f.order {
		parts = append(parts, Part{Name: name, HTML: f.parts[name]})
	}
	f.parts, f.order = map[string]string{}, nil
	return parts, f.latest.at, f.latest.err
}

// Leave ends it.
func (f *Follower) Leave() {
	h := f.topic.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.gone {
		return
	}
	f.gone = true
	h.count--
	if h.each[f.who]--; h.each[f.who] == 0 {
		delete(h.each, f.who)
	}
	delete(f.topic.followers, f)
	if len(f.topic.followers) == 0 && h.topics[f.topic.key] == f.topic {
		delete(h.topics, f.topic.key)
		close(f.topic.left)
	}
}
