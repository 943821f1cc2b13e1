package dash

import (
	"context"
	"time"

	"github.com/leatwork/leat/internal/query"
)

// A screen is what fills the frame. All its methods are called by one goroutine, that of
// the dashboard, and return at once: only what [screen.ask] returns may wait.
type screen interface {
	title() string          // for the path at the top: "Queues", or the name of one
	ask() ask               // what it wants to know now; nil: nothing
	bindings() []binding    // its keys, besides those that work everywhere
	draw(w, h int) []string // at most h lines of at most w cells
}

// An ask asks the storage. It is called in a goroutine of its own, so it must not touch
// its screen: what it asks for it was given when it was made, and what it has learnt it
// puts where the screen finds it in the function that it returns.
type ask func(ctx context.Context) (show func(), err error)

// A clickable screen understands the mouse. Coordinates are those of its drawing.
type clickable interface {
	click(x, y int)
	wheel(by int) // rows, positive: down
}

// A searchable screen has a list that a query narrows.
type searchable interface {
	narrowing() narrowing
}

// A changeable screen wants to know that something was done, which may be to what it shows.
type changeable interface {
	changed()
}

// A narrowing is a query that is applied to a list, whatever the list is of.
type narrowing interface {
	text() string                                        // the query, as it was written
	set(text string) error                               // applies another one, or returns a *query.Error
	check(text string) error                             // says whether set would
	complete(text string, cursor int) []query.Suggestion // for the bar
	fields() []query.FieldInfo                           // for the help
	things() string                                      // of what the list is
}

// A page is a screen with what the frame knows of it.
type page struct {
	screen
	flight *flight   // the question under way
	again  bool      // there is another one as soon as that has come back
	tried  time.Time // when it last asked
	state  freshness
}
