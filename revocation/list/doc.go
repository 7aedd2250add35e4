// Package list is what a verifier holds of the revocations that an issuer publishes:
// [Set] answers whether a session is revoked, and [FrameReader] reads the stream by which
// a set is kept up to date. The messages in the frames are those of package revocation.
package list
