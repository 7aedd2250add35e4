package handlers

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

const (
	maxDepth  = 16 // nesting of a JSON body
	maxFields = 16 // parameters of a form
	maxNamed  = 64 // bytes of an unknown field's name that an answer repeats
	// trustedLength is up to where memory is set aside for a body before it is there.
	trustedLength = 4 << 10
)

// readBody reads the whole body, up to the limit. An empty body is nil.
func readBody(x *exchange) ([]byte, error) {
	r := x.Request()
	if r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > 0 && r.ContentLength <= trustedLength {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, unread(err)
		}
		return body, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.Response().Writer, r.Body, maxBody))
	if err != nil {
		return nil, unread(err)
	}
	return body, nil
}

// unread is what a body that breaks off, or is too large, is answered with.
func unread(err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return e
	}
	return &refusal{code: codeInvalidRequest, detail: "The body could not be read to its end.", err: err}
}

// mediaType refuses a body of another type, or in another charset than UTF-8.
func mediaType(x *exchange, want string) error {
	given := x.Request().Header[echo.HeaderContentType]
	if len(given) == 1 && given[0] == want {
		return nil
	}
	wrong := &refusal{code: codeMediaType, detail: "The Content-Type must be " + want + ", in UTF-8."}
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

// decode reads a JSON body into v, strictly: exact names, no unknown or repeated ones,
// valid UTF-8, nothing behind it.
func decode(x *exchange, v any) error {
	if err := mediaType(x, echo.MIMEApplicationJSON); err != nil {
		return err
	}
	body, err := readBody(x)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return invalid("The request needs a body.")
	}
	return unmarshal(body, v)
}

// decodeOptional is decode for a body that may be left out.
func decodeOptional(x *exchange, v any) error {
	if x.Request().ContentLength == 0 {
		return nil
	}
	return decode(x, v)
}

func unmarshal(body []byte, v any) error {
	if tooDeep(body) {
		return invalid("The body nests too deeply.")
	}
	if err := json.Unmarshal(body, v, json.RejectUnknownMembers(true)); err != nil {
		return misread(err)
	}
	if string(bytes.TrimSpace(body)) == "null" {
		return invalid("The body must be a JSON object.")
	}
	return nil
}

// misread says what is wrong with a JSON body, without repeating values from it.
func misread(err error) error {
	r := &refusal{code: codeInvalidRequest, detail: "The body is not strict JSON."}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		r.field = fieldName(e.JSONPointer)
		r.detail = "The body has the field " + r.field + " twice."
	}
	e, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return r
	}
	r.field = fieldName(e.JSONPointer)
	r.detail = "The field has the wrong type."
	if r.field == "" {
		r.detail = "The body must be a JSON object."
	}
	if errors.Is(err, json.ErrUnknownName) {
		r.detail = "The field " + r.field + " is not known."
	}
	return r
}

// fieldName writes a pointer as the interface names fields, "user.id", in safe characters.
func fieldName(p jsontext.Pointer) string {
	var parts []string
	for token := range p.Tokens() {
		parts = append(parts, token)
	}
	return printable(strings.Join(parts, "."), maxNamed)
}

// tooDeep reports whether JSON nests deeper than allowed. It looks at brackets only, so
// that nothing is decoded for it.
func tooDeep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// form reads a form body: every parameter at most once (RFC 6749 §3.2), UTF-8, no NUL.
func form(x *exchange) (url.Values, error) {
	if err := mediaType(x, echo.MIMEApplicationForm); err != nil {
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
		return nil, invalid("The form has too many parameters.")
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, invalid("The form is not well-formed.")
	}
	for name, given := range values {
		if len(given) > 1 {
			return nil, invalid("The form has a parameter twice.")
		}
		if !plainText(name) || !plainText(given[0]) {
			return nil, invalid("The form must be UTF-8 without NUL.")
		}
	}
	return values, nil
}

func plainText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
