package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// empty are names that say nothing of what they hold.
var empty = []string{
	"util", "utils", "common", "base", "core", "helper", "helpers", "misc", "model", "models", "type", "types", "shared",
}

// nameFaults finds packages and Go files with an empty name.
func nameFaults(t tree) (faults []string) {
	for _, s := range t.sources {
		if s.dir() != aptPackage && (slices.Contains(empty, s.Name.Name) || slices.Contains(empty, path.Base(s.dir()))) {
			faults = append(faults, fmt.Sprintf("%s: a package is named for what it provides, not %q", s.path, s.Name.Name))
		}
		file := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		if slices.Contains(empty, file) && !slices.Contains(aptFiles, s.path) {
			faults = append(faults, s.path+": a file is named for the behaviour it holds")
		}
	}
	return faults
}

// aptPackage is a package whose name is of that list and says what it provides:
// the model that brokers are compared with.
const aptPackage = "queue/brokertest/model"

// aptFiles are files whose name is of that list and says what they hold.
var aptFiles = []string{
	"queue/brokertest/model/model.go",
	"queue/brokertest/model_test.go",
}

var nameSamples = []sample{
	{"-- lease/lease.go --\npackage lease", ""},
	{"-- util/lease.go --\npackage util", "util/lease.go: a package is named for what it provides"},
	{"-- util/lease.go --\npackage main", "util/lease.go: a package is named"},
	{"-- lease/helpers.go --\npackage lease", "lease/helpers.go: a file is named"},
	{"-- lease/helpers_test.go --\npackage lease", "a file is named"},
}
