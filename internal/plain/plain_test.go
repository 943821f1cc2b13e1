package plain_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/plain"
)

func TestALineIsHarmless(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain text, ünïcödé 日本", "plain text, ünïcödé 日本"},
		{"one\ntwo\r\nthree\tfour", "one⏎two⏎three⇥four"},
		{"\x1b[2J\x00\x7f\r", `\x1b[2J\x00\x7f\x0d`},
		{"\u009b31m", `\x9b31m`},
		{"a\u202eb\u2066c\u200bd\ufeffe\u2028f\u2029g\u00adh", `a\u202eb\u2066c\u200bd\ufeffe\u2028f\u2029g\u00adh`},
		{"\ue000\U000f0000\U000e0041", `\ue000\U000f0000\U000e0041`},
		{"\u3164\u2800\u115f\u034f", `\u3164\u2800\u115f\u034f`},
		{"❤️", "❤️"},
		{"{ \"b\": 12345678901234567890.10,\n \"a\": [1, 2 ] }\n", `{"b":12345678901234567890.10,"a":[1,2]}`},
		{`"<a&b>"`, `"<a&b>"`},
		{"{\"a\":\"\u202e\x7f\U000e0041\"}", `{"a":"\u202e\u007f\udb40\udc41"}`},
		{"{not json}", "{not json}"},
		{"\xff\x00\x01", "0xff0001 (3 bytes)"},
		{"\xff" + strings.Repeat("\x00", 19), "0xff" + strings.Repeat("00", 15) + "… (20 bytes)"},
	} {
		if got := plain.Line([]byte(c.in)); got != c.want {
			t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestATextKeepsItsLines(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"one\r\ntwo\n\tthree\x1b\n", "one\ntwo\n⇥three\\x1b"},
		{`{"b":1.00,"a":[],"c":"\u202e"}`, "{\n  \"b\": 1.00,\n  \"a\": [],\n  \"c\": \"\\u202e\"\n}"},
		{"\"a\u202e\"", `"a\u202e"`},
		{"\xff\x1bAB", "00000000  ff 1b 41 42                                       |..AB|"},
	} {
		if got := plain.Text([]byte(c.in)); got != c.want {
			t.Errorf("Text(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestJSONSaysTheSameWithoutHarm(t *testing.T) {
	doc := "{\n\t\"a\": \"\u202e\u009b\x7f\U000e0041<ü>\"\r\n}\n"
	got := string(plain.JSON([]byte(doc)))
	if want := "{\n\t\"a\": \"\\u202e\\u009b\\u007f\\udb40\\udc41<ü>\"\r\n}\n"; got != want {
		t.Errorf("JSON(%q) = %q, want %q", doc, got, want)
	}
	var before, after any
	if err := errors.Join(json.Unmarshal([]byte(doc), &before), json.Unmarshal([]byte(got), &after)); err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("%q says %v, and %q says %v (%v)", doc, before, got, after, err)
	}
}

func TestANameShowsEachByteThatIsNoText(t *testing.T) {
	if got, want := plain.Name("a\xff\xfe\x1b{\"x\": 1}\ufffd"), "a\\xff\\xfe\\x1b{\"x\": 1}\ufffd"; got != want {
		t.Errorf("Name = %q, want %q", got, want)
	}
}

func TestCutCountsCells(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"abc", 1, "…"},
		{"abc", 0, ""},
		{"abc", -1, ""},
	} {
		got := plain.Cut(c.in, c.width)
		if got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
		if plain.Width(got) > max(c.width, 0) {
			t.Errorf("Cut(%q, %d) is %d cells wide", c.in, c.width, plain.Width(got))
		}
	}
}

func FuzzNothingActsOnATerminal(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "\x1b[1m", "\u202e", "\xff\xfe", `{"a": "\u0000"}`, "\u009b", "\r\r\n", "[1, 2]", "日本", "\u3164"} {
		f.Add([]byte(seed), 5)
	}
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		line, text, name := plain.Line(b), plain.Text(b), plain.Name(string(b))
		for _, s := range []string{line, name, strings.ReplaceAll(text, "\n", ""), plain.Cut(line, width%100)} {
			if !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
			for _, r := range s {
				if r == '\n' || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
					t.Errorf("%q has %U in it", s, r)
				}
			}
		}
		if json.Valid(b) && utf8.Valid(b) && (!json.Valid([]byte(line)) || !json.Valid([]byte(text))) {
			t.Errorf("%q was JSON, and is not: %q", b, line)
		}
		if w := plain.Width(plain.Cut(line, width%100)); w > max(width%100, 0) {
			t.Errorf("cut to %d, it is %d wide", width%100, w)
		}
	})
}
