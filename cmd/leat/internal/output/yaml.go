package output

import (
	"bytes"
	"encoding/json"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/internal/plain"
)

// yaml writes v with the names that its JSON has, in their order, and nothing in it does
// anything to a terminal.
func (p *Printer) yaml(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	node, err := yamlOf(d)
	if err != nil {
		return err
	}
	var doc bytes.Buffer
	e := yaml.NewEncoder(&doc)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(node), e.Close()); err != nil {
		return err
	}
	_, err = p.Out.Write(plain.YAML(doc.Bytes()))
	return err
}

// yamlOf returns the next value of a document of JSON. JSON is said to be YAML, but for
// YAML a pair of surrogates is no character, and one that does not print is forbidden.
func yamlOf(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		return yamlOfMany(d, v)
	case string:
		return yamlOfText(v), nil
	case json.Number: // as it is written
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}, nil
	default:
		var n yaml.Node
		return &n, n.Encode(v)
	}
}

// yamlOfMany returns the object or array that has begun.
func yamlOfMany(d *json.Decoder, begun json.Delim) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	if begun == '{' {
		n.Kind = yaml.MappingNode
	}
	for d.More() {
		member, err := yamlOf(d)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, member)
	}
	_, err := d.Token()
	return n, err
}

// yamlOfText returns a string. What a terminal must not be given stands between double
// quotes, where it can be escaped.
func yamlOfText(s string) *yaml.Node {
	var n yaml.Node
	n.SetString(s)
	if !bytes.Equal(plain.YAML([]byte(s)), []byte(s)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return &n
}
