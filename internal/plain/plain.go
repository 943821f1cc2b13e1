package plain

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Line returns b on one line: JSON compacted, with its numbers and the order of its
// members as they were; other text with a newline as ⏎ and a tab as ⇥; what is not UTF-8
// as the hex of its beginning and its size: "0x0a1b… (12 bytes)".
func Line(b []byte) string {
	switch {
	case !utf8.Valid(b):
		return hexLine(b)
	case isJSON(b):
		var compact bytes.Buffer
		if json.Compact(&compact, b) == nil {
			return harmless(compact.String(), escapeInJSON)
		}
	}
	return harmless(ended(string(b)), escapeInLine)
}

// Text returns b on as many lines as it takes, without a newline at the end: JSON
// indented, with its numbers and the order of its members as they were; other text with
// its own newlines; what is not UTF-8 as a dump in hex, with offsets and, beside it, what
// of it is ASCII.
func Text(b []byte) string {
	switch {
	case !utf8.Valid(b):
		return strings.TrimRight(hex.Dump(b), "\n")
	case isJSON(b):
		var indented bytes.Buffer
		if json.Indent(&indented, bytes.TrimSpace(b), "", "  ") == nil {
			return harmless(indented.String(), escapeInIndentedJSON)
		}
	}
	return harmless(strings.TrimRight(ended(string(b)), "\n"), escapeInText)
}

// JSON returns doc, a text of JSON, with what is not harmless in its strings written as
// escapes of JSON: it says the same.
func JSON(doc []byte) []byte { return []byte(harmless(string(doc), escapeInIndentedJSON)) }

// YAML returns doc, a text of YAML, with what is not harmless in it written as escapes of
// YAML. It says the same if that stands between double quotes.
func YAML(doc []byte) []byte { return []byte(harmless(string(doc), escapeInYAML)) }

// Name returns s, an id, a type, an error or another short text, on one line. Bytes that
// are not UTF-8 are escaped one by one.
func Name(s string) string { return harmless(ended(s), escapeInLine) }

// Cut returns s if it is not wider than width cells, or else its beginning and an
// ellipsis, together at most so wide; nothing if width is not positive. It counts cells
// as terminals do: two for an ideograph, none for a combining mark.
func Cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(s, width, "…")
}

// Width returns how many cells s takes, as [Cut] counts them.
func Width(s string) int { return ansi.StringWidth(s) }

// isJSON reports whether b is a JSON text. Most that is not is told by its first byte.
func isJSON(b []byte) bool {
	first := bytes.TrimLeft(b, " \t\r\n")
	return len(first) > 0 && strings.IndexByte(`{["-0123456789tfn`, first[0]) >= 0 && json.Valid(b)
}

// hexShown is how many bytes [Line] shows of what is not text.
const hexShown = 16

func hexLine(b []byte) string {
	if len(b) <= hexShown {
		return fmt.Sprintf("0x%x (%d bytes)", b, len(b))
	}
	return fmt.Sprintf("0x%x… (%d bytes)", b[:hexShown], len(b))
}

// ended returns s with its lines ended as ours are.
func ended(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// harmless returns s with what is not shown as it is replaced by what escape says.
func harmless(s string, escape func(r rune) string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !isShown(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case isShown(r):
			b.WriteString(s[:size])
		default:
			b.WriteString(escape(r))
		}
		s = s[size:]
	}
	return b.String()
}

// isShown reports whether r is seen where it is written, and does nothing else. Of what
// cannot be seen by itself, the marks that choose between text and emoji are, as they
// are part of how many are written.
func isShown(r rune) bool {
	switch {
	case r >= ' ' && r <= '~', r == '\ufe0e', r == '\ufe0f':
		return true
	case r == '\u2800', unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return unicode.IsGraphic(r)
}

func escapeInLine(r rune) string {
	switch r {
	case '\n':
		return "⏎"
	case '\t':
		return "⇥"
	}
	switch {
	case r < utf8.RuneSelf, r < 0xa0: // with C1, which some know by their single byte
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

func escapeInText(r rune) string {
	if r == '\n' {
		return "\n"
	}
	return escapeInLine(r)
}

// escapeInJSON keeps JSON what it is, and what it says.
func escapeInJSON(r rune) string {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// escapeInYAML keeps YAML what it is: it has no pairs of surrogates.
func escapeInYAML(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return escapeInIndentedJSON(r)
}

// escapeInIndentedJSON leaves what stands between values.
func escapeInIndentedJSON(r rune) string {
	if r == '\n' || r == '\t' || r == '\r' {
		return string(r)
	}
	return escapeInJSON(r)
}
