package dossier

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// read answers one resource by its id. Whatever cannot be released is not
// found, with the same bytes and the same work as what never existed.
func (c *call) read(ctx context.Context) (Answer, error) {
	if c.r.Type == "AuditEvent" {
		return c.readEvent(ctx)
	}
	d, v, err := c.open(ctx, c.r.Type, c.r.ID)
	if err != nil {
		return Answer{}, err
	}
	ref := c.r.Type + "/" + c.r.ID
	row := d.find(ref)
	switch {
	case row == nil || row.deleted:
		return c.hidden(ctx, d, v, policy.Decision{}, ref)
	case c.r.Type == "Binary" || c.r.Type == "Bundle":
		return c.readContent(ctx, d, v, row)
	}
	if dec := v.Read(d.byRef[ref]); !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	recs, err := c.current(ctx, d, row)
	if err != nil {
		return Answer{}, err
	}
	released, dec := v.Release(recs[0].resource, recs[0].origin)
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	return c.deliver(ctx, d, v, dec, row, c.shown(released), !policy.Trimmable(recs[0].resource))
}

// open loads the dossier of a resource, or a decoy, and looks at it as the
// caller. A token that asks for bris_de_glace opens its grant here.
func (c *call) open(ctx context.Context, typ, id string) (*loaded, *policy.View, error) {
	d, err := c.loadByID(ctx, typ, id)
	if err != nil {
		return nil, nil, err
	}
	return c.look(ctx, d)
}

// look makes the view of the caller on d.
func (c *call) look(ctx context.Context, d *loaded) (*loaded, *policy.View, error) {
	v := c.policy.View(c.p, d.record, c.at)
	if !c.wantsGrant(d, v) {
		return d, v, nil
	}
	if opens, err := c.grantWouldShow(d); err != nil || !opens {
		return d, v, err
	}
	return c.grantByToken(ctx, d, v)
}

// deliver records the read and answers a version of a resource. That it is unchanged
// (304) is told only of what is the same to all who read it: the version of a List does
// not change when one of its documents is masked, what a caller is given of it does.
func (c *call) deliver(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, row *row, body content, sameToAll bool) (Answer, error) {
	receipt, err := c.record(ctx, d, c.events(d, dec, doRead, []string{versionRef(row)}, v))
	if err != nil {
		body.close()
		return Answer{}, err
	}
	status := http.StatusOK
	if sameToAll && c.unchanged(row) {
		body.close()
		status, body = http.StatusNotModified, nothing()
	}
	a := c.clinical(status, body, receipt)
	return a.version(row.version, row.updated).in(v), nil
}

// version adds the headers of a version.
func (a Answer) version(version int64, updated time.Time) Answer {
	a.etag, a.modified = etag(version), updated
	return a
}

// in adds the header that tells the software which mode is in force.
func (a Answer) in(v *policy.View) Answer {
	a.mode = modeCode(v.Situation().Mode)
	return a
}

func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

func versionRef(r *row) string {
	return r.ref() + "/_history/" + strconv.FormatInt(r.version, 10)
}

// unchanged applies If-None-Match and, without it, If-Modified-Since (RFC 9110
// §13.1). It is asked only about what the caller may read.
func (c *call) unchanged(row *row) bool {
	if c.r.IfNoneMatch != "" {
		return matchesTag(c.r.IfNoneMatch, row.version)
	}
	if since, err := http.ParseTime(c.r.IfModifiedSince); err == nil {
		return !row.updated.Truncate(time.Second).After(since)
	}
	return false
}

// matchesTag tells whether a list of entity tags, or *, holds the version.
func matchesTag(header string, version int64) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == `"`+strconv.FormatInt(version, 10)+`"` {
			return true
		}
	}
	return false
}

// hidden is the one answer for what is hidden and for what is absent.
func (c *call) hidden(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, ref string) (Answer, error) {
	if err := c.even(ctx, d); err != nil {
		return Answer{}, err
	}
	return c.refuse(ctx, d, v, dec, c.action(), ErrNotFound, ref)
}

// action is what the request would do to a resource that it names by its id.
func (c *call) action() audit.Action {
	switch c.r.Interaction {
	case fhir.Update, fhir.Patch:
		return doUpdate
	case fhir.Delete:
		return doDelete
	case fhir.Operation:
		return doExecute
	}
	return doRead
}

// vread answers one version, governed by the current one.
func (c *call) vread(ctx context.Context) (Answer, error) {
	d, v, err := c.open(ctx, c.r.Type, c.r.ID)
	if err != nil {
		return Answer{}, err
	}
	ref := c.r.Type + "/" + c.r.ID
	wanted, numberErr := strconv.ParseInt(c.r.Version, 10, 64)
	row := d.find(ref)
	if row == nil || row.deleted || numberErr != nil || wanted < 1 || wanted > row.version || !v.Read(d.byRef[ref]).Allowed() {
		return c.hidden(ctx, d, v, policy.Decision{}, ref+"/_history/"+c.r.Version)
	}
	recs, err := c.bodies(ctx, d.id, d.ring, []store.BodyRef{{Row: row.key, Version: row.version}, {Row: row.key, Version: wanted}})
	if err != nil {
		return Answer{}, err
	}
	released, dec := v.ReleaseOld(recs[0].resource, recs[0].origin, recs[1].resource)
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	old := *row
	old.version, old.updated = wanted, updatedOf(recs[1].resource)
	return c.deliver(ctx, d, v, dec, &old, c.shown(released), !policy.Trimmable(recs[1].resource))
}

// updatedOf reads meta.lastUpdated, which Stamp wrote.
func updatedOf(r *fhir.Resource) time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.At("meta", "lastUpdated").Text())
	if err != nil {
		return time.Time{}
	}
	return t
}

// precondition applies If-Match to the current version. Who may change a resource
// without reading it, traits for instance, does not learn its version by it: none
// is the expected one.
func (c *call) precondition(v *policy.View, row *row) error {
	if c.r.IfMatch != "" && (!v.Sees(row.ref()) || !matchesTag(c.r.IfMatch, row.version)) {
		return ErrPrecondition
	}
	return nil
}

// isConflict tells whether a commit lost a race that is worth a new try.
func isConflict(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrDuplicate)
}
