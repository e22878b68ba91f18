package sandbox

import (
	"bytes"
	_ "embed" // the published example
	"encoding/json"
)

//go:embed published/DocumentReference-doc-x-id.json
var publishedJSON []byte

// publishedID is the id that the published examples expect.
const publishedID = "doc-x-id"

// publishedContent is the content of the published examples: 80 bytes, whose
// size and hash their metadata hold.
const publishedContent = `<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>`

// publishedReference is the published example as it was before it was replaced:
// current, and with its content beside it in the bundle.
func publishedReference(contentURL string) json.RawMessage {
	r := bytes.Replace(publishedJSON, []byte(`"status": "superseded"`), []byte(`"status": "current"`), 1)
	r = bytes.Replace(r, []byte(`"url": "urn:oid:1.2.250.1.213.1.4.8.99999.0"`), []byte(`"url": "`+contentURL+`"`), 1)
	return r
}
