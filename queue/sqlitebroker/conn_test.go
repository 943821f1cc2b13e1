package sqlitebroker

import "testing"

// Queries are prepared as they are needed: a mistake in one would show late.
func TestEveryQueryCanBePrepared(t *testing.T) {
	b, err := Open(memory, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	err = b.writer.alone(t.Context(), func(c *conn) error {
		for q := range queries {
			c.on(query(q))
		}
		return c.err
	})
	if err != nil {
		t.Error(err)
	}
}
