package exchange

import "time"

// Refusal is an answer other than success. It is an error, so that handlers return it.
type Refusal struct {
	Code       Code
	Detail     string        // for people; never contains anything from the request
	Field      string        // the field of the request that is wrong; may be ""
	RetryAfter time.Duration // when to try again; 0 does not say
	Scope      string        // the scope that the service key lacks; may be ""
	// NoCredential: the request has no usable credential, so that the challenge names no
	// error (RFC 6750 §3).
	NoCredential bool
	Basic        bool  // the caller used HTTP Basic, and is challenged for it
	Err          error // the cause; only the log sees its text
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Detail }

func (r *Refusal) Unwrap() error { return r.Err }

// Invalid refuses a request that is not well-formed.
func Invalid(detail string) error { return &Refusal{Code: CodeInvalidRequest, Detail: detail} }

// InvalidField refuses a request for one of its fields.
func InvalidField(field, detail string) error {
	return &Refusal{Code: CodeInvalidRequest, Field: field, Detail: detail}
}

// NotFound refuses a request for something that does not exist.
func NotFound() error { return &Refusal{Code: CodeNotFound} }
