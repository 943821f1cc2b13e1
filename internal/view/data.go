package view

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Data is bytes that users have written, in a form that JSON has for them: the value
// itself if they are JSON, with its numbers as they were written; a string if they are
// other text; nil if they are neither, and then they are shown as base64 beside it.
type Data = json.RawMessage

// dataOf returns b as a value, or else as the bytes for base64.
func dataOf(b []byte) (Data, []byte) {
	switch {
	case !utf8.Valid(b):
		return nil, b
	case json.Valid(b):
		return Data(bytes.TrimSpace(b)), nil
	}
	return textOf(string(b)), nil
}

// DataOf returns b as a value, or else as the bytes that are shown as base64; nothing for
// no bytes.
func DataOf(b []byte) (Data, []byte) { return someOf(b) }

// textOf returns s as a string of JSON.
func textOf(s string) Data {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil // a string can be encoded
	}
	return bytes.TrimSpace(b.Bytes())
}

// someOf is [dataOf], except that no bytes are nothing.
func someOf(b []byte) (Data, []byte) {
	if len(b) == 0 {
		return nil, nil
	}
	return dataOf(b)
}

// seconds returns d as durations are shown.
func seconds(d time.Duration) float64 { return d.Seconds() }

// utc returns t as times are shown. The zero time stays it.
func utc(t time.Time) time.Time { return t.UTC() }
