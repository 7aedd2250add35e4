// Package move copies all that a store holds into a new one, and reads it back to compare.
package move
