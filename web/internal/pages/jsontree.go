package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
)

// A node is a value in a document of JSON, with its members in their order, also those that
// are there twice, and its numbers as they were written.
type node struct {
	Name  string
	Named bool
	Kind  string // "object", "array", "string", "number" or "word"
	Text  string // of what has no members
	Cut   bool   // the text is only its beginning
	Nodes []node
	Count int // members, of which those may be the first
	Open  bool
}

// Left returns how many members are not shown.
func (n node) Left() int { return n.Count - len(n.Nodes) }

// Sum says what an object or an array has in it.
func (n node) Sum() string {
	if n.Kind == "array" {
		return "[ " + quantity.Many(n.Count, "element") + " ]"
	}
	return "{ " + quantity.Many(n.Count, "member") + " }"
}

// A tree grows nodes, as many as there is room for.
type tree struct {
	decoder *json.Decoder
	nodes   int // that may still come
	width   int // of a text
}

const (
	treeDepth = 60 // below which JSON is shown as text
	treeOpen  = 3  // levels that are open
)

var errNoTree = errors.New("it is no object and no array of JSON")

// treeOf returns what is in b, of which most nodes are shown, and texts up to a width.
func treeOf(b []byte, most, width int) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if !json.Valid(b) || strings.IndexByte("{[", bytes.TrimLeft(b, " \t\r\n")[0]) < 0 {
		return nil, errNoTree
	}
	t := tree{decoder: d, nodes: most, width: width}
	n, err := t.grow(0)
	return &n, err
}

// grow returns the next value.
func (t *tree) grow(depth int) (node, error) {
	t.nodes--
	if depth > treeDepth || t.nodes < 0 {
		return t.flat()
	}
	token, err := t.decoder.Token()
	if err != nil {
		return node{}, err
	}
	delim, isDelim := token.(json.Delim)
	if !isDelim {
		return t.leaf(token), nil
	}
	n := node{Kind: map[json.Delim]string{'{': "object", '[': "array"}[delim], Open: depth < treeOpen}
	for ; t.decoder.More(); n.Count++ {
		var one node
		if one.Named = delim == '{'; one.Named {
			name, err := t.decoder.Token()
			if err != nil {
				return n, err
			}
			one.Name = plain.Name(fmt.Sprint(name))
		}
		if t.nodes <= 0 {
			if err := t.skip(); err != nil {
				return n, err
			}
			continue
		}
		grown, err := t.grow(depth + 1)
		if err != nil {
			return n, err
		}
		grown.Name, grown.Named = one.Name, one.Named
		n.Nodes = append(n.Nodes, grown)
	}
	_, err = t.decoder.Token()
	return n, err
}

func (t *tree) skip() error {
	var raw json.RawMessage
	return t.decoder.Decode(&raw)
}

// flat returns the next value as text.
func (t *tree) flat() (node, error) {
	var raw json.RawMessage
	if err := t.decoder.Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return node{}, err
	}
	return t.text("word", plain.Line(raw)), nil
}

func (t *tree) leaf(token json.Token) node {
	switch v := token.(type) {
	case string:
		return t.text("string", plain.Name(v))
	case json.Number:
		return t.text("number", v.String())
	case bool:
		return node{Kind: "word", Text: fmt.Sprint(v)}
	}
	return node{Kind: "word", Text: "null"}
}

func (t *tree) text(kind, text string) node {
	n := node{Kind: kind, Text: text}
	if len(text) > t.width {
		n.Text, n.Cut = strings.ToValidUTF8(text[:t.width], "")+"…", true
	}
	return n
}
