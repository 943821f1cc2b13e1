package api

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/leatwork/leat/task"
)

// A cursor is where to go on in a list that is in order of keys. It is good for as long as
// there is anything to list, whoever serves it.
type cursor struct {
	For string `json:"q"` // the list
	Key string `json:"k"` // the last one that was told
}

// pageOf returns the page of things that is asked for, in order of their keys.
func pageOf[T any](r *request, path string, things []T, key func(T) string) (List[T], error) {
	after, isBegun, err := r.after(path)
	if err != nil {
		return List[T]{}, err
	}
	things = slices.Clone(things)
	slices.SortStableFunc(things, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	if isBegun {
		things = slices.DeleteFunc(things, func(t T) bool { return key(t) <= after })
	}
	limit := min(r.args.number("limit"), len(things))
	page := listOf(things[:limit])
	if limit < len(things) {
		page.Next = tokenOf(cursor{r.name(path), key(things[limit-1])})
	}
	return page, nil
}

// after returns behind which key the page begins that is asked for, if not at the
// beginning.
func (r *request) after(path string) (key string, isBegun bool, err error) {
	token := r.args["cursor"]
	if token == "" {
		return "", false, nil
	}
	var c cursor
	text, err := base64.RawURLEncoding.DecodeString(token)
	switch {
	case err != nil || json.Unmarshal(text, &c) != nil || c.For == "":
		return "", false, task.Invalid("cursor", token, "is none that was given out")
	case c.For != r.name(path):
		return "", false, task.Invalid("cursor", token, "was given out for another query")
	}
	return c.Key, true, nil
}

// name tells lists apart.
func (r *request) name(path string) string {
	asked := maps.Clone(r.args)
	delete(asked, "cursor")
	delete(asked, "limit")
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", path, asked))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func tokenOf(c cursor) string {
	text, _ := json.Marshal(c) // which is two texts
	return base64.RawURLEncoding.EncodeToString(text)
}
