// Package file opens, creates and checks the file of a bbolt database, without bbolt where
// that trusts what it reads.
//
// It knows how bbolt lays out a file: two headers, and pages that form one tree. It knows
// nothing of what the buckets hold.
package file
