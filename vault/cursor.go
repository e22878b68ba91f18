package vault

import "encoding/base64"

// SealCursor seals a small text into an opaque one that may stand in a URL
// (RFC 4648 §5, no padding). Whom it is for and until when is for the caller to
// write into plain. It returns "" as Ring.Seal returns nil.
func (v *Vault) SealCursor(plain []byte) string {
	if v == nil || v.cursor == nil {
		return ""
	}
	ad := []byte{formatCursor}
	return base64.RawURLEncoding.EncodeToString(seal(v.cursor, v.rand, ad, plain, ad))
}

// OpenCursor undoes SealCursor; ErrOpen if it cannot.
func (v *Vault) OpenCursor(s string) ([]byte, error) {
	if v == nil || v.cursor == nil {
		return nil, ErrOpen
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(sealed) < 1 || sealed[0] != formatCursor || len(s) != base64.RawURLEncoding.EncodedLen(len(sealed)) {
		return nil, ErrOpen // the last test: the decoder skips line ends
	}
	return open(v.cursor, 1, sealed, []byte{formatCursor})
}
