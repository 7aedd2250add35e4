// Package refresh is the refresh protocol without its storage: refresh tokens, hand-off
// codes and the redeem table. All of it is pure: it reads no clock and no store.
package refresh
