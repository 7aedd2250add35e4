package exchange

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

const (
	// maxBody is how large the body of a request may be, in bytes.
	maxBody = 64 << 10
	// maxPreallocated is up to which declared length memory is allocated before the body has
	// come.
	maxPreallocated = 4 << 10
	// maxFields is how many parameters a form may have.
	maxFields = 16
)

// readBody reads the whole body, up to the limit. An empty body is nil.
func readBody(x *Exchange) ([]byte, error) {
	r := x.Request()
	if r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > 0 && r.ContentLength <= maxPreallocated {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, refuseUnreadBody(err)
		}
		return body, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.echo.Response().Writer, r.Body, maxBody))
	if err != nil {
		return nil, refuseUnreadBody(err)
	}
	return body, nil
}

// refuseUnreadBody is the error for a body that breaks off or is too large.
func refuseUnreadBody(err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return e
	}
	return &Refusal{Code: CodeInvalidRequest, Detail: "The body could not be read to its end.", Err: err}
}

// requireMediaType refuses a body of another type, or in another charset than UTF-8.
func requireMediaType(x *Exchange, want string) error {
	given := x.Request().Header[echo.HeaderContentType]
	if len(given) == 1 && given[0] == want {
		return nil
	}
	wrong := &Refusal{Code: codeMediaType, Detail: "The Content-Type must be " + want + ", in UTF-8."}
	if len(given) != 1 {
		return wrong
	}
	got, params, err := mime.ParseMediaType(given[0])
	if err != nil || got != want {
		return wrong
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return wrong
		}
	}
	return nil
}

// Form reads a form body: every parameter at most once (RFC 6749 §3.2), UTF-8, no NUL.
func (x *Exchange) Form() (url.Values, error) {
	if err := requireMediaType(x, echo.MIMEApplicationForm); err != nil {
		return nil, err
	}
	body, err := readBody(x)
	if err != nil {
		return nil, err
	}
	return parseForm(string(body))
}

func parseForm(text string) (url.Values, error) {
	if strings.Count(text, "&") >= maxFields {
		return nil, Invalid("The form has too many parameters.")
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, Invalid("The form is not well-formed.")
	}
	for name, given := range values {
		if len(given) > 1 {
			return nil, Invalid("The form has a parameter twice.")
		}
		if !isText(name) || !isText(given[0]) {
			return nil, Invalid("The form must be UTF-8 without NUL.")
		}
	}
	return values, nil
}

// isText reports whether s is UTF-8 without NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
