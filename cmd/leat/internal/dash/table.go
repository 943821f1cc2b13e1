package dash

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/leatwork/leat/internal/plain"
)

// A column is one of a table of things of one kind.
type column[T any] struct {
	title string
	cell  func(T) cell
	min   int              // cells that it has at least
	most  int              // and at most; 0: as many as it needs
	grows bool             // has what is left
	cut   bool             // may be as narrow as min if there is no room
	ids   bool             // is of ids, whose ends matter
	right bool             // figures
	extra int              // 0: always there; of others the highest is left out first if there is no room
	order func(a, b T) int // to sort by; nil: that makes no sense
}

// A cell is one of a row. Its text need not be harmless: the table sees to it.
type cell struct {
	text  string
	style lipgloss.Style
}

func text(s string) cell                         { return cell{text: s} }
func styled(style lipgloss.Style, s string) cell { return cell{text: s, style: style} }

// A table is a list of things with a cursor, marks and an order. Its columns become wider
// if need be, and not narrower again, so that nothing jumps.
type table[T any] struct {
	columns []column[T]
	key     func(T) string // by which a thing is found again
	rows    []T
	marks   map[string]bool
	all     bool // all are marked, also those that are not among the rows
	cursor  int
	beyond  func(by int) // is told of moves across an end of the rows; nil: nothing is there
	open    func(T)      // what Enter does; nil: nothing
	empty   string       // what is said if there are no rows

	sorted     int // by which column; -1: as they came
	descending bool
	top        int
	height     int // lines for rows when it was last drawn
	widths     []int
	line       int // in the drawing of its screen at which its heading was drawn
}

const marginWidth = 2 // of the cursor and the mark

// set shows other rows. The cursor stays on the thing on which it was, if that is there.
func (t *table[T]) set(rows []T) {
	at := ""
	if r, ok := t.current(); ok {
		at = t.key(r)
	}
	t.rows = rows
	t.sort()
	if i := slices.IndexFunc(t.rows, func(r T) bool { return t.key(r) == at }); i >= 0 && at != "" {
		t.cursor = i
	}
	t.cursor = min(max(t.cursor, 0), max(len(t.rows)-1, 0))
}

// current returns the thing on which the cursor is.
func (t *table[T]) current() (r T, ok bool) {
	if t.cursor < 0 || t.cursor >= len(t.rows) {
		return r, false
	}
	return t.rows[t.cursor], true
}

func (t *table[T]) sort() {
	if t.sorted < 0 || t.sorted >= len(t.columns) || t.columns[t.sorted].order == nil {
		return
	}
	t.rows = slices.Clone(t.rows)
	slices.SortStableFunc(t.rows, func(a, b T) int {
		if t.descending {
			a, b = b, a
		}
		return t.columns[t.sorted].order(a, b)
	})
}

// resort sorts by the next column that can be sorted by, or the other way round.
func (t *table[T]) resort(turn bool) {
	if turn {
		t.descending = !t.descending
		t.set(t.rows)
		return
	}
	for i := 1; i <= len(t.columns); i++ {
		next := (t.sorted + i) % len(t.columns)
		if next >= 0 && t.columns[next].order != nil {
			t.sorted, t.descending = next, t.columns[next].right
			break
		}
	}
	t.set(t.rows)
}

// move moves the cursor.
func (t *table[T]) move(by int) {
	next := t.cursor + by
	if t.beyond != nil && (next < 0 || next >= len(t.rows)) && (t.cursor == 0 && by < 0 || t.cursor == len(t.rows)-1 && by > 0) {
		t.beyond(by)
		return
	}
	t.cursor = min(max(next, 0), max(len(t.rows)-1, 0))
}

func (t *table[T]) page() int { return max(t.height-1, 1) }

// moves returns the keys of all tables.
func (t *table[T]) moves() []binding {
	b := []binding{
		on("up k", "up", "", func() { t.move(-1) }),
		on("down j", "down", "", func() { t.move(1) }),
		on("pgup ctrl+b", "a page up", "", func() { t.move(-t.page()) }),
		on("pgdown ctrl+f", "a page down", "", func() { t.move(t.page()) }),
	}
	if t.beyond == nil {
		b = append(b, on("g home", "to the first", "", func() { t.cursor = 0 }),
			on("G end", "to the last", "", func() { t.cursor = max(len(t.rows)-1, 0) }))
	}
	if t.open != nil {
		b = append(b, on("enter", "open", "open", t.enter))
	}
	if slices.ContainsFunc(t.columns, func(c column[T]) bool { return c.order != nil }) {
		b = append(b, on("s", "sort by the next column", "sort", func() { t.resort(false) }),
			on("S", "sort the other way round", "", func() { t.resort(true) }))
	}
	return b
}

func (t *table[T]) enter() {
	if r, ok := t.current(); ok && t.open != nil {
		t.open(r)
	}
}

// click chooses the row at a line of the screen's drawing, or opens it if it is chosen.
func (t *table[T]) click(_, y int) {
	i := t.top + y - t.line - 1
	switch {
	case y <= t.line || i >= len(t.rows) || y-t.line > t.height:
	case i == t.cursor:
		t.enter()
	default:
		t.cursor = i
	}
}

func (t *table[T]) wheel(by int) { t.move(by) }

// draw draws the heading and as many rows as there is room for. line is where in the
// drawing of its screen it begins.
func (t *table[T]) draw(th theme, line, w, h int) []string {
	t.line, t.height = line, max(h-1, 0)
	t.top = min(max(t.top, t.cursor-t.height+1), t.cursor)
	t.top = max(min(t.top, len(t.rows)-t.height), 0)
	shown := t.rows[t.top:min(t.top+t.height, len(t.rows))]
	cells := make([][]cell, len(shown))
	for i, r := range shown {
		cells[i] = make([]cell, len(t.columns))
		for c := range t.columns {
			cells[i][c] = t.columns[c].cell(r)
			cells[i][c].text = plain.Name(cells[i][c].text)
		}
	}
	widths := t.layOut(cells, w)
	lines := []string{t.heading(th, widths, w)}
	for i := range shown {
		lines = append(lines, t.row(th, t.top+i, cells[i], widths, w))
	}
	if len(t.rows) == 0 && t.empty != "" {
		lines = append(lines, "  "+th.dim.Render(t.empty))
	}
	return lines
}

// wish is how wide a column that grows should be before another one is narrower than it
// needs.
const wish = 24

// layOut returns how wide each column is, 0 if it is left out. If there is no room, columns
// that can be cut are, then those that grow, and then some are left out.
func (t *table[T]) layOut(cells [][]cell, w int) []int {
	t.measure(cells)
	widths := slices.Clone(t.widths)
	for i, c := range t.columns {
		if c.grows {
			widths[i] = max(min(widths[i], wish), t.least(i))
		}
	}
	for _, grows := range []bool{false, true} {
		for i, c := range t.columns {
			if c.cut && !grows || c.grows && grows {
				widths[i] = max(widths[i]-max(total(widths)-w, 0), t.least(i))
			}
		}
	}
	for total(widths) > w && t.leaveOut(widths) {
	}
	t.grow(widths, w)
	return widths
}

// least is how wide a column is at least.
func (t *table[T]) least(i int) int {
	return max(t.columns[i].min, ansi.StringWidth(t.columns[i].title)+1) // room for the sign of the order
}

// measure notes how much room each column needs, as far as has been seen.
func (t *table[T]) measure(cells [][]cell) {
	if len(t.widths) != len(t.columns) {
		t.widths = make([]int, len(t.columns))
	}
	for c, col := range t.columns {
		need := max(t.widths[c], t.least(c))
		for _, row := range cells {
			need = max(need, ansi.StringWidth(row[c].text))
		}
		if col.most > 0 {
			need = min(need, max(col.most, t.least(c)))
		}
		t.widths[c] = need
	}
}

// grow gives the cells that are left to the columns that are narrower than they need to
// be, the first of them first, and what is left then to the last that grows.
func (t *table[T]) grow(widths []int, w int) {
	last := -1
	for i, c := range t.columns {
		if widths[i] == 0 || !c.grows && !c.cut {
			continue
		}
		widths[i] += min(max(w-total(widths), 0), max(t.widths[i]-widths[i], 0))
		if c.grows {
			last = i
		}
	}
	if last >= 0 {
		widths[last] += max(w-total(widths), 0)
	}
}

// leaveOut leaves out the column that matters least, and reports whether there was one.
func (t *table[T]) leaveOut(widths []int) bool {
	least := -1
	for i, col := range t.columns {
		if col.extra > 0 && widths[i] > 0 && (least < 0 || col.extra > t.columns[least].extra) {
			least = i
		}
	}
	if least < 0 {
		return false
	}
	widths[least] = 0
	return true
}

// total returns how many cells columns take, with a gap of two between them.
func total(widths []int) int {
	n := marginWidth - 2
	for _, w := range widths {
		if w > 0 {
			n += w + 2
		}
	}
	return n
}

func (t *table[T]) heading(th theme, widths []int, w int) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", marginWidth))
	for i, c := range t.columns {
		if widths[i] == 0 {
			continue
		}
		title := c.title
		if i == t.sorted && c.order != nil {
			title += map[bool]string{false: "↑", true: "↓"}[t.descending]
		}
		b.WriteString(aligned(title, widths[i], c.right) + "  ")
	}
	return th.heading.Render(pad(strings.TrimSuffix(b.String(), "  "), w))
}

func aligned(s string, w int, right bool) string {
	if right {
		return padLeft(s, w)
	}
	return pad(s, w)
}

// row draws the row i.
func (t *table[T]) row(th theme, i int, cells []cell, widths []int, w int) string {
	var b strings.Builder
	chosen := i == t.cursor
	b.WriteString(map[bool]string{false: " ", true: "›"}[chosen])
	b.WriteString(map[bool]string{false: " ", true: "●"}[t.all || t.marks[t.key(t.rows[i])]])
	for c := range t.columns {
		if widths[c] == 0 {
			continue
		}
		s := cells[c].text
		if t.columns[c].ids {
			s = middle(s, widths[c])
		}
		s = aligned(s, widths[c], t.columns[c].right)
		if !chosen {
			s = cells[c].style.Render(s)
		}
		b.WriteString(s + "  ")
	}
	line := pad(strings.TrimSuffix(b.String(), "  "), w)
	if chosen {
		return th.chosen.Render(line)
	}
	return line
}
