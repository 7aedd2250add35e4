package betterauth

import (
	"strconv"
	"time"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
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

// set sets the cookie cache to that session. It is valid for the configured time, and no longer than the
// session.
func (c cacheSigner) set(x *exchange.Exchange, v *session.View) error {
	now := c.now()
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
