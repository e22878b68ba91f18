package vault

// Root is the driver of the root key: a file, or a key management service. Its
// key never leaves it. Methods may be called concurrently.
type Root interface {
	// Wrap seals a 32-byte epoch key so that Unwrap returns it for the same
	// epoch only.
	Wrap(epoch int32, key []byte) ([]byte, error)
	// Unwrap undoes Wrap; ErrOpen if it cannot.
	Unwrap(epoch int32, wrapped []byte) ([]byte, error)
	// Derive returns 32 bytes that depend on the root key and the label alone.
	Derive(label string) ([]byte, error)
}
