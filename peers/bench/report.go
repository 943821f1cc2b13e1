package main

import (
	"fmt"
	"strings"
)

// page returns all results as Markdown.
func (r results) page() string {
	var b strings.Builder
	for _, m := range measurements {
		for _, system := range m.systems {
			readings := r[m.name][system]
			if len(readings) == 0 {
				continue
			}
			fmt.Fprintf(&b, "%s %s:", m.name, system)
			for q := range readings[0].Values {
				fmt.Fprintf(&b, " %s %.4g;", q, median(r.of(m.name, system, q)))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
