// Made from handlers/openapi.yaml by "npm run types". Do not edit.

export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The public keys that access tokens are signed with
         * @description May be kept for max-age. A key is published for longer than that before it signs.
         */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/oauth-authorization-server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The metadata of the issuer (RFC 8414) */
        get: operations["getMetadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/openid-configuration": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The metadata of the issuer (RFC 8414) */
        get: operations["getOpenIDConfiguration"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/assets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The style sheet of the pages */
        get: operations["accountStyle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page of the user's own devices */
        get: operations["accountSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/sessions/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End one session, from the page */
        post: operations["accountRevoke"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/sessions/revoke-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Asks whether to sign out everywhere */
        get: operations["accountConfirmRevokeAll"];
        put?: never;
        /** Sign out everywhere, from the page */
        post: operations["accountRevokeAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/account/sessions/revoke-others": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the other sessions, from the page */
        post: operations["accountRevokeOthers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A consistent copy of the store
         * @description Taken while the issuer serves requests. An answer that breaks off is not a copy. 404 if the store is
         *     a database, which has tools of its own.
         */
        get: operations["adminBackup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The signing keys, those that are gone too */
        get: operations["adminListKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/keys/{kid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Withdraw a signing key in an emergency
         * @description It leaves the JWKS at once and every session ends, because whoever has the key can have made tokens
         *     for any of them. Repeating it is a success.
         */
        delete: operations["adminRevokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/keys/{kid}/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a pending key sign
         * @description Refused until verifiers can know the key.
         */
        post: operations["adminPromoteKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Publish a new signing key now
         * @description It signs once every verifier can know it. While a key is pending, that one is the answer.
         */
        post: operations["adminRotateKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/reload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read the configuration anew
         * @description Adopts the service keys, secrets, origins, trusted proxies, hosts, limits and the level of the log, all of
         *     them or nothing. Requests and streams that are under way go on. A configuration with a fault changes
         *     nothing; the detail of the problem says what is wrong with it.
         */
        post: operations["adminReload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/revocations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End all sessions of a client, or all there are
         * @description Covers every session that has begun until now, in one write. A client that no service key is
         *     called by, and that has no live session, is not found.
         */
        post: operations["adminRevoke"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A user's live and ended sessions, newest first */
        get: operations["adminListSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One session, live or ended */
        get: operations["adminShowSession"];
        put?: never;
        post?: never;
        /** End one session */
        delete: operations["adminRevokeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/users/{id}/revoke-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the sessions of a user
         * @description A user without sessions is a success: 0. Nothing ends if the body names a session to spare that
         *     is not one of the user's: 404. An id that does not survive a path ("..", "a/b") is named in the
         *     body of the route without it.
         */
        post: operations["adminRevokeUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/users/revoke-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the sessions of a user whom the body names */
        post: operations["adminRevokeUserByBody"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/verifiers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What each verifier has applied, and how fast
         * @description Verifiers that have reported, or named themselves on the stream, in the last hour. Of several issuers
         *     that share a store each lists those of all; what the others know is a few seconds old.
         */
        get: operations["adminListVerifiers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/get-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is signed in
         * @description It never rotates the refresh token. When a renewal is due the answer has needsRefresh, and the client
         *     sends a POST. For clients that never do, asking keeps the session alive: at most once in
         *     session.update_age and in a tenth of the idle timeout. With disableRefresh it does neither.
         *     With a bearer token, which may be the refresh token, no cookie is set.
         */
        get: operations["betterAuthGetSession"];
        put?: never;
        /** Redeem the refresh token and tell who is signed in */
        post: operations["betterAuthRenewSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/jwks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The public keys, as at /.well-known/jwks.json */
        get: operations["betterAuthGetKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/list-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The caller's live sessions, newest first
         * @description Needs a fresh authentication if so configured: 403 SESSION_NOT_FRESH.
         */
        get: operations["betterAuthListSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/ok": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Do these routes answer? */
        get: operations["betterAuthOK"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/revoke-all-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * End all of the caller's sessions, this one too
         * @description What authClient.revokeAllSessions() sends without our client plugin. With cookies it is taken only from
         *     the fetch of a page of a trusted origin. HEAD is answered 405.
         */
        get: operations["betterAuthRevokeAllSessionsByGet"];
        put?: never;
        /** End all of the caller's sessions, this one too */
        post: operations["betterAuthRevokeAllSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/revoke-other-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the caller's other sessions */
        post: operations["betterAuthRevokeOtherSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/revoke-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End one of the caller's sessions
         * @description One that is unknown or not the caller's is a success without effect.
         */
        post: operations["betterAuthRevokeSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/revoke-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End all of the caller's sessions, this one too */
        post: operations["betterAuthRevokeSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out
         * @description Nobody signed in is a success. A bearer token that has expired or was superseded ends its session all
         *     the same; one whose key is gone cannot be verified and is answered 401. It is never rate limited.
         *     Cookies of more than one live session end each of them, and are answered 400.
         */
        post: operations["betterAuthSignOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An access token for the session
         * @description A bearer token is answered with itself.
         */
        get: operations["betterAuthToken"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/update-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * There is no field that a user may change
         * @description Answered 400 NO_FIELDS_TO_UPDATE. What a session carries is said by the backend, at sign-in.
         */
        post: operations["betterAuthUpdateSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/debug/pprof/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The list of profiles */
        get: operations["adminProfiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/debug/pprof/{profile}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Profiles of the process (net/http/pprof) */
        get: operations["adminProfile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the process alive? */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics for Prometheus
         * @description Needs no key.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/introspect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Whether a token is valid right now (RFC 7662)
         * @description Scope tokens:introspect. The service key is the bearer token, the password of HTTP Basic, whose user
         *     is its name (both form-encoded), or the form's client_secret beside its name as client_id. Two
         *     of these in one request are refused.
         */
        post: operations["introspect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the session of a token (RFC 7009)
         * @description The token is the credential; no client authentication is needed. A service key that is given, in
         *     one of the ways of the introspection, must be valid. An unknown token is a success.
         */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getOpenAPI"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a code of a refusal means */
        get: operations["getProblem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Can requests be served?
         * @description The store answers and a signing key is active.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/revocations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All that is revoked and not yet expired, signed
         * @description Scope revocations:read. A JWS of type revocations+jwt: the sessions and the marks, and `next`, the
         *     number of the newest event among them, to resume the stream after. docs/feed.md is its form.
         */
        get: operations["getRevocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/revocations/applied": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report what a verifier has applied
         * @description Scope revocations:read. At most once a second, and once a minute when there is nothing new.
         */
        post: operations["reportApplied"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/revocations/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The public keys of this moment, which no cache keeps
         * @description Scope revocations:read. The document of /.well-known/jwks.json. After a key was compromised verifiers
         *     fetch the keys here: a shared cache still has the JWKS of before.
         */
        get: operations["getRevocationKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/revocations/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The stream of revocations
         * @description Scope revocations:read. Server-Sent Events: `revoked` is a security event token (RFC 8417) whose number
         *     is the id, `alive` says that nothing is missing, `gone` that the resume point is purged or was never
         *     reached: take the snapshot. docs/feed.md is their form.
         *
         *     The answer goes on for about 15 minutes; the client then resumes. 429: the service key has as
         *     many streams as it may have. 503: there are as many as there may be, or the issuer stops.
         */
        get: operations["followRevocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The session of the access token */
        get: operations["getSession"];
        put?: never;
        post?: never;
        /**
         * Sign out
         * @description Ends the session of an access or refresh token, given as bearer or in the cookies, and clears the
         *     cookies. A token that has expired or was superseded ends its session all the same; one whose key is
         *     gone cannot be verified and is refused. Repeating it is a success. It is never rate limited. Cookies of more than one live session
         *     end each of them, and are answered 400: one of them was planted.
         */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/claim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Claim a session that was handed off
         * @description A page sends the code of a mint with handoff, with credentials included, and the issuer sets its
         *     cookies. A code is good once, for 60 s, and only for the origin that it was minted for; the Origin
         *     header is required. A code that comes a second time ends the session that it gave out. The session
         *     counts for the limit of its user from now on.
         */
        post: operations["claim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Redeem a refresh token
         * @description The refresh token is in its cookie or in the body, and the next one comes back the same way. The
         *     access token is in the body either way, and also in its cookie if cookies are used. The presented
         *     token is used up: send the new one next time. Several requests with one token at the same time all
         *     succeed. If the session has ended, the cookies are cleared.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live sessions, newest first
         * @description With an access token: those of its user, the caller's own marked as current. With a service key of
         *     scope sessions:read: those of any user.
         */
        get: operations["listSessions"];
        put?: never;
        /**
         * Create a session for an authenticated user
         * @description Scope sessions:mint. ip_address and user_agent describe the user's device. With transport cookie
         *     the tokens come in Set-Cookie headers, for a backend on the same site to pass on, and not in the body.
         *     The backend passes on all of them, in their order. For cookies, also those that a hand-off will set, an
         *     access token that no browser would keep in one is refused: access_token_too_large.
         */
        post: operations["mint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One session, live or ended
         * @description With an access token: one of its user. With a service key of scope sessions:read: any.
         */
        get: operations["showSession"];
        put?: never;
        post?: never;
        /**
         * End one session
         * @description With an access token: one of its user. With a service key of scope sessions:revoke: any. One that has
         *     ended already is a success.
         */
        delete: operations["revokeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Record that the user has authenticated again
         * @description Scope sessions:mint. The session keeps its id; auth_time is now; amr and acr are what is given. The
         *     refresh token stays as it is. In the last part of a second before the session's end there is no time
         *     left for a token: nothing changes, and the answer is 401 with session_idle or session_expired.
         */
        post: operations["reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/revoke-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End all of the holder's sessions, this one too
         * @description Needs a fresh authentication if so configured (RFC 9470).
         */
        post: operations["revokeAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/revoke-others": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the holder's other sessions */
        post: operations["revokeOthers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{id}/revoke-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the sessions of a user
         * @description Scope sessions:revoke. A user without sessions is a success: 0. Nothing ends if the body names a session to spare that
         *     is not one of the user's: 404. An id that does not survive a path ("..", "a/b") is named in the
         *     body of the route without it.
         */
        post: operations["revokeUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/revoke-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the sessions of a user whom the body names */
        post: operations["revokeUserByBody"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An at+jwt (RFC 9068) */
        AccessToken: string;
        /** @description How strong that was */
        ACR: string;
        /** @description How the user authenticated (RFC 8176) */
        AMR: string[];
        Applied: {
            /**
             * @description How long after its revocation; 0 after a snapshot
             * @default 0
             */
            delay_ms: number;
            /** @description The number of the last event applied */
            seq: number;
            verifier: components["schemas"]["VerifierName"];
        };
        BetterError: {
            code: string;
            message: string;
        };
        BetterIdentity: {
            /**
             * @description A POST to the same path should follow
             * @constant
             */
            needsRefresh?: true;
            session: components["schemas"]["BetterSession"];
            user: components["schemas"]["BetterUser"];
        };
        BetterListed: {
            createdAt: components["schemas"]["BetterTime"];
            /** @description It is the caller's own */
            current: boolean;
            /** @description The end if it is not used again */
            expiresAt: components["schemas"]["BetterTime"];
            id: components["schemas"]["SessionID"];
            /** @description Of the sign-in */
            ipAddress: string | null;
            /** @description Of the last use */
            lastIpAddress: string | null;
            /** @description Of the last use */
            lastUserAgent: string | null;
            /** @description The id again. It is no credential. */
            token: components["schemas"]["SessionID"];
            /** @description The last use */
            updatedAt: components["schemas"]["BetterTime"];
            /** @description Of the sign-in */
            userAgent: string | null;
            userId: components["schemas"]["UserID"];
        };
        /** @description One of them is needed; all are the session's id */
        BetterNamed: {
            id?: string;
            sessionId?: string;
            token?: string;
        };
        BetterSession: {
            createdAt: components["schemas"]["BetterTime"];
            /** @description The end if it is not used again */
            expiresAt: components["schemas"]["BetterTime"];
            id: components["schemas"]["SessionID"];
            /** @description Of the sign-in */
            ipAddress: string | null;
            /** @description The id again. It is no credential. */
            token: components["schemas"]["SessionID"];
            /** @description The last use */
            updatedAt: components["schemas"]["BetterTime"];
            /** @description Of the sign-in */
            userAgent: string | null;
            userId: components["schemas"]["UserID"];
        };
        BetterStatus: {
            /** @constant */
            status: true;
        };
        BetterTime: string;
        /** @description The claims that the session was minted with are further members */
        BetterUser: {
            /** @description Of the session; the issuer keeps no users */
            createdAt: components["schemas"]["BetterTime"];
            email: string;
            /** @description The claim email_verified */
            emailVerified: boolean;
            id: components["schemas"]["UserID"];
            image: string | null;
            name: string;
            /** @description Of the session; the issuer keeps no users */
            updatedAt: components["schemas"]["BetterTime"];
        };
        ClaimRequest: {
            handoff_code: string;
        };
        /** @enum {string} */
        Code: "token_expired" | "token_invalid" | "session_revoked" | "session_expired" | "session_idle" | "refresh_token_invalid" | "refresh_token_reused" | "handoff_code_invalid" | "not_fresh" | "binding_mismatch" | "not_found" | "invalid_request" | "forbidden" | "rate_limited" | "payload_too_large" | "access_token_too_large" | "session_limit" | "unavailable" | "method_not_allowed" | "unsupported_media_type" | "misdirected_request" | "headers_too_large" | "conflict" | "internal_error";
        /** @enum {string} */
        EndReason: "sign_out" | "revoked_by_user" | "revoked_all_by_user" | "revoked_by_service" | "revoked_by_admin" | "token_revoked" | "refresh_reuse" | "session_limit" | "expired" | "idle" | "binding_mismatch" | "signing_key_revoked" | "revoked_by_client_id" | "replaced" | "handoff_reuse";
        HandedOff: {
            /** @description Seconds until the code expires */
            expires_in: number;
            handoff_code: components["schemas"]["HandoffCode"];
        };
        HandoffCode: string;
        Health: {
            /** @constant */
            status: "ok";
        };
        History: {
            /** @description Ended */
            history: components["schemas"]["Session"][];
            /** @description Live */
            sessions: components["schemas"]["Session"][];
        };
        /** @description Claims that mint was given are members too */
        Introspection: {
            acr?: string;
            active: boolean;
            amr?: string[];
            aud?: string[];
            auth_time?: number;
            client_id?: string;
            exp?: number;
            iat?: number;
            iss?: string;
            jti?: string;
            scope?: string;
            sid?: components["schemas"]["SessionID"];
            sub?: components["schemas"]["UserID"];
            /** @constant */
            token_type?: "Bearer";
            /** @enum {string} */
            token_use?: "access_token" | "refresh_token";
        };
        JWKSet: {
            keys: {
                /** @enum {string} */
                alg: "ES256" | "EdDSA" | "RS256";
                kid: string;
                /** @enum {string} */
                kty: "EC" | "OKP" | "RSA";
                /** @constant */
                use: "sig";
            }[];
        };
        Key: {
            activated_at?: components["schemas"]["Time"];
            /** @enum {string} */
            alg: "ES256" | "EdDSA" | "RS256";
            created_at?: components["schemas"]["Time"];
            gone_at?: components["schemas"]["Time"];
            kid: string;
            published_at?: components["schemas"]["Time"];
            reason?: string;
            retiring_at?: components["schemas"]["Time"];
            /** @enum {string} */
            state: "pending" | "active" | "retiring" | "gone";
        };
        KeyAnswer: {
            key: components["schemas"]["Key"];
        };
        KeyList: {
            keys: components["schemas"]["Key"][];
        };
        /** @description Exactly one of the two */
        Mark: {
            client_id: string;
        } | {
            /** @constant */
            everything: true;
        };
        Metadata: {
            claims_supported?: string[];
            grant_types_supported?: string[];
            id_token_signing_alg_values_supported: string[];
            /** Format: uri */
            introspection_endpoint: string;
            introspection_endpoint_auth_methods_supported?: string[];
            /** Format: uri */
            issuer: string;
            /** Format: uri */
            jwks_uri: string;
            response_types_supported: string[];
            /** Format: uri */
            revocation_endpoint: string;
            revocation_endpoint_auth_methods_supported?: string[];
            /** Format: uri */
            revocations_endpoint?: string;
            /** Format: uri */
            revocations_stream_endpoint?: string;
            /** Format: uri */
            service_documentation?: string;
            subject_types_supported: string[];
        };
        /** @description The tokens are left out with transport cookie */
        Minted: {
            access_token?: components["schemas"]["AccessToken"];
            /** @description Seconds until the access token expires */
            expires_in: number;
            refresh_token?: components["schemas"]["RefreshToken"];
            session: components["schemas"]["Session"];
            /** @constant */
            token_type?: "Bearer";
            user: components["schemas"]["User"];
        };
        MintRequest: {
            acr?: components["schemas"]["ACR"];
            amr?: components["schemas"]["AMR"];
            /** @description aud of the access tokens; left out means the configured one */
            audience?: string[];
            /** @description Further claims of every access token, at most 4 KiB; registered names are refused */
            claims?: Record<string, never>;
            /** @description Answer with a code that a page claims instead of tokens */
            handoff?: boolean;
            /** @description The origin that may claim it: the issuer's own or an allowed one; left out means any of them */
            handoff_origin?: string;
            /** @description The user's address, IPv4 or IPv6; left out means unknown */
            ip_address?: string;
            /** @description A name for the device */
            label?: string;
            /** @description The id of a session of the same user that ends (replaced) before limits are counted, as that of the browser which signs in again; ignored if it is unknown or has ended */
            replaces?: string;
            /** @description scope of the access tokens (RFC 9068 §2.2.3): scope tokens of RFC 6749 §3.3 with one space between them */
            scope?: string;
            /** @enum {string} */
            transport?: "cookie";
            user: components["schemas"]["User"];
            /** @description The user's browser; kept up to 512 bytes */
            user_agent?: string;
        };
        Nothing: Record<string, never>;
        OAuthError: {
            error: string;
            error_description?: string;
        };
        Problem: {
            code: components["schemas"]["Code"];
            /** @description For people. It never holds what the request brought. */
            detail?: string;
            /** @description The field of the request that is wrong */
            field?: string;
            request_id: string;
            status: number;
            title: string;
            /** Format: uri */
            type: string;
        };
        ProblemKind: {
            code: components["schemas"]["Code"];
            status: number;
            title: string;
        };
        Readiness: {
            checks: {
                [key: string]: "ok" | "failing";
            };
            /** @enum {string} */
            status: "ok" | "unavailable";
        };
        /** @description The access token is left out with transport cookie */
        Reauthenticated: {
            access_token?: components["schemas"]["AccessToken"];
            expires_in: number;
            session: components["schemas"]["Session"];
            /** @constant */
            token_type?: "Bearer";
            user: components["schemas"]["User"];
        };
        ReauthRequest: {
            acr?: components["schemas"]["ACR"];
            amr?: components["schemas"]["AMR"];
            ip_address?: string;
            /** @enum {string} */
            transport?: "cookie";
            user_agent?: string;
        };
        /** @description refresh_token is left out when it came in a cookie */
        Refreshed: {
            access_token: components["schemas"]["AccessToken"];
            /** @description Seconds until the access token expires */
            expires_in: number;
            refresh_token?: components["schemas"]["RefreshToken"];
            session: components["schemas"]["Session"];
            /** @constant */
            token_type: "Bearer";
            user: components["schemas"]["User"];
        };
        RefreshRequest: {
            refresh_token?: string;
        };
        /** @description The last redemption of a newest refresh token */
        RefreshState: {
            /** @description Of that token; 0 before the first */
            generation: number;
            ip_address: string | null;
            redeemed_at: components["schemas"]["Time"];
            /** @description The use of a copied refresh token that has ended the session */
            reuse?: {
                generation: number;
                ip_address: string | null;
                user_agent: string | null;
            };
            user_agent: string | null;
        };
        RefreshToken: string;
        RevokeUserOptions: {
            /**
             * @description Only count what would end
             * @default false
             */
            dry_run: boolean;
            except?: components["schemas"]["SessionID"];
            /** @description Why, in words for people; it is logged */
            reason?: string;
        };
        RevokeUserRequest: {
            /**
             * @description Only count what would end
             * @default false
             */
            dry_run: boolean;
            except?: components["schemas"]["SessionID"];
            /** @description Why, in words for people; it is logged */
            reason?: string;
            user_id: components["schemas"]["UserID"];
        };
        Session: {
            /** @description When the user last proved who they are */
            auth_time: components["schemas"]["Time"];
            created_at: components["schemas"]["Time"];
            /** @description It is the session of the caller's own token */
            current: boolean;
            end_reason?: components["schemas"]["EndReason"];
            ended_at?: components["schemas"]["Time"];
            /** @description The absolute end; no refresh moves it */
            expires_at: components["schemas"]["Time"];
            id: components["schemas"]["SessionID"];
            /** @description The end if it is not used again. It moves as last_seen_at does; at least the end of the current step. */
            idle_expires_at: components["schemas"]["Time"];
            /** @description Of the sign-in. With binding step_up or enforce, of the first use (the claim of a hand-off or the first refresh) if the sign-in's is unknown. */
            ip_address: string | null;
            label: string | null;
            /** @description Of the last use */
            last_ip_address: string | null;
            /** @description The last use. In answers to a holder of the session's tokens it moves in steps of six concurrency windows, rounded down, when a step is over; never before created_at. */
            last_seen_at: components["schemas"]["Time"];
            /** @description Of the last use */
            last_user_agent: string | null;
            /** @description As ip_address */
            user_agent: string | null;
            user_id: components["schemas"]["UserID"];
        };
        /** @description A UUIDv7. It names the session and is no credential. */
        SessionID: string;
        SessionList: {
            sessions: components["schemas"]["Session"][];
        };
        /** Format: date-time */
        Time: string;
        TokenForm: {
            /** @description The name of the service key, beside client_secret (client_secret_post) */
            client_id?: string;
            /** @description A service key; not beside an Authorization header */
            client_secret?: string;
            token: string;
            /** @description Not needed, and ignored */
            token_type_hint?: string;
        };
        User: {
            email?: string;
            id: components["schemas"]["UserID"];
            image?: string;
            name?: string;
        };
        /** @description 1 to 255 bytes of UTF-8 without control characters and characters that set the direction of text */
        UserID: string;
        VerifierList: {
            /** @description The newest number */
            seq: number;
            /** @description How many are open, at all issuers that share the store */
            streams: number;
            verifiers: {
                /** @description How many events it has not reported yet */
                behind: number;
                /** @description The name of its service key */
                client: string;
                /** @description It has a stream on which it said its name */
                connected: boolean;
                delay_ms: number;
                /**
                 * Format: date-time
                 * @description Absent when it has reported nothing
                 */
                reported_at?: string;
                seq: number;
                verifier: components["schemas"]["VerifierName"];
            }[];
        };
        VerifierName: string;
    };
    responses: {
        /** @description The session, its user, and what is known of its refresh tokens */
        AdminSession: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": {
                    refresh: components["schemas"]["RefreshState"];
                    session: components["schemas"]["Session"];
                    user: components["schemas"]["User"];
                };
            };
        };
        /** @description The token is not one of this issuer */
        AnyUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "token_expired" | "token_invalid" | "refresh_token_invalid" | "session_revoked" | "session_expired" | "session_idle";
                };
            };
        };
        /** @description The request is not well-formed; field names the wrong field if there is one */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "invalid_request";
                };
            };
        };
        /** @description The request is not well-formed */
        BetterBadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "BAD_REQUEST" | "VALIDATION_ERROR" | "NO_FIELDS_TO_UPDATE";
                };
            };
        };
        /** @description The request comes from a page that is not trusted, or the authentication is too long ago */
        BetterForbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "MISSING_OR_NULL_ORIGIN" | "INVALID_ORIGIN" | "CROSS_SITE_REQUEST_BLOCKED" | "SESSION_NOT_FRESH";
                };
            };
        };
        /** @description Too many cookies */
        BetterHeaders: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "REQUEST_HEADER_FIELDS_TOO_LARGE";
                };
            };
        };
        /** @description The issuer has failed */
        BetterInternal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "INTERNAL_SERVER_ERROR";
                };
            };
        };
        /** @description The body is not JSON */
        BetterMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "UNSUPPORTED_MEDIA_TYPE";
                };
            };
        };
        /** @description The path has no such method */
        BetterMethod: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "METHOD_NOT_ALLOWED";
                };
            };
        };
        /** @description The issuer is not called by this name */
        BetterMisdirected: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "MISDIRECTED_REQUEST";
                };
            };
        };
        /** @description Too many failed credentials */
        BetterRateLimited: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "TOO_MANY_REQUESTS";
                };
            };
        };
        /** @description The body is larger than 64 KiB */
        BetterTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "PAYLOAD_TOO_LARGE";
                };
            };
        };
        /** @description Nobody is signed in */
        BetterUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "UNAUTHORIZED";
                };
            };
        };
        /** @description The issuer cannot answer now */
        BetterUnavailable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["BetterError"] & {
                    /** @enum {unknown} */
                    code?: "SERVICE_UNAVAILABLE";
                };
            };
        };
        /** @description The code cannot be claimed */
        ClaimUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "handoff_code_invalid" | "session_revoked";
                };
            };
        };
        /** @description Not possible in the present state */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "conflict" | "session_limit";
                };
            };
        };
        /** @description Done, and durable */
        Done: {
            headers: {
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The session has ended. If it was the caller's, the cookies are cleared. */
        EndedHere: {
            headers: {
                "Set-Cookie"?: string;
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The service key lacks the scope, or the request comes from a page of another origin */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "forbidden";
                };
            };
        };
        /** @description No access token of a live session, or the authentication is too long ago */
        FreshHolderUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "token_expired" | "token_invalid" | "not_fresh" | "session_revoked" | "session_expired" | "session_idle";
                };
            };
        };
        /** @description Too many cookies */
        Headers: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "headers_too_large";
                };
            };
        };
        /** @description No access token of a live session */
        HolderUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "token_expired" | "token_invalid" | "session_revoked" | "session_expired" | "session_idle";
                };
            };
        };
        /** @description An internal error; the log has its cause under request_id */
        Internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "internal_error";
                };
            };
        };
        /** @description The body has the wrong type or is compressed */
        MediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "unsupported_media_type";
                };
            };
        };
        /** @description The request is not well-formed, or the access token would be too large for a cookie; field names the wrong field if there is one */
        MintRefused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "invalid_request" | "access_token_too_large";
                };
            };
        };
        /** @description The issuer is not called by this name */
        Misdirected: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "misdirected_request";
                };
            };
        };
        /** @description There is no such thing, or it is not the caller's */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "not_found";
                };
            };
        };
        /** @description The service key is not known */
        OAuth401: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "invalid_client";
                };
            };
        };
        /** @description The request is not well-formed */
        OAuthBadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "invalid_request";
                };
            };
        };
        /** @description The service key lacks the scope */
        OAuthForbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "insufficient_scope";
                };
            };
        };
        /** @description Too many cookies */
        OAuthHeaders: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "invalid_request";
                };
            };
        };
        /** @description The issuer has failed */
        OAuthInternal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "server_error";
                };
            };
        };
        /** @description The body has the wrong type */
        OAuthMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "invalid_request";
                };
            };
        };
        /** @description The issuer is not called by this name */
        OAuthMisdirected: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "invalid_request";
                };
            };
        };
        /** @description Too many failed credentials from this address */
        OAuthRateLimited: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "temporarily_unavailable";
                };
            };
        };
        /** @description The body is over 64 KiB */
        OAuthTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "invalid_request";
                };
            };
        };
        /** @description The store cannot answer now */
        OAuthUnavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OAuthError"] & {
                    /** @enum {unknown} */
                    error?: "temporarily_unavailable";
                };
            };
        };
        /** @description A page that says what is wrong */
        PageRefused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "text/html": string;
            };
        };
        /** @description Too many failed credentials from this address, or too many streams with this key */
        RateLimited: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "rate_limited";
                };
            };
        };
        /** @description No service key, or the session ends within the second */
        ReauthUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "token_invalid" | "session_idle" | "session_expired";
                };
            };
        };
        /** @description The refresh token cannot be redeemed */
        RefreshUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "refresh_token_invalid" | "refresh_token_reused" | "not_fresh" | "binding_mismatch" | "session_revoked" | "session_expired" | "session_idle";
                };
            };
        };
        /** @description How many sessions have ended */
        Revoked: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": {
                    revoked: number;
                };
            };
        };
        /** @description No service key */
        ServiceUnauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "token_invalid";
                };
            };
        };
        /** @description The session and its user */
        Session: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": {
                    session: components["schemas"]["Session"];
                    user: components["schemas"]["User"];
                };
            };
        };
        /** @description The body is over 64 KiB */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "payload_too_large";
                };
            };
        };
        /** @description The store cannot answer now */
        Unavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {unknown} */
                    code?: "unavailable";
                };
            };
        };
    };
    parameters: {
        adminUserID: components["schemas"]["UserID"];
        code: components["schemas"]["Code"];
        kid: string;
        /** @description How many ended sessions at most */
        limit: number;
        profile: string;
        /** @description Kept with the key */
        reason: string;
        sessionID: components["schemas"]["SessionID"];
        transport: "cookie";
        /** @description Percent-encoded */
        userID: components["schemas"]["UserID"];
        /** @description Required with a service key and refused without */
        userIDFilter: components["schemas"]["UserID"];
    };
    requestBodies: never;
    headers: {
        /** @description RFC 6750 §3 and RFC 9470 §3 */
        Challenge: string;
        /** @description Seconds */
        RetryAfter: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The JWK set (RFC 7517) */
            200: {
                headers: {
                    "Cache-Control": string;
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/jwk-set+json": components["schemas"]["JWKSet"];
                };
            };
            /** @description The caller has these keys */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    getMetadata: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    getOpenIDConfiguration: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    accountStyle: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The style sheet, under a name that changes with it */
            200: {
                headers: {
                    "Cache-Control": string;
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    accountSessions: {
        parameters: {
            query?: {
                /** @description A URL of a trusted origin that the page links back to */
                return_to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    "Content-Security-Policy": string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["PageRefused"];
            401: components["responses"]["PageRefused"];
            413: components["responses"]["PageRefused"];
            415: components["responses"]["PageRefused"];
            421: components["responses"]["PageRefused"];
            429: components["responses"]["PageRefused"];
            431: components["responses"]["PageRefused"];
            500: components["responses"]["PageRefused"];
            503: components["responses"]["PageRefused"];
        };
    };
    accountRevoke: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    id?: components["schemas"]["SessionID"];
                    return_to?: string;
                };
            };
        };
        responses: {
            /** @description Done; the list is at Location */
            303: {
                headers: {
                    Location: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["PageRefused"];
            401: components["responses"]["PageRefused"];
            403: components["responses"]["PageRefused"];
            404: components["responses"]["PageRefused"];
            413: components["responses"]["PageRefused"];
            415: components["responses"]["PageRefused"];
            421: components["responses"]["PageRefused"];
            429: components["responses"]["PageRefused"];
            431: components["responses"]["PageRefused"];
            500: components["responses"]["PageRefused"];
            503: components["responses"]["PageRefused"];
        };
    };
    accountConfirmRevokeAll: {
        parameters: {
            query?: {
                /** @description A URL of a trusted origin that the page links back to */
                return_to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    "Content-Security-Policy": string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["PageRefused"];
            401: components["responses"]["PageRefused"];
            413: components["responses"]["PageRefused"];
            415: components["responses"]["PageRefused"];
            421: components["responses"]["PageRefused"];
            429: components["responses"]["PageRefused"];
            431: components["responses"]["PageRefused"];
            500: components["responses"]["PageRefused"];
            503: components["responses"]["PageRefused"];
        };
    };
    accountRevokeAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    return_to?: string;
                };
            };
        };
        responses: {
            /** @description Done; the list is at Location */
            303: {
                headers: {
                    Location: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["PageRefused"];
            401: components["responses"]["PageRefused"];
            403: components["responses"]["PageRefused"];
            413: components["responses"]["PageRefused"];
            415: components["responses"]["PageRefused"];
            421: components["responses"]["PageRefused"];
            429: components["responses"]["PageRefused"];
            431: components["responses"]["PageRefused"];
            500: components["responses"]["PageRefused"];
            503: components["responses"]["PageRefused"];
        };
    };
    accountRevokeOthers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    return_to?: string;
                };
            };
        };
        responses: {
            /** @description Done; the list is at Location */
            303: {
                headers: {
                    Location: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["PageRefused"];
            401: components["responses"]["PageRefused"];
            403: components["responses"]["PageRefused"];
            413: components["responses"]["PageRefused"];
            415: components["responses"]["PageRefused"];
            421: components["responses"]["PageRefused"];
            429: components["responses"]["PageRefused"];
            431: components["responses"]["PageRefused"];
            500: components["responses"]["PageRefused"];
            503: components["responses"]["PageRefused"];
        };
    };
    adminBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The data file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminListKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminRevokeKey: {
        parameters: {
            query?: {
                /** @description Kept with the key */
                reason?: components["parameters"]["reason"];
            };
            header?: never;
            path: {
                kid: components["parameters"]["kid"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["Done"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminPromoteKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kid: components["parameters"]["kid"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["Done"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminRotateKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pending key */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminReload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What has changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The keys of the configuration whose new values hold now */
                        changed: string[];
                        /** @description The keys whose new values hold only after a restart */
                        restart_needed: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminRevoke: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Mark"];
            };
        };
        responses: {
            204: components["responses"]["Done"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminListSessions: {
        parameters: {
            query: {
                /** @description How many ended sessions at most */
                limit?: components["parameters"]["limit"];
                user_id: components["parameters"]["adminUserID"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminShowSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["sessionID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["AdminSession"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminRevokeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["sessionID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["Done"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminRevokeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded */
                id: components["parameters"]["userID"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RevokeUserOptions"];
            };
        };
        responses: {
            200: components["responses"]["Revoked"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminRevokeUserByBody: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeUserRequest"];
            };
        };
        responses: {
            200: components["responses"]["Revoked"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminListVerifiers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The verifiers, by service key and name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifierList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    betterAuthGetSession: {
        parameters: {
            query?: {
                disableCookieCache?: string;
                disableRefresh?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session and the user; null if nobody is signed in */
            200: {
                headers: {
                    /** @description An access token. The POST leaves it out where the headers have no room for it beside the access cookie. */
                    "Set-Auth-Jwt"?: components["schemas"]["AccessToken"];
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": null | components["schemas"]["BetterIdentity"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthRenewSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description The session and the user; null if nobody is signed in */
            200: {
                headers: {
                    /** @description An access token. The POST leaves it out where the headers have no room for it beside the access cookie. */
                    "Set-Auth-Jwt"?: components["schemas"]["AccessToken"];
                    /** @description The next refresh token, if the one that was redeemed is the bearer token */
                    "Set-Auth-Token"?: components["schemas"]["RefreshToken"];
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": null | components["schemas"]["BetterIdentity"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthGetKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The JWK set (RFC 7517) */
            200: {
                headers: {
                    "Cache-Control": string;
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JWKSet"];
                };
            };
            /** @description The caller has these keys */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BetterBadRequest"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
        };
    };
    betterAuthListSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BetterListed"][];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthOK: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The routes answer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        ok: true;
                    };
                };
            };
            400: components["responses"]["BetterBadRequest"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
        };
    };
    betterAuthRevokeAllSessionsByGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BetterStatus"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            405: components["responses"]["BetterMethod"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthRevokeAllSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BetterStatus"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthRevokeOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BetterStatus"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthRevokeSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BetterNamed"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BetterStatus"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthRevokeSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BetterStatus"];
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthSignOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Signed out */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                    };
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The access token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        token: components["schemas"]["AccessToken"];
                    };
                };
            };
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    betterAuthUpdateSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            400: components["responses"]["BetterBadRequest"];
            401: components["responses"]["BetterUnauthorized"];
            403: components["responses"]["BetterForbidden"];
            413: components["responses"]["BetterTooLarge"];
            415: components["responses"]["BetterMediaType"];
            421: components["responses"]["BetterMisdirected"];
            429: components["responses"]["BetterRateLimited"];
            431: components["responses"]["BetterHeaders"];
            500: components["responses"]["BetterInternal"];
            503: components["responses"]["BetterUnavailable"];
        };
    };
    adminProfiles: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adminProfile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                profile: components["parameters"]["profile"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process is alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    introspect: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenForm"];
            };
        };
        responses: {
            /** @description Whether the token is valid, and its claims */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Introspection"];
                };
            };
            400: components["responses"]["OAuthBadRequest"];
            401: components["responses"]["OAuth401"];
            403: components["responses"]["OAuthForbidden"];
            413: components["responses"]["OAuthTooLarge"];
            415: components["responses"]["OAuthMediaType"];
            421: components["responses"]["OAuthMisdirected"];
            429: components["responses"]["OAuthRateLimited"];
            431: components["responses"]["OAuthHeaders"];
            500: components["responses"]["OAuthInternal"];
            503: components["responses"]["OAuthUnavailable"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenForm"];
            };
        };
        responses: {
            /** @description The session, if there was one, has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["OAuthBadRequest"];
            401: components["responses"]["OAuth401"];
            403: components["responses"]["OAuthForbidden"];
            413: components["responses"]["OAuthTooLarge"];
            415: components["responses"]["OAuthMediaType"];
            421: components["responses"]["OAuthMisdirected"];
            429: components["responses"]["OAuthRateLimited"];
            431: components["responses"]["OAuthHeaders"];
            500: components["responses"]["OAuthInternal"];
            503: components["responses"]["OAuthUnavailable"];
        };
    };
    getOpenAPI: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": Record<string, never>;
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    getProblem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: components["parameters"]["code"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its meaning */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProblemKind"];
                };
            };
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Requests can be served */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            /** @description Requests cannot be served */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    getRevocations: {
        parameters: {
            query?: {
                /** @description A new value for each request. The issuer does not look at it */
                nonce?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshot, at most a second old */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jwt": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    reportApplied: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Applied"];
            };
        };
        responses: {
            204: components["responses"]["Done"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getRevocationKeys: {
        parameters: {
            query?: {
                /** @description A new value for each request. The issuer does not look at it */
                nonce?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key set */
            200: {
                headers: {
                    "Cache-Control": "no-store";
                    Vary: "*";
                    [name: string]: unknown;
                };
                content: {
                    "application/jwk-set+json": components["schemas"]["JWKSet"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    followRevocations: {
        parameters: {
            query?: {
                /** @description The same */
                after?: number;
                /** @description A new value for each request. The issuer does not look at it */
                nonce?: string;
                /** @description The name of the client in its reports */
                verifier?: components["schemas"]["VerifierName"];
            };
            header?: {
                /** @description The number of the last event that the client has; takes precedence over after */
                "Last-Event-ID"?: number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream */
            200: {
                headers: {
                    "Cache-Control": "no-store, no-transform";
                    "X-Accel-Buffering": "no";
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Session"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["HolderUnauthorized"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["EndedHere"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["AnyUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    claim: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClaimRequest"];
            };
        };
        responses: {
            /** @description The session; its tokens are in cookies */
            200: {
                headers: {
                    "Set-Cookie": string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refreshed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ClaimUnauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description New tokens */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refreshed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["RefreshUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description Required with a service key and refused without */
                user_id?: components["parameters"]["userIDFilter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["HolderUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    mint: {
        parameters: {
            query?: {
                transport?: components["parameters"]["transport"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MintRequest"];
            };
        };
        responses: {
            /** @description The session and its tokens */
            201: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Minted"] | components["schemas"]["HandedOff"];
                };
            };
            400: components["responses"]["MintRefused"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    showSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["sessionID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Session"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["HolderUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["sessionID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["EndedHere"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["HolderUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    reauthenticate: {
        parameters: {
            query?: {
                transport?: components["parameters"]["transport"];
            };
            header?: never;
            path: {
                id: components["parameters"]["sessionID"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReauthRequest"];
            };
        };
        responses: {
            /** @description The session and a new access token */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reauthenticated"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ReauthUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Nothing"];
            };
        };
        responses: {
            200: components["responses"]["Revoked"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["FreshHolderUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeOthers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Nothing"];
            };
        };
        responses: {
            200: components["responses"]["Revoked"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["HolderUnauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Percent-encoded */
                id: components["parameters"]["userID"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RevokeUserOptions"];
            };
        };
        responses: {
            200: components["responses"]["Revoked"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeUserByBody: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeUserRequest"];
            };
        };
        responses: {
            200: components["responses"]["Revoked"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["ServiceUnauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["MediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["Headers"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
}
