//go:build !linux

package bolt

// dropCache does nothing: other systems have no way to ask for it.
func dropCache(string) error { return nil }
