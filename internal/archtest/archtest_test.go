package archtest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// A rule finds faults in a tree, each one sentence that begins with a place.
type rule struct {
	name    string
	faults  func(tree) []string
	samples []sample
}

// A sample is a tree that breaks a rule, or with no want one that does not.
// Files are given as in an archive: a line "-- path --" before each.
type sample struct {
	files string
	want  string // what the fault says
}

var rules = []rule{
	{"a package imports what the table allows", importFaults(allow), importSamples},
	{"the table names packages that exist", rowFaults(allow), rowSamples},
	{"a package has one package comment", packageCommentFaults, packageCommentSamples},
	{"packages and files are named for what they hold", nameFaults, nameSamples},
	{"an exported name has a comment", commentFaults, commentSamples},
	{"a file has at most 600 lines", fileSizeFaults(longFiles), fileSizeSamples},
	{"a function has at most 80 lines", funcSizeFaults(longFuncs), funcSizeSamples},
	{"a library does not sleep", sleepFaults, sleepSamples},
	{"an error is logged as err", logFaults, logSamples},
	{"a test is not skipped", skipFaults, skipSamples},
	{"a thing has one name", wordFaults(usesForeignWords), wordSamples},
	{"a script says what it does", luaFaults, luaSamples},
	{"nothing names the machine it was written on", machineFaults, machineSamples},
	{"a program in a document is the file that it names", quoteFaults, quoteSamples},
	{"a document names what exists", linkFaults, linkSamples},
	{"a test that a document names exists", shownFaults, shownSamples},
}

func TestTheTreeFollowsTheRules(t *testing.T) {
	here, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, fault := range r.faults(here) {
				t.Error(fault)
			}
		})
	}
}

func TestARuleFindsWhatBreaksIt(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if !slices.ContainsFunc(r.samples, func(s sample) bool { return s.want != "" }) {
				t.Error("no sample breaks this rule")
			}
			for _, s := range r.samples {
				got := strings.Join(r.faults(parse(t, s.files)), "\n")
				if s.want == "" && got != "" || !strings.Contains(got, s.want) {
					t.Errorf("faults of\n%s\ngot:  %q\nwant: %q", s.files, got, s.want)
				}
			}
		})
	}
}

var head = regexp.MustCompile(`(?m)^-- (\S+) --$`)

// parse makes a tree of an archive.
func parse(t *testing.T, archive string) tree {
	t.Helper()
	files := fstest.MapFS{}
	heads := head.FindAllStringSubmatchIndex(archive, -1)
	for i, h := range heads {
		end := len(archive)
		if i+1 < len(heads) {
			end = heads[i+1][0] - 1
		}
		files[archive[h[2]:h[3]]] = &fstest.MapFile{Data: []byte(archive[h[1]+1:end] + "\n")}
	}
	made, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	return made
}
