package pages

import (
	"bytes"
	"context"
	"encoding/hex"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
)

// A document is bytes that a user has written: a payload, a result, a progress.
type document struct {
	Title string
	Size  int
	Views []choice
	Tree  *node  // or else
	Text  string // unless there are no bytes
	Note  string // what is not as it should be
	All   string // where all of it is shown; "": it is
	Raw   string // where it is to be had as it is; "": nowhere
}

// A writer writes a payload or a result as its users read it. It is theirs.
type writer func(typ string, b []byte) string

// How much of a document is shown, unless all is wanted, and then.
const (
	fewNodes, mostNodes = 300, 20_000
	fewBytes, mostBytes = 64 << 10, 2 << 20
	fewWidth            = 1000
)

// documentOf returns b as the query of r wants to see it. write is nil, or how its users
// read what is of that type.
func (p *Pages) documentOf(ctx context.Context, r *request, title, typ string, b []byte, write writer) (document, error) {
	d := document{Title: title, Size: len(b)}
	if len(b) == 0 {
		return d, nil
	}
	view, err := d.choose(p, r, b, write)
	if err != nil {
		return d, err
	}
	all := r.get("show") == "all"
	nodes, width, bytes := fewNodes, fewWidth, fewBytes
	if all {
		nodes, width, bytes = mostNodes, mostBytes, mostBytes
	}
	var whole bool
	switch view {
	case "tree":
		if d.Tree, err = treeOf(b, nodes, width); err != nil {
			return d, err
		}
		whole = d.Tree.isWhole()
	case "formatted":
		d.Text, d.Note = p.written(ctx, write, typ, b)
		d.Text, whole = cutText(d.Text, bytes)
	default:
		shown := b[:min(len(b), bytes)]
		whole = len(shown) == len(b)
		if view == "hex" {
			d.Text = hex.Dump(shown)
		} else {
			d.Text = plain.Text(shown)
		}
	}
	switch {
	case whole:
	case all:
		d.Note = "It is too long to be shown as a whole."
	default:
		d.All, err = p.with(r, "show", "all")
	}
	return d, err
}

// choose returns how b is to be seen, and fills in how else it could be.
func (d *document) choose(p *Pages, r *request, b []byte, write writer) (string, error) {
	var views []string
	if write != nil {
		views = append(views, "formatted")
	}
	if len(b) <= mostBytes && isTree(b) {
		views = append(views, "tree")
	}
	if utf8.Valid(b) {
		views = append(views, "text")
	}
	views = append(views, "hex")
	chosen := views[0]
	for _, v := range views {
		if v == r.get("view") {
			chosen = v
		}
	}
	for _, v := range views {
		address, err := p.with(r, "view", v)
		if err != nil {
			return "", err
		}
		d.Views = append(d.Views, choice{v, address, v == chosen})
	}
	return chosen, nil
}

func isTree(b []byte) bool {
	_, err := treeOf(b, 1, 1)
	return err == nil && len(bytes.TrimSpace(b)) > 0
}

// isWhole reports whether all of n is shown.
func (n node) isWhole() bool {
	if n.Cut || n.Left() > 0 {
		return false
	}
	for _, one := range n.Nodes {
		if !one.isWhole() {
			return false
		}
	}
	return true
}

// cutText returns the beginning of a text, and whether that is all.
func cutText(text string, most int) (string, bool) {
	if len(text) <= most {
		return text, true
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…", false
}

// Bytes returns how long the document is.
func (d document) Bytes() string { return quantity.Bytes(int64(d.Size)) }
