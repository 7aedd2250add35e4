package exchange

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// RawJSON is a JSON value that is passed on as it is.
type RawJSON = jsontext.Value

const (
	maxDepth     = 16 // nesting of a JSON body
	maxFieldName = 64 // bytes of an unknown field's name that an answer repeats
)

// ErrWrongType is the cause of a refusal of JSON that is well-formed but has the wrong type, in
// a field or as a whole.
var ErrWrongType = errors.New("exchange: wrong type of JSON value")

// JSON answers with v as JSON. The members of maps are sorted.
func (x *Exchange) JSON(status int, v any) error {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	return x.Blob(status, echo.MIMEApplicationJSON, body)
}

// DecodeJSON reads a JSON body into v, strictly: exact names, no unknown or repeated ones, valid
// UTF-8, nothing behind the value.
func (x *Exchange) DecodeJSON(v any) error {
	body, err := readJSON(x)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return Invalid("The request needs a body.")
	}
	return unmarshal(body, v)
}

// DecodeOptionalJSON is [Exchange.DecodeJSON] for a body that may be left out.
func (x *Exchange) DecodeOptionalJSON(v any) error {
	if x.Request().ContentLength == 0 {
		return nil
	}
	body, err := readBody(x)
	if err != nil || len(body) == 0 { // a chunked body can turn out to be empty
		return err
	}
	if err := requireMediaType(x, echo.MIMEApplicationJSON); err != nil {
		return err
	}
	return unmarshal(body, v)
}

// RequireNoMembers refuses a body that says something: only none and an empty object are accepted. It is
// for routes that end sessions, because a member that is ignored could have limited what ends.
func (x *Exchange) RequireNoMembers() error { return x.DecodeOptionalJSON(&struct{}{}) }

// DecodeLenientJSON reads a JSON object into v, if there is a body. Members that v does not
// name are ignored. A v of nil only checks the body.
func (x *Exchange) DecodeLenientJSON(v any) error {
	if x.Request().ContentLength == 0 {
		return nil
	}
	body, err := readJSON(x)
	if err != nil || len(body) == 0 {
		return err
	}
	if nestsTooDeeply(body) {
		return Invalid("The body nests too deeply.")
	}
	if jsontext.Value(body).Kind() != '{' && jsontext.Value(body).IsValid() {
		return &Refusal{Code: CodeInvalidRequest, Detail: "The body must be a JSON object.", Err: ErrWrongType}
	}
	if v == nil {
		v = new(map[string]jsontext.Value)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return refuseJSON(err)
	}
	return nil
}

func readJSON(x *Exchange) ([]byte, error) {
	if err := requireMediaType(x, echo.MIMEApplicationJSON); err != nil {
		return nil, err
	}
	return readBody(x)
}

func unmarshal(body []byte, v any) error {
	if nestsTooDeeply(body) {
		return Invalid("The body nests too deeply.")
	}
	options := json.RejectUnknownMembers(true)
	if bytes.Contains(body, []byte("null")) {
		options = json.JoinOptions(options, json.WithUnmarshalers(json.UnmarshalFromFunc(refuseNull)))
	}
	if err := json.Unmarshal(body, v, options); err != nil {
		return refuseJSON(err)
	}
	return nil
}

var errNull = errors.New("exchange: null")

// refuseNull refuses null wherever a value is decoded into a type of ours. No schema of openapi.yaml for
// a request admits it, and it would read like a member that was left out. It is not called for what is
// inside of a [RawJSON].
func refuseNull(dec *jsontext.Decoder, _ any) error {
	if dec.PeekKind() == 'n' {
		return errNull
	}
	return errors.ErrUnsupported
}

// refuseJSON says what is wrong with a JSON body, without repeating values from it.
func refuseJSON(err error) error {
	r := &Refusal{Code: CodeInvalidRequest, Detail: "The body is not strict JSON."}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		r.Field = fieldName(e.JSONPointer)
		r.Detail = "The body has the field " + r.Field + " twice."
	}
	e, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return r
	}
	r.Field, r.Err = fieldName(e.JSONPointer), ErrWrongType
	r.Detail = "The field has the wrong type."
	if r.Field == "" {
		r.Detail = "The body must be a JSON object."
	}
	if errors.Is(err, errNull) && r.Field != "" {
		r.Detail = "The field " + r.Field + " must not be null: leave it out."
	}
	if errors.Is(err, json.ErrUnknownName) {
		r.Detail = "The field " + r.Field + " is not known."
	}
	return r
}

// fieldName writes a pointer as documents name fields, "user.id", in printable characters.
func fieldName(p jsontext.Pointer) string {
	var parts []string
	for token := range p.Tokens() {
		parts = append(parts, token)
	}
	return printable(strings.Join(parts, "."), maxFieldName)
}

// nestsTooDeeply reports whether JSON nests deeper than allowed. It counts brackets only, so
// that nothing is decoded for it.
func nestsTooDeeply(body []byte) bool {
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

// AppendString appends s as a JSON string. Bytes that are not UTF-8 are replaced by U+FFFD.
func AppendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error says that s was not UTF-8
	return b
}

// AppendNullable appends s as a JSON string, or null if it is empty.
func AppendNullable(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return AppendString(b, s)
}

// AppendAddress appends ip as a JSON string, or null if it is unknown.
func AppendAddress(b []byte, ip netip.Addr) []byte {
	if !ip.IsValid() {
		return append(b, "null"...)
	}
	return append(ip.AppendTo(append(b, '"')), '"')
}
