package emit

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// A stream that ends before its promised size is an error: the connection is
// cut, and a client does not take a part for the whole.
func TestSendOfAStream(t *testing.T) {
	cases := []struct {
		name    string
		content string
		size    int64
		sent    string
		err     error
	}{
		{"whole", "abc", 3, "abc", nil},
		{"empty", "", 0, "", nil},
		{"cut short", "abc", 5, "abc", io.EOF},
		{"longer than promised", "abcdef", 3, "abc", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			err := send(w, nil, strings.NewReader(c.content), c.size)
			if !errors.Is(err, c.err) || w.Body.String() != c.sent {
				t.Errorf("sent %q, error %v", w.Body, err)
			}
		})
	}
}

func TestTransferGivesTimeBySize(t *testing.T) {
	if transfer(0) != 0 || transfer(64<<20).Minutes() < 17 || transfer(64<<20).Minutes() > 18 {
		t.Errorf("64 MiB get %v", transfer(64<<20))
	}
}
