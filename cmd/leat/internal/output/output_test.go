package output_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/task"
)

type fruit struct {
	Name  string `json:"name"`
	Note  string `json:"note"`
	Seeds int    `json:"seeds"`
}

var fruits = []fruit{{"fig", "sweet, and\nsoft: <b>", 1600}, {"plum", "true", 1}}

var table = output.Table[fruit]{
	Columns: []output.Column[fruit]{
		{Name: "Name", Cell: func(f fruit) string { return f.Name }},
		{Name: "Note", Cell: func(f fruit) string { return strings.ReplaceAll(f.Note, "\n", "⏎") }, Loose: true},
		{Name: "Colour", Cell: func(fruit) string { return "blue" }, Wide: true},
		{Name: "Kind", Cell: func(fruit) string { return "fruit" }},
	},
	ID:    func(f fruit) string { return f.Name },
	Empty: "No fruit.",
}

func TestAListHasEachForm(t *testing.T) {
	for format, want := range map[output.Format]string{
		output.Narrow: "Name  Note          Kind\n----  ----          ----\nfig   sweet, and⏎…  fruit\nplum  true          fruit\n",
		output.Wide:   "Name  Note                  Colour  Kind\n----  ----                  ------  ----\nfig   sweet, and⏎soft: <b>  blue    fruit\nplum  true                  blue    fruit\n",
		output.JSON: `[
  {
    "name": "fig",
    "note": "sweet, and\nsoft: <b>",
    "seeds": 1600
  },
  {
    "name": "plum",
    "note": "true",
    "seeds": 1
  }
]
`,
		output.JSONL: `{"name":"fig","note":"sweet, and\nsoft: <b>","seeds":1600}` + "\n" + `{"name":"plum","note":"true","seeds":1}` + "\n",
		output.YAML:  "- name: fig\n  note: |-\n    sweet, and\n    soft: <b>\n  seeds: 1600\n- name: plum\n  note: \"true\"\n  seeds: 1\n",
		output.ID:    "fig\nplum\n",
	} {
		t.Run(string(format), func(t *testing.T) {
			var out, said strings.Builder
			p := &output.Printer{Out: &out, Err: &said, Format: format, Width: 25}
			if err := output.List(p, table, fruits); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, out.String()); diff != "" || said.String() != "" {
				t.Errorf("List() wrote (-want +got):\n%s\nand said %q", diff, said.String())
			}
		})
	}
}

func TestAnEmptyListIsSaidToPeopleAndIsADocumentForPrograms(t *testing.T) {
	for format, want := range map[output.Format][2]string{
		output.Narrow: {"", "No fruit.\n"},
		output.JSON:   {"[]\n", ""},
		output.JSONL:  {"", ""},
		output.YAML:   {"[]\n", ""},
		output.ID:     {"", ""},
	} {
		var out, said strings.Builder
		p := &output.Printer{Out: &out, Err: &said, Format: format}
		if err := output.List(p, table, nil); err != nil {
			t.Fatal(err)
		}
		if got := [2]string{out.String(), said.String()}; got != want {
			t.Errorf("List() as %s wrote and said %q, want %q", format, got, want)
		}
	}
}

func TestARecordHasALineForEachFieldThatIsThere(t *testing.T) {
	record := output.Record[fruit]{ID: table.ID, Fields: []output.Field[fruit]{
		{Name: "Name", Text: func(f fruit) string { return f.Name }},
		{Name: "Origin", Text: func(fruit) string { return "" }},
		{Name: "Note", Text: func(f fruit) string { return f.Note }},
	}}
	var out strings.Builder
	if err := output.One(&output.Printer{Out: &out, Format: output.Narrow}, record, fruits[0]); err != nil {
		t.Fatal(err)
	}
	if want := "Name:   fig\nNote:\n  sweet, and\n  soft: <b>\n"; out.String() != want {
		t.Errorf("One() wrote %q, want %q", out.String(), want)
	}
}

func TestAFormThatIsNoneIsRefused(t *testing.T) {
	if _, err := output.ParseFormat("xml"); !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "xml") {
		t.Errorf("ParseFormat() = %v, want ErrInvalid that names it", err)
	}
}

// What a stranger wrote is escaped in documents, which say the same.
func TestADocumentDoesNothingToATerminal(t *testing.T) {
	const evil = "a\u202eb\x7f\u009b\u200b\nc\U000e0001"
	for format, read := range map[output.Format]func([]byte, any) error{output.JSON: json.Unmarshal, output.YAML: yaml.Unmarshal} {
		var out strings.Builder
		p := &output.Printer{Out: &out, Format: format}
		want := map[string]string{"k" + evil: evil}
		if err := output.One(p, output.Record[map[string]string]{}, want); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\u202e\x7f\u009b\u200b\U000e0001") {
			t.Errorf("%s has what acts on a terminal: %q", format, out.String())
		}
		var got map[string]string
		if err := read([]byte(out.String()), &got); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s says %q, %v, want %q: %s", format, got, err, want, out.String())
		}
	}
}

func TestAnIDIsOneLine(t *testing.T) {
	var out, said strings.Builder
	p := &output.Printer{Out: &out, Err: &said, Format: output.ID}
	if err := output.List(p, table, []fruit{{Name: "fig"}, {Name: "two\nlines"}, {Name: "plum"}}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "fig\nplum\n" || !strings.Contains(said.String(), "two⏎lines") {
		t.Errorf("written is %q, and said %q", out.String(), said.String())
	}
}

// JSON that a stranger wrote may have escapes and numbers that YAML does not know.
func TestAnyJSONIsWrittenAsYAML(t *testing.T) {
	var out strings.Builder
	p := &output.Printer{Out: &out, Format: output.YAML}
	in := json.RawMessage(`{"a":"\ud83d\ude00","n":12345678901234567890.10,"e":[],"o":{},"z":null,"t":true,"s":"1","l":"x\ny"}`)
	if err := output.One(p, output.Record[json.RawMessage]{}, in); err != nil {
		t.Fatal(err)
	}
	want := "a: \"\\U0001F600\"\nn: 12345678901234567890.10\ne: []\no: {}\nz: null\nt: true\ns: \"1\"\nl: |-\n  x\n  y\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
