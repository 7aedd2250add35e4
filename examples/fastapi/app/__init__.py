"""A FastAPI service that accepts the access tokens of an issuer."""
