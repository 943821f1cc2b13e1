package periodic

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/leatwork/leat/task"
)

// A spec is an [Entry] as it is stored, without its name.
type spec struct {
	Schedule string        `json:"schedule"`
	Zone     string        `json:"zone,omitempty"`
	Start    time.Time     `json:"start,omitzero"`
	End      time.Time     `json:"end,omitzero"`
	Jitter   time.Duration `json:"jitter,omitempty"`
	Window   time.Duration `json:"window,omitempty"`
	Missed   Missed        `json:"missed"`
	Overlap  Overlap       `json:"overlap"`
	Type     string        `json:"type"`
	Payload  []byte        `json:"payload,omitempty"`
	Template string        `json:"template,omitempty"`
	Function bool          `json:"function,omitempty"` // the payload is made by a program
	Options  []string      `json:"options,omitempty"`
}

// ticks are what decides when an entry has ticks.
type ticks struct {
	schedule, zone string
	start, end     int64
}

func (s *spec) ticks() ticks {
	return ticks{s.Schedule, s.Zone, s.Start.UnixMilli(), s.End.UnixMilli()}
}

// equal reports whether s and other are stored as the same.
func (s *spec) equal(other *spec) bool {
	one, err := json.Marshal(s)
	two, err2 := json.Marshal(other)
	return err == nil && err2 == nil && bytes.Equal(one, two)
}

func (e Entry) spec() spec {
	s := spec{
		Schedule: e.Schedule, Zone: e.Zone, Start: e.Start.UTC(), End: e.End.UTC(), Jitter: e.Jitter, Window: e.Window,
		Missed: e.Missed, Overlap: e.Overlap,
		Type: e.Type, Payload: e.Payload.bytes, Template: e.Payload.template, Function: e.Payload.make != nil,
	}
	for _, o := range e.Options {
		s.Options = append(s.Options, o.String())
	}
	return s
}

// entry returns what s is stored of. A payload that a program makes is not in it, and
// options that cannot be read back are left out.
func (s *spec) entry(name string) Entry {
	e := Entry{
		Name: name, Schedule: s.Schedule, Zone: s.Zone, Start: s.Start, End: s.End, Jitter: s.Jitter, Window: s.Window,
		Missed: s.Missed, Overlap: s.Overlap,
		Type: s.Type, Payload: Payload{bytes: s.Payload, template: s.Template},
	}
	for _, text := range s.Options {
		if o, err := task.ParseOption(text); err == nil {
			e.Options = append(e.Options, o)
		}
	}
	return e
}
