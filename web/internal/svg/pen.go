package svg

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// A Pen writes SVG. The names of elements and attributes are the program's and are
// written as they are; the values of attributes, and text, are escaped, and what XML
// cannot hold is replaced. Its zero value is ready for use.
type Pen struct {
	b    strings.Builder
	open []string
}

// Open begins an element. Attributes are names and values in turn; a value is a string,
// an int or a float64, and an empty string leaves its attribute out.
func (p *Pen) Open(name string, attributes ...any) {
	p.begin(name, attributes)
	p.b.WriteByte('>')
	p.open = append(p.open, name)
}

// Close ends the element that was opened last.
func (p *Pen) Close() {
	last := len(p.open) - 1
	p.b.WriteString("</" + p.open[last] + ">")
	p.open = p.open[:last]
}

// Leaf writes an element with nothing in it.
func (p *Pen) Leaf(name string, attributes ...any) {
	p.begin(name, attributes)
	p.b.WriteString("/>")
}

// Text writes an element that holds a text.
func (p *Pen) Text(name, text string, attributes ...any) {
	p.begin(name, attributes)
	p.b.WriteByte('>')
	p.escape(text)
	p.b.WriteString("</" + name + ">")
}

// Image opens the svg element of a picture with a class. Those who do not see it are told
// its label. One without links is an image; of one that has them the parts are told, too.
func (p *Pen) Image(class, label string, width, height int, links bool, more ...any) {
	role := "img"
	if links {
		role = "group"
	}
	p.Open("svg", append([]any{"xmlns", "http://www.w3.org/2000/svg", "class", class, "role", role, "aria-label", label,
		"width", width, "height", height, "viewBox", fmt.Sprintf("0 0 %d %d", width, height)}, more...)...)
}

// HTML ends what is open, and returns what was written.
func (p *Pen) HTML() template.HTML {
	for len(p.open) > 0 {
		p.Close()
	}
	return template.HTML(p.b.String()) // all that came from elsewhere is escaped
}

func (p *Pen) begin(name string, attributes []any) {
	p.b.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		value := text(attributes[i+1])
		if value == "" {
			continue
		}
		p.b.WriteString(" " + attributes[i].(string) + `="`)
		p.escape(value)
		p.b.WriteByte('"')
	}
}

func (p *Pen) escape(s string) {
	_ = xml.EscapeText(&p.b, []byte(s)) // a builder takes all
}

// text writes the value of an attribute.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		return number(v)
	}
	panic(fmt.Sprintf("svg: a %T is no value of an attribute", value))
}

// number writes a place, to a tenth of a pixel.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	v = math.Round(v*10) / 10
	return strconv.FormatFloat(v+0, 'f', -1, 64)
}
