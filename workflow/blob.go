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

// overflows reports whether the output goes into the blob store.
func (o *stepOutcome) overflows() bool {
	return o.Blobs.Store != nil && len(o.output) > o.Blobs.Over
}

// spill puts a large output into the blob store.
func (o *stepOutcome) spill(ctx context.Context) error {
	if !o.overflows() || o.turned {
		return nil
	}
	ref := blobRef{Key: o.home.ID + "/" + o.name + "/" + uuid.NewString(), Hash: fullHash(o.output)}
	if err := o.Blobs.Store.Put(ctx, ref.Key, o.output); err != nil {
		return fmt.Errorf("store output of step %s: %w", o.node.Name, err)
	}
	b, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	o.output, o.blob = b, true
	return nil
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
