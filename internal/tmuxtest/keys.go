package tmuxtest

import (
	"fmt"
	"strconv"
)

// Send presses keys, named as tmux does: "j", "Enter", "Escape", "C-c", "PageDown".
func (x *Terminal) Send(keys ...string) {
	x.t.Helper()
	x.do(append([]string{"send-keys", "--"}, keys...)...)
}

// Type types a text.
func (x *Terminal) Type(text string) {
	x.t.Helper()
	x.do("send-keys", "-l", "--", text)
}

// Resize gives the terminal another size.
func (x *Terminal) Resize(width, height int) {
	x.t.Helper()
	x.do("resize-window", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height))
}

// Buttons of a mouse, as terminals report them.
const (
	leftButton  = 0
	heldAndMove = 32 // added while a button is held
	wheelUp     = 64
	wheelDown   = 65
)

// Click presses and releases the left button on a cell; the one at the upper left is 0, 0.
func (x *Terminal) Click(column, line int) {
	x.t.Helper()
	x.Type(mouse(leftButton, column, line, 'M') + mouse(leftButton, column, line, 'm'))
}

// Wheel turns the wheel over a cell: down if notches is positive, otherwise up.
func (x *Terminal) Wheel(column, line, notches int) {
	x.t.Helper()
	button := wheelDown
	if notches < 0 {
		button, notches = wheelUp, -notches
	}
	for range notches {
		x.Type(mouse(button, column, line, 'M'))
	}
}

// Drag moves the mouse from one cell to another with the left button held.
func (x *Terminal) Drag(column, line, toColumn, toLine int) {
	x.t.Helper()
	x.Type(mouse(leftButton, column, line, 'M') +
		mouse(leftButton+heldAndMove, toColumn, toLine, 'M') +
		mouse(leftButton, toColumn, toLine, 'm'))
}

// mouse is how a terminal reports a mouse to a program that asks for cells (SGR 1006).
func mouse(button, column, line int, end rune) string {
	return fmt.Sprintf("\x1b[<%d;%d;%d%c", button, column+1, line+1, end)
}
