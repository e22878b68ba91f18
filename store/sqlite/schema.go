package sqlite

import (
	"context"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks the database file ("ODMP"; sqlite.org/fileformat.html §1.3.12).
const applicationID = 0x4F444D50

// migrations lead from one schema to the next: the database is at version n
// (user_version) once the first n have run. A published one never changes.
//
// Every identifier is a BLOB, so that comparison is by byte. Times are
// nanoseconds since 1970 UTC. Large values (body, content, event) live in rowid
// tables, where they are appended, with a narrow index beside them; small ones
// live in the index itself (WITHOUT ROWID).
func migrations() []string {
	return []string{`
CREATE TABLE header (
	dossier BLOB PRIMARY KEY,
	version INTEGER NOT NULL,
	state   INTEGER NOT NULL,
	keynum  INTEGER NOT NULL
) WITHOUT ROWID;

-- The current row of each resource: what every search reads, clustered by dossier.
CREATE TABLE row (
	dossier BLOB NOT NULL,
	row     BLOB NOT NULL,
	type    BLOB NOT NULL,
	version INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	summary BLOB NOT NULL,
	PRIMARY KEY (dossier, row)
) WITHOUT ROWID;

-- Every version, the current one too. The summary stands before the body, so
-- that listing versions reads no body.
CREATE TABLE version (
	seq     INTEGER PRIMARY KEY,
	dossier BLOB NOT NULL,
	row     BLOB NOT NULL,
	version INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	summary BLOB NOT NULL,
	body    BLOB NOT NULL,
	UNIQUE (dossier, row, version)
);

-- data is NULL where the content is a file.
CREATE TABLE content (
	seq     INTEGER PRIMARY KEY,
	dossier BLOB NOT NULL,
	id      BLOB NOT NULL,
	owner   BLOB NOT NULL,
	data    BLOB,
	UNIQUE (dossier, id)
);

-- Files that no commit has adopted yet.
CREATE TABLE upload (
	dossier BLOB NOT NULL,
	id      BLOB NOT NULL,
	created INTEGER NOT NULL,
	PRIMARY KEY (dossier, id)
) WITHOUT ROWID;

CREATE TABLE claim (
	token   BLOB PRIMARY KEY,
	dossier BLOB NOT NULL,
	row     BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE find (
	token   BLOB NOT NULL,
	dossier BLOB NOT NULL,
	row     BLOB NOT NULL,
	PRIMARY KEY (token, dossier, row)
) WITHOUT ROWID;

-- Wrapped keys: a backup of the data leaves this table out.
CREATE TABLE wrapped (
	dossier BLOB NOT NULL,
	kind    INTEGER NOT NULL,
	number  INTEGER NOT NULL,
	epoch   INTEGER NOT NULL,
	wrapped BLOB NOT NULL,
	PRIMARY KEY (dossier, kind, number)
) WITHOUT ROWID;

CREATE TABLE event (
	seq      INTEGER PRIMARY KEY,
	id       BLOB NOT NULL,
	dossier  BLOB NOT NULL,
	recorded INTEGER NOT NULL,
	class    INTEGER NOT NULL,
	actor    BLOB NOT NULL,
	sealed   BLOB NOT NULL
);
CREATE UNIQUE INDEX event_history ON event (dossier, recorded, id);
CREATE INDEX event_actor ON event (actor, recorded, id);

-- The sequencer's queue: events without a number, oldest first.
CREATE TABLE pending (
	recorded INTEGER NOT NULL,
	id       BLOB NOT NULL,
	seq      INTEGER NOT NULL,
	PRIMARY KEY (recorded, id)
) WITHOUT ROWID;

-- expires is NULL for never.
CREATE TABLE state (
	kind    BLOB NOT NULL,
	key     BLOB NOT NULL,
	value   BLOB NOT NULL,
	expires INTEGER,
	rev     INTEGER NOT NULL,
	PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX state_expires ON state (expires) WHERE expires IS NOT NULL;
`}
}

// migrate brings the schema up to date, each step in one transaction.
func migrate(ctx context.Context, c *conn, path string) error {
	steps := migrations()
	version, err := schemaVersion(c, path)
	if err != nil {
		return err
	}
	if version > int64(len(steps)) {
		return fmt.Errorf("%w: %s has schema %d and this program knows %d; start the newer program, or restore a backup made before it ran",
			ErrNewer, path, version, len(steps))
	}
	for i := version; i < int64(len(steps)); i++ {
		if err := ctx.Err(); err != nil {
			return unavailable(err)
		}
		if err := migrateStep(c, steps[i], i+1); err != nil {
			return fmt.Errorf("sqlite: schema %d of %s: %w", i+1, path, err)
		}
	}
	return nil
}

func migrateStep(c *conn, step string, version int64) error {
	script := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;", step, applicationID, version)
	if err := c.script(script); err != nil {
		return errors.Join(err, c.script("ROLLBACK"))
	}
	return nil
}

// schemaVersion is 0 for a new, empty file, and refuses the file of another
// program before anything is written to it.
func schemaVersion(c *conn, path string) (int64, error) {
	app, err := c.number("PRAGMA application_id")
	if isCode(err, sqlite3.SQLITE_NOTADB) {
		return 0, fmt.Errorf("%w: %s is not a database", ErrForeign, path)
	}
	if err != nil {
		return 0, err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	fresh := app == 0 && version == 0 && tables == 0
	if app != applicationID && !fresh {
		return 0, fmt.Errorf("%w: %s has application_id %#x", ErrForeign, path, app)
	}
	return version, nil
}
