package yamlfile

import (
	"maps"
	"slices"
)

// Fields returns what an entry can have.
func Fields() []string { return slices.Sorted(maps.Keys(fields)) }
