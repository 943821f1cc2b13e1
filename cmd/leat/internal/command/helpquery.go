package command

import (
	"strings"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/query"
)

const queryHead = `A query is terms with spaces between them, all of which must hold: FIELD OP VALUE.

  :  is; * is any text        ~  contains, in whatever case
  >  <  >=  <=                of numbers, durations and times

a,b is either of them, "..." quotes, and - before a term denies it. A word alone is looked
for where it makes sense. A time is 2006-01-02, RFC 3339, or how long ago: 5m, 2h, 7d.
`

var fieldTable = output.Table[query.FieldInfo]{Columns: []output.Column[query.FieldInfo]{
	{Name: "Field", Cell: func(f query.FieldInfo) string { return f.Name }},
	{Name: "Example", Cell: func(f query.FieldInfo) string { return f.Example }},
	{Name: "What it is", Cell: func(f query.FieldInfo) string { return f.Help }},
}}

// queryText is about queries, with the fields of each kind of things.
func queryText() string {
	var b strings.Builder
	b.WriteString(queryHead)
	p := &output.Printer{Out: &b, Format: output.Narrow}
	for _, of := range []struct {
		things string
		fields []query.FieldInfo
	}{
		{query.Tasks.Things(), query.Tasks.Fields()},
		{query.Runs.Things(), query.Runs.Fields()},
		{query.Entries.Things(), query.Entries.Fields()},
		{query.Queues.Things(), query.Queues.Fields()},
		{query.Groups.Things(), query.Groups.Fields()},
		{query.Servers.Things(), query.Servers.Fields()},
	} {
		b.WriteString("\nOf " + of.things + ":\n\n")
		if err := output.List(p, fieldTable, of.fields); err != nil {
			return err.Error() // of a buffer: there is none
		}
	}
	return b.String()
}
