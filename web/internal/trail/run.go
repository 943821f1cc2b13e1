package trail

import "strings"

// A Run is what is known of a run.
type Run struct {
	ID, Queue, Workflow string
	Attributes          map[string]string
	Headers             map[string]string // that all its tasks have
}

// ForRun returns where the link leads for a run, and whether it leads anywhere: see
// [Link.For].
func (l Link) ForRun(r Run, hidden string) (Place, bool) {
	return l.lead(r.value, hidden)
}

// value returns what is known of a run, "" if it is not.
func (r Run) value(hole string) string {
	switch hole {
	case "id":
		return r.ID
	case "queue":
		return r.Queue
	case "workflow":
		return r.Workflow
	case "trace_id":
		return TraceID(r.Headers)
	}
	switch kind, name, _ := strings.Cut(hole, "."); kind {
	case "header":
		return headerOf(r.Headers, name)
	case "attr":
		return r.Attributes[name]
	}
	return ""
}
