package history

// MaxTypes is how many types of tasks are told apart in a queue.
const MaxTypes = 30

// Other is the type that all tasks count as whose own is one too many.
const Other = "~other"

// A sheet is what a document holds: the slots, minutes or hours, of a stretch of time.
type sheet struct {
	slots map[int]*slot
	types map[string]bool // that are in any slot, Other left out
}

// A slot is what has happened in a queue within a minute or an hour.
type slot struct {
	gauges Gauges
	types  map[string]*Figure
}

func newSheet() *sheet { return &sheet{slots: map[int]*slot{}, types: map[string]bool{}} }

// add adds what is in o to the slot i.
func (s *sheet) add(i int, o *slot) {
	to := s.at(i)
	to.gauges = to.gauges.most(o.gauges)
	for name, f := range o.types {
		s.count(to, name, *f)
	}
}

func (s *sheet) at(i int) *slot {
	if s.slots[i] == nil {
		s.slots[i] = &slot{types: map[string]*Figure{}}
	}
	return s.slots[i]
}

func (s *sheet) count(to *slot, name string, f Figure) {
	if name = s.known(name); to.types[name] == nil {
		to.types[name] = new(Figure)
	}
	to.types[name].Add(f)
}

// known returns name, or Other if the sheet has no place for it.
func (s *sheet) known(name string) string {
	switch {
	case name == Other || !s.types[name] && len(s.types) >= MaxTypes:
		return Other
	default:
		s.types[name] = true
		return name
	}
}
