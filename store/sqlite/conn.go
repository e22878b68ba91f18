package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// errConstraint is a uniqueness that a statement would have broken. The
// statement changed nothing.
var errConstraint = errors.New("sqlite: constraint")

// conn is one connection with its prepared statements, used by one goroutine at
// a time. It speaks to the driver without database/sql, whose pool, locks and
// conversions cost as much as a small statement.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue // reused by each call
}

// dial opens an existing file. Its name is escaped, so that no character of a
// path can pass for a parameter.
func dial(ctx context.Context, path string, pragmas ...string) (*conn, error) {
	dsn := (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw&_dqs=0&_defensive=1"}).String()
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	raw, err := connector.Connect(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	c := &conn{raw: raw, stmts: make(map[string]driver.Stmt)}
	for _, p := range pragmas {
		if err := c.script("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// script runs statements that are not worth preparing.
func (c *conn) script(sql string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return classify(err)
}

func (c *conn) prepare(sql string) (driver.Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	s, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, classify(err)
	}
	c.stmts[sql] = s
	return s, nil
}

func (c *conn) bind(args []driver.Value) []driver.NamedValue {
	c.args = c.args[:0]
	for i, v := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.args
}

// exec runs a statement and returns the number of rows it changed. It returns
// errConstraint, or store.ErrUnavailable with its cause.
//
// No context reaches the driver: with one it starts a goroutine per call, and an
// interrupt could end a transaction that other waiters share. Statements here
// are short.
func (c *conn) exec(sql string, args ...driver.Value) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, classify(err)
	}
	n, err := r.RowsAffected()
	return n, classify(err)
}

// query runs a statement and calls scan for each row until it returns an error.
// The slice of values is reused; the bytes in it are not.
func (c *conn) query(sql string, scan func([]driver.Value) error, args ...driver.Value) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return classify(err)
	}
	return errors.Join(scanAll(rows, scan), classify(rows.Close()))
}

func scanAll(rows driver.Rows, scan func([]driver.Value) error) error {
	values := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(values)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return classify(err)
		}
		if err := scan(values); err != nil {
			return err
		}
	}
}

// found is query for a statement of at most one row.
func (c *conn) found(sql string, scan func([]driver.Value), args ...driver.Value) (bool, error) {
	found := false
	err := c.query(sql, func(v []driver.Value) error {
		found = true
		scan(v)
		return nil
	}, args...)
	return found, err
}

// number runs a statement that returns one integer.
func (c *conn) number(sql string) (int64, error) {
	var n int64
	_, err := c.found(sql, func(v []driver.Value) { n, _ = v[0].(int64) })
	return n, err
}

// text runs a statement that returns one text.
func (c *conn) text(sql string) (string, error) {
	var text string
	_, err := c.found(sql, func(v []driver.Value) { text, _ = v[0].(string) })
	return text, err
}

// classify tells a broken uniqueness from everything else, which is the engine
// failing.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if isCode(err, sqlite3.SQLITE_CONSTRAINT) {
		return errConstraint
	}
	return unavailable(err)
}

// isCode looks at the primary result code (sqlite.org/rescode.html).
func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}
