package handlers_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// alternating is the name of the test whose fixtures have two issuers.
const alternating = "TestAlternatingIssuers"

func alternates(tb testing.TB) bool {
	tb.Helper()
	return strings.HasPrefix(tb.Name(), alternating+"/")
}

// beside returns another issuer on the same store, with nothing in common but that, the configuration and
// the clock. It listens too.
func (f *fixture) beside(tb testing.TB, change func(*settings)) *fixture {
	tb.Helper()
	other := &fixture{clock: f.clock, log: f.log, path: f.path, store: f.store}
	other.start(tb, change)
	other.listen(tb, other.server.Public(), other.server.Admin())
	return other
}

// alternate sends every request to the other issuer than the one before, as a load balancer does.
func (f *fixture) alternate(tb testing.TB, other *fixture) {
	tb.Helper()
	f.other = other
	turns := func(a, b http.Handler) http.Handler {
		var n atomic.Uint64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%2 == 0 {
				b.ServeHTTP(w, r)
			} else {
				a.ServeHTTP(w, r)
			}
		})
	}
	f.listen(tb, turns(f.server.Public(), other.server.Public()), turns(f.server.Admin(), other.server.Admin()))
}

// TestAlternatingIssuers: every flow works when no two requests that follow on each other reach the same
// issuer. These are the tests of the flows, over two issuers on one store.
func TestAlternatingIssuers(t *testing.T) {
	for name, flow := range map[string]func(*testing.T){
		"MintRefreshListRevoke":    TestMintRefreshListRevoke,
		"Handoff":                  TestHandoff,
		"HandoffOrigins":           TestHandoffOrigins,
		"AccountPage":              TestAccountPage,
		"AccountForms":             TestAccountForms,
		"AccountForgery":           TestAccountForgery,
		"GetSession":               TestGetSessionReadsAndNeverRotates,
		"SignedOutIsNull":          TestSignedOutIsNull,
		"Renewal":                  TestRenewal,
		"ReadingKeepsAlive":        TestReadingKeepsASessionAlive,
		"ListAndRevoke":            TestListAndRevokeByBetterAuth,
		"RevokeMany":               TestRevokeManyByBetterAuth,
		"SignOut":                  TestSignOutByBetterAuth,
		"TokenAndKeys":             TestTokenAndKeys,
		"CookieCache":              TestCookieCache,
		"CookieCacheIsReplaced":    TestCookieCacheIsReplaced,
		"CookieCacheIsKept":        TestCookieCacheIsKept,
		"CookieCacheEndsWithIt":    TestCookieCacheEndsWithTheSession,
		"FreshnessForBetterAuth":   TestFreshnessForBetterAuth,
		"AdminSessions":            TestAdminSessions,
		"AdminMarks":               TestAdminMarks,
		"BearerSession":            TestBearerSession,
		"BearerSessionEnds":        TestBearerSessionEnds,
		"ParallelTabs":             TestParallelTabs,
		"RevokeBesideRefreshes":    TestRevokeBesideRefreshes,
		"CookieTransport":          TestCookieTransport,
		"RaceLoserKeepsCookies":    TestRaceLoserKeepsCookies,
		"ReuseByCookie":            TestReuseByCookie,
		"SignOutByHeader":          TestSignOut,
		"Ends":                     TestEnds,
		"Fixation":                 TestFixation,
		"ForgedCookies":            TestForgedCookies,
		"HandoffReplacesNoSession": TestHandoffReplacesNoSession,
		"Introspect":               TestIntrospect,
		"RevokeToken":              TestRevokeToken,
		"Freshness":                TestFreshness,
		"SessionLimit":             TestSessionLimit,
		"Binding":                  TestBinding,
		"Lists":                    TestLists,
		"Replaces":                 TestReplaces,
		"Scope":                    TestScope,
		"SnapshotAndStream":        TestSnapshotAndStream,
		"KeysOfTheFeed":            TestKeysOfTheFeed,
		"ResumePoint":              TestResumePoint,
		"ThiefInStep":              TestThiefInStep,
		"TheftIsInTheLog":          TestTheftIsInTheLog,
		"LastDevice":               TestLastDevice,
		"JWKS":                     TestJWKS,
	} {
		t.Run(name, flow)
	}
}
