package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	_ "github.com/ncruces/go-sqlite3/driver" // SQLite for database/sql

	"github.com/leatwork/leat/task"
)

// A table is where the views are written to.
type table struct {
	*sql.DB
	inserted chan int64 // how many rows, by each insert
}

func openTable(ctx context.Context, file string) (*table, error) {
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // one writer is all that SQLite has
	_, err = db.ExecContext(ctx, `
		DROP TABLE IF EXISTS views;
		CREATE TABLE views (id INTEGER PRIMARY KEY, page TEXT, batch TEXT)`)
	if err != nil {
		return nil, fmt.Errorf("table in %s: %w", file, err)
	}
	return &table{db, make(chan int64, 100)}, nil
}

// insert writes all rows of a batch in one statement, and so in one transaction. A
// process may die behind that and before the task is recorded as done: then insert is
// called again with the same batch. So an event's id is its row's, and a row that is
// there already stays as it is.
func (t *table) insert(ctx context.Context, views []View) (int64, error) {
	list, err := json.Marshal(views)
	if err != nil {
		return 0, err
	}
	batch, _ := task.GetID(ctx)
	done, err := t.ExecContext(ctx, `
		INSERT INTO views (id, page, batch)
		SELECT value->>'ID', value->>'Page', ? FROM json_each(?) WHERE true
		ON CONFLICT (id) DO NOTHING`, batch, string(list))
	if err != nil {
		return 0, err
	}
	rows, err := done.RowsAffected()
	t.inserted <- rows
	return rows, err
}

// size returns how many rows there are, and of how many batches.
func (t *table) size(ctx context.Context) (rows, batches int, err error) {
	err = t.QueryRowContext(ctx, "SELECT count(*), count(DISTINCT batch) FROM views").Scan(&rows, &batches)
	return rows, batches, err
}
