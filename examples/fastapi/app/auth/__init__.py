"""Who is asking: access tokens, the issuer's keys, and the sessions that have ended.

`dependencies` is what routes use. `verifier` says which tokens are good: it holds the
issuer's keys (`keys`), and the list of revoked sessions (`ledger`), which `feed` keeps up to
date as docs/feed.md of the issuer says.
"""
