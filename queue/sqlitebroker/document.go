package sqlitebroker

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
)

var (
	selectDocument = prepared(`SELECT version, body FROM leat_document WHERE home = ? AND key = ?`)
	selectVersion  = prepared(`SELECT version FROM leat_document WHERE home = ? AND key = ?`)
	selectSize     = prepared(`SELECT length(body) FROM leat_document WHERE home = ? AND key = ?`)
	putDocument    = prepared(`INSERT OR REPLACE INTO leat_document (home, key, version, body) VALUES (?, ?, ?, ?)`)
)

// document returns a document of h, which may be nil.
func (c *conn) document(h *home, key string) broker.Document {
	d := broker.Document{Key: key}
	if h != nil {
		c.on(selectDocument).int(h.num).text(key).first(func(r *row) { d.Version, d.Body = r.int(), r.blob() })
	}
	return d
}

// checkVersion says whether a document of h, which may be nil, has a version.
func (t *tx) checkVersion(name broker.Home, h *home, key string, want int64) error {
	var version int64
	if h != nil {
		t.on(selectVersion).int(h.num).text(key).first(func(r *row) { version = r.int() })
	}
	if version != want {
		return &broker.ConflictError{Home: name, Document: t.document(h, key)}
	}
	return nil
}

// checkDocuments says whether documents have the versions that c expects, and
// room.
func (t *tx) checkDocuments(c *broker.Change) error {
	if len(c.Require)+len(c.Put) == 0 {
		return nil
	}
	h := t.home(c.Home)
	for _, r := range c.Require {
		if err := t.checkVersion(c.Home, h, r.Key, r.Version); err != nil {
			return err
		}
	}
	for _, p := range c.Put {
		if p.If == broker.AnyVersion {
			continue
		}
		if err := t.checkVersion(c.Home, h, p.Key, p.If); err != nil {
			return err
		}
	}
	return t.checkQuota(c, h)
}

// checkQuota says whether h, which may be nil, has room for the documents of c.
func (t *tx) checkQuota(c *broker.Change, h *home) error {
	if c.Quota == 0 || len(c.Put) == 0 {
		return nil
	}
	var bytes int64
	if h != nil {
		bytes = h.bytes
	}
	for _, p := range c.Put {
		bytes += t.growth(h, p)
	}
	if bytes > c.Quota {
		return &broker.QuotaError{Home: c.Home, Bytes: bytes, Quota: c.Quota}
	}
	return nil
}

// growth returns how many bytes more the documents of h, which may be nil, have
// with p.
func (t *tx) growth(h *home, p broker.Put) int64 {
	var was int64
	if h != nil && h.bytes > 0 {
		t.on(selectSize).int(h.num).text(p.Key).first(func(r *row) { was = r.int() })
	}
	return int64(len(p.Body)) - was
}

// put writes documents of h.
func (t *tx) put(h *home, put []broker.Put) {
	for _, p := range put {
		h.bytes += t.growth(h, p)
		h.version++
		h.changed = true
		t.on(putDocument).int(h.num).text(p.Key).int(h.version).blob(p.Body).exec()
	}
}

// Documents implements [broker.Broker].
func (b *Broker) Documents(ctx context.Context, name broker.Home, keys ...string) ([]broker.Document, error) {
	if err := broker.CheckDocuments(name, keys); err != nil {
		return nil, fmt.Errorf("documents of %s: %w", name, err)
	}
	found := make([]broker.Document, 0, len(keys))
	err := b.read(ctx, func(c *conn) {
		h := c.home(name)
		for _, key := range keys {
			found = append(found, c.document(h, key))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("documents of %s: %w", name, err)
	}
	return found, nil
}
