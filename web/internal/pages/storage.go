package pages

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
)

var storagePage = page{path: "/storage", name: "storage", title: "Storage", load: loadStorage}

// A storagePlace is what the storage tells of itself.
type storagePlace struct {
	view.Storage
	About    broker.About
	Cards    []figure
	Facts    []figure
	Places   []broker.QueuePlace
	Fullness float64 // which part of what it may take is taken; 0: not known
	Lossy    bool    // when it is full it drops what nobody has told it to
	CanCheck bool    // it can look whether what is stored contradicts itself
	Checked  *verdict
}

// A figure is something with a name.
type figure struct{ Name, Value string }

func loadStorage(ctx context.Context, p *Pages, _ *request) (any, error) {
	about, err := p.Storage.About(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	o := storagePlace{Storage: view.StorageOf(about), About: about, Checked: p.checks.latest()}
	_, o.CanCheck = p.Storage.Broker.(broker.Verifier)
	o.Cards = cardsOf(about)
	for _, name := range slices.Sorted(maps.Keys(about.Facts)) {
		o.Facts = append(o.Facts, figure{name, about.Facts[name]})
	}
	if about.MaxMemory > 0 {
		o.Fullness = float64(about.Memory) / float64(about.MaxMemory)
	}
	o.Lossy = about.Eviction != "" && about.Eviction != "noeviction"
	if about.Cluster != nil && about.Cluster.Shards == 0 {
		if o.Places, err = p.places(ctx); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// places returns where the queues are in a cluster.
func (p *Pages) places(ctx context.Context) ([]broker.QueuePlace, error) {
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	about, err := p.Storage.Inspector.Describe(ctx, namesOf(q.Infos)...)
	if err != nil || about.Cluster == nil {
		return nil, err
	}
	return about.Cluster.Places, nil
}

// cardsOf returns what is looked at first.
func cardsOf(a broker.About) (cards []figure) {
	add := func(known bool, name, value string) {
		if known {
			cards = append(cards, figure{name, value})
		}
	}
	memory := "memory"
	if a.Kind == "sqlite" {
		memory = "size of the file"
	}
	add(a.Version != "", "version", a.Version)
	add(a.Uptime > 0, "up", quantity.Seconds(a.Uptime.Seconds()))
	add(a.Connections > 0, "connections", quantity.Count(a.Connections))
	add(a.Memory > 0, memory, quantity.Bytes(a.Memory))
	add(a.PeakMemory > 0, "at most so far", quantity.Bytes(a.PeakMemory))
	add(a.MaxMemory > 0, "it may take", quantity.Bytes(a.MaxMemory))
	add(a.Persistence != "", "survives a crash", a.Persistence)
	add(a.Eviction != "", "if it is full", a.Eviction)
	if c := a.Cluster; c != nil {
		add(c.State != "", "state of the cluster", c.State)
		add(c.Nodes > 0, "nodes", quantity.Count(c.Nodes))
		add(c.Size > 0, "nodes with slots", quantity.Count(c.Size))
		add(c.Shards > 0, "shards", quantity.Count(c.Shards))
	}
	add(a.ClockDoubt > 1, "clock ahead of here", a.ClockOffset.String()+" ± "+a.ClockDoubt.String())
	return cards
}
