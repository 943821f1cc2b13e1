package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// A Report is what a run comes to. It depends on the files alone, so that a run
// that was interrupted gives the same one, to the byte.
type Report struct {
	Folder     string
	Total      Tally
	Languages  []Tally // most lines first
	Longest    []Line  // longest first, one a file
	Duplicates []Copies
}

// A Tally adds up files.
type Tally struct {
	Name                       string
	Files, Lines, Words, Bytes int
}

// Copies are files with the same content.
type Copies struct {
	Bytes int
	Paths []string
}

// most is how many entries a list of the report has at most.
const most = 10

func newReport(f Findings) Report {
	r := Report{Folder: filepath.Base(f.Folder), Total: Tally{Name: "all"}}
	languages := make(map[string]*Tally)
	for _, file := range f.Facts {
		t := languages[file.Language]
		if t == nil {
			t = &Tally{Name: file.Language}
			languages[file.Language] = t
		}
		t.add(file)
		r.Total.add(file)
		if file.Longest.Length > 0 {
			r.Longest = append(r.Longest, file.Longest)
		}
	}
	for _, t := range languages {
		r.Languages = append(r.Languages, *t)
	}
	slices.SortFunc(r.Languages, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(r.Longest, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Length, a.Length), cmp.Compare(a.Path, b.Path))
	})
	r.Longest = r.Longest[:min(len(r.Longest), most)]
	r.Duplicates = duplicates(f.Facts)
	return r
}

func (t *Tally) add(f Facts) {
	t.Files++
	t.Lines += f.Lines
	t.Words += f.Words
	t.Bytes += f.Bytes
}

// duplicates returns the files that have the same content as others, the largest
// first. Empty files are not worth a mention.
func duplicates(files []Facts) []Copies {
	same := make(map[string][]Facts)
	for _, f := range files {
		if f.Bytes > 0 {
			same[f.SHA256] = append(same[f.SHA256], f)
		}
	}
	var found []Copies
	for _, group := range same {
		if len(group) < 2 {
			continue
		}
		c := Copies{Bytes: group[0].Bytes}
		for _, f := range group {
			c.Paths = append(c.Paths, f.Path)
		}
		slices.Sort(c.Paths)
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b Copies) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Paths[0], b.Paths[0]))
	})
	return found[:min(len(found), most)]
}

// print writes the report as a table.
func (r Report) print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "files\tlines\twords\tbytes\t  language")
	for _, t := range append(r.Languages, r.Total) {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t  %s\n", t.Files, t.Lines, t.Words, t.Bytes, t.Name)
	}
	table.Flush()
	if len(r.Longest) > 0 {
		l := r.Longest[0]
		fmt.Fprintf(w, "\nLongest line: %d characters, %s:%d\n", l.Length, l.Path, l.Number)
	}
	for _, c := range r.Duplicates {
		fmt.Fprintf(w, "The same %d bytes: %s\n", c.Bytes, strings.Join(c.Paths, ", "))
	}
}
