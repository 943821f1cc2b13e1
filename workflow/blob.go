package workflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/leatwork/leat/task"
)

// A blobRef stands in a record for an output that is kept elsewhere.
type blobRef struct {
	Key  string `json:"key"`
	Hash string `json:"sha256"`
}

// overflows reports whether a value of a size goes into the blob store.
func (v *visit) overflows(size int) bool { return v.Blobs.Store != nil && size > v.Blobs.Over }

// kept returns the record of a value: with it in it, or with where it lies if it is
// large.
func (v *visit) kept(ctx context.Context, value []byte) (record, error) {
	if !v.overflows(len(value)) {
		return doneRecord(value), nil
	}
	ref := blobRef{Key: v.home.ID + "/" + v.name + "/" + uuid.NewString(), Hash: fullHash(value)}
	if err := v.Blobs.Store.Put(ctx, ref.Key, value); err != nil {
		return record{}, fmt.Errorf("store output of step %s: %w", v.node.Name, err)
	}
	b, err := json.Marshal(ref)
	if err != nil {
		return record{}, err
	}
	r := doneRecord(b)
	r.blob = true
	return r, nil
}

// blob reads an output from the blob store.
func (v *values) blob(ctx context.Context, r record) ([]byte, error) {
	var ref blobRef
	if err := json.Unmarshal(r.body, &ref); err != nil {
		return nil, fmt.Errorf("blob of %s: %w: %w", v.graph, err, task.SkipRetry)
	}
	if v.Blobs.Store == nil {
		return nil, fmt.Errorf("%s keeps an output in a blob store, and has none here: %w", v.graph, task.ErrHandlerNotFound)
	}
	b, err := v.Blobs.Store.Get(ctx, ref.Key)
	if err != nil {
		return nil, fmt.Errorf("blob %s of %s: %w", ref.Key, v.graph, err)
	}
	if fullHash(b) != ref.Hash {
		return nil, fmt.Errorf("blob %s of %s has changed since it was stored: %w", ref.Key, v.graph, task.SkipRetry)
	}
	return b, nil
}

func fullHash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
