package credential

import (
	"strconv"
	"strings"

	"issuer.example/handlers/exchange"
)

// PresentedCache returns the cookie cache that the request has, in one cookie or in chunks. It is "" if there
// is none, and if there are more cookies of it than clients read: those need to be replaced.
func (j *Jar) PresentedCache(x *exchange.Exchange) string {
	names := j.cacheCookies(x)
	var text strings.Builder
	for i, name := range names {
		values := x.Request().CookiesNamed(name)
		whole, chunk := name == j.cache && len(names) == 1, name == j.cache+"."+strconv.Itoa(i)
		if len(values) != 1 || !whole && !chunk {
			return ""
		}
		text.WriteString(values[0].Value)
	}
	return text.String()
}
