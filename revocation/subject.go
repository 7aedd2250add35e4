package revocation

import (
	"fmt"

	"issuer.example/sid"
)

// wireSubject is sub_id: a subject identifier (RFC 9493), or a complex subject made of one
// (OpenID SSF 1.0 §3.2).
//
//	a session   {"format":"opaque","id":sid}
//	a user      {"format":"complex","user":{"format":"iss_sub","iss":issuer,"sub":user}}
//	a client    {"format":"complex","application":{"format":"opaque","id":client}}
//	everything  {"format":"complex","tenant":{"format":"opaque","id":issuer}}
type wireSubject struct {
	Format      string       `json:"format"`
	ID          string       `json:"id,omitempty"`
	Issuer      string       `json:"iss,omitempty"`
	Subject     string       `json:"sub,omitempty"`
	User        *wireSubject `json:"user,omitempty"`
	Application *wireSubject `json:"application,omitempty"`
	Tenant      *wireSubject `json:"tenant,omitempty"`
}

const (
	formatOpaque  = "opaque"
	formatIssSub  = "iss_sub"
	formatComplex = "complex"
)

func subjectOf(issuer string, e Entry) wireSubject {
	switch e.Scope.Kind {
	case KindUser:
		return wireSubject{Format: formatComplex, User: &wireSubject{Format: formatIssSub, Issuer: issuer, Subject: e.Scope.Name}}
	case KindClient:
		return wireSubject{Format: formatComplex, Application: &wireSubject{Format: formatOpaque, ID: e.Scope.Name}}
	case KindEverything:
		return wireSubject{Format: formatComplex, Tenant: &wireSubject{Format: formatOpaque, ID: issuer}}
	default:
		return wireSubject{Format: formatOpaque, ID: e.SID.String()}
	}
}

// read returns the scope that the subject identifies and, if that is a session, its
// identifier.
func (w wireSubject) read(issuer string) (Scope, sid.ID, error) {
	if w.Format == formatOpaque {
		id, err := sid.Parse(w.ID)
		if err != nil {
			return Scope{}, sid.ID{}, fmt.Errorf("%w: sub_id is not a session id", ErrMalformed)
		}
		return Scope{Kind: KindSession}, id, nil
	}
	if w.Format == formatComplex {
		switch {
		case w.User != nil && w.Application == nil && w.Tenant == nil:
			if w.User.Format == formatIssSub && w.User.Issuer == issuer {
				return UserScope(w.User.Subject), sid.ID{}, nil
			}
		case w.Application != nil && w.User == nil && w.Tenant == nil:
			if w.Application.Format == formatOpaque {
				return ClientScope(w.Application.ID), sid.ID{}, nil
			}
		case w.Tenant != nil && w.User == nil && w.Application == nil:
			if w.Tenant.Format == formatOpaque && w.Tenant.ID == issuer {
				return EverythingScope(), sid.ID{}, nil
			}
		}
	}
	return Scope{}, sid.ID{}, fmt.Errorf("%w: sub_id has an unknown form", ErrMalformed)
}
