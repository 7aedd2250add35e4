"""Authentication with access tokens of the issuer.

Routes use `dependencies`. `verifier` decides which tokens are valid, with the issuer's keys
(`keys`) and the list of revoked sessions (`ledger`). `feed` keeps the list up to date, as
docs/feed.md of the issuer specifies.
"""
