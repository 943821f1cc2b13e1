package query

// An Ask is what a term of a query asks about: a field, and if that has parts, which.
type Ask struct {
	Field string // as [FieldInfo] has it, without what follows a dot: "payload", "header"
	Path  []Step // what follows; nil: the whole
}

// A Step is a step of the path of an [Ask]: the name of a member or the index of an
// element, or any of them.
type Step struct {
	Name string
	Any  bool
}

// Asks returns what the terms of q ask about, except for words without a field.
func (q Query[T]) Asks() []Ask {
	var asks []Ask
	for _, t := range q.terms {
		if t.field == "" {
			continue
		}
		a := Ask{Field: t.field}
		for _, s := range t.path {
			a.Path = append(a.Path, Step{Name: s.name, Any: s.any})
		}
		asks = append(asks, a)
	}
	return asks
}
