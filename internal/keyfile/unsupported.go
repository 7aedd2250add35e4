//go:build !unix

package keyfile

import "io/fs"

const openFlags = 0

func ownerOf(fs.FileInfo) (user, group int) {
	return the_issuer_does_not_run_on_this_system_only_on_Linux_macOS_and_the_BSDs
}
