package betterauth

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/session"
)

// The type and audience of the JWT in the cookie cache, which tells the client who is signed in. No
// verifier of access tokens accepts them.
const (
	cacheType     = "better-auth.session-cache+jwt"
	cacheAudience = "better-auth:session-cache"
)

// cacheSigner makes the cookie cache.
type cacheSigner struct {
	keys   *keys.Manager
	jar    *credential.Jar
	issuer string
	now    func() time.Time
}

// refreshShare is the part of its life that a cookie cache must have left not to be replaced.
const refreshShare = 5

// set sets the cookie cache to that session. It is valid for the configured time, and no longer than the
// session. A cache that the request has already is left as it is while it says the same and is not near its
// end: clients compare its value, and some of them, such as the Expo client, ask again whenever it changes.
func (c cacheSigner) set(x *exchange.Exchange, v *session.View) error {
	now := c.now()
	if c.isCurrent(c.jar.PresentedCache(x), v, now) {
		return nil
	}
	life := min(c.jar.CacheMaxAge(), v.IdleExpiresAt.Sub(now)).Truncate(time.Second)
	text := ""
	if life > 0 {
		var err error
		if text, _, err = c.keys.Sign(cacheType, c.claims(v, now, life)); err != nil {
			return err
		}
	}
	c.jar.SetCache(x, text, life)
	return nil
}

func (c cacheSigner) claims(v *session.View, now time.Time, life time.Duration) []byte {
	b := appendIdentity(make([]byte, 0, 2048), v, false)
	b = b[:len(b)-1] // reopen the object
	b = strconv.AppendInt(append(b, `,"updatedAt":`...), now.UnixMilli(), 10)
	b = exchange.AppendString(append(b, `,"version":"1","iss":`...), c.issuer)
	b = exchange.AppendString(append(b, `,"aud":`...), cacheAudience)
	b = exchange.AppendString(append(b, `,"sub":`...), v.User.ID)
	b = exchange.AppendString(append(b, `,"sid":`...), v.ID.String())
	b = strconv.AppendInt(append(b, `,"iat":`...), now.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), now.Add(life).Unix(), 10)
	return append(b, '}')
}

// isCurrent reports whether the text of a cookie cache was signed with one of the present keys, says of the
// session what it would say if it were made now, and is not in the last part of its life. It may know of a later
// use than the view, which shows a use only when its step of time is over: it was then set by the redemption.
func (c cacheSigner) isCurrent(text string, v *session.View, now time.Time) bool {
	if text == "" {
		return false
	}
	header, payload, err := jwt.VerifySignature(text, c.keys)
	if err != nil || header.Type != cacheType {
		return false
	}
	var made struct {
		UpdatedAt int64 `json:"updatedAt"`
		Expiry    int64 `json:"exp"`
		Session   struct {
			UpdatedAt time.Time `json:"updatedAt"`
			ExpiresAt time.Time `json:"expiresAt"`
		} `json:"session"`
	}
	if json.Unmarshal(payload, &made) != nil {
		return false
	}
	shown := *v
	if made.Session.UpdatedAt.After(v.LastSeenAt) {
		shown.LastSeenAt, shown.IdleExpiresAt = made.Session.UpdatedAt, made.Session.ExpiresAt
	}
	at, expiry := time.UnixMilli(made.UpdatedAt), time.Unix(made.Expiry, 0)
	life := expiry.Sub(at.Truncate(time.Second))
	return life <= c.jar.CacheMaxAge() && expiry.Sub(now) > life/refreshShare && bytes.Equal(payload, c.claims(&shown, at, life))
}
