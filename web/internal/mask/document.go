package mask

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/leatwork/leat/web/access"
)

// Payload returns what who has the role may see of b: a payload, a result, a progress,
// an input or an output. b itself is not changed; where nothing is hidden it is what is
// returned.
func (r *Rules) Payload(role access.Role, b []byte) []byte {
	if !r.looks(role) || len(bytes.TrimSpace(b)) == 0 {
		return b
	}
	if !r.all {
		if masked, err := maskDocument(b, r.paths); err == nil {
			return masked
		}
	}
	return hidden()
}

func hidden() []byte { return []byte(`"` + Hidden + `"`) }

var errNoDocument = errors.New("it is no object and no array of JSON")

// maskDocument returns b without what paths lead to.
func maskDocument(b []byte, paths front) ([]byte, error) {
	if !json.Valid(b) {
		return nil, errNoDocument
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	m := masker{decoder: d}
	first, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := first.(json.Delim)
	if !ok {
		return nil, errNoDocument
	}
	if err := m.within(delim, paths); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoDocument
	}
	return m.out.Bytes(), nil
}

// A masker writes what it reads, member by member in their order, also those that are
// there twice, and leaves out what is hidden.
type masker struct {
	decoder *json.Decoder
	out     bytes.Buffer
}

// value writes the next value, of which f is the front.
func (m *masker) value(f front, ends bool) error {
	if ends || len(f) == 0 {
		var raw json.RawMessage
		if err := m.decoder.Decode(&raw); err != nil {
			return err
		}
		if ends {
			raw = hidden()
		}
		_, err := m.out.Write(raw)
		return err
	}
	t, err := m.decoder.Token()
	if err != nil {
		return err
	}
	if delim, ok := t.(json.Delim); ok {
		return m.within(delim, f)
	}
	return m.scalar(t)
}

// within writes the rest of an object or an array that delim has begun.
func (m *masker) within(delim json.Delim, f front) error {
	m.out.WriteByte(byte(delim))
	for i := 0; m.decoder.More(); i++ {
		if i > 0 {
			m.out.WriteByte(',')
		}
		next, ends := f.afterIndex(i)
		if delim == '{' {
			name, err := m.decoder.Token()
			if err != nil {
				return err
			}
			if err := m.scalar(name); err != nil {
				return err
			}
			m.out.WriteByte(':')
			next, ends = f.after(name.(string)) // what stands there in an object is a string
		}
		if err := m.value(next, ends); err != nil {
			return err
		}
	}
	end, err := m.decoder.Token()
	if err != nil {
		return err
	}
	m.out.WriteByte(byte(end.(json.Delim))) // More has said so
	return nil
}

func (m *masker) scalar(t json.Token) error {
	e := json.NewEncoder(&m.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(t); err != nil {
		return err
	}
	m.out.Truncate(m.out.Len() - 1) // the newline
	return nil
}
