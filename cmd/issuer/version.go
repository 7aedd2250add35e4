package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// versionCommand prints what this binary was built from.
func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the revision and the Go release of this binary",
		Args:  exactArgs(0),
		RunE: a.action(func(context.Context, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("the binary holds no build information")
			}
			fmt.Fprintln(a.stdout, describeBuild(info))
			return nil
		}),
	}
}

// describeBuild returns one line, such as
// "issuer v1.2.3 (4f5e6d7, 2026-01-02T03:04:05Z), go1.26.0".
func describeBuild(info *debug.BuildInfo) string {
	var from []string
	if rev := buildSetting(info, "vcs.revision"); rev != "" {
		from = append(from, rev[:min(len(rev), 12)])
	}
	if at := buildSetting(info, "vcs.time"); at != "" {
		from = append(from, at)
	}
	if buildSetting(info, "vcs.modified") == "true" {
		from = append(from, "modified")
	}
	text := filepath.Base(os.Args[0]) + " " + info.Main.Version
	if len(from) > 0 {
		text += " (" + strings.Join(from, ", ") + ")"
	}
	return text + ", " + info.GoVersion
}

// buildSetting returns a setting of the build, "" when it is not recorded.
func buildSetting(info *debug.BuildInfo, key string) string {
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == key })
	if i < 0 {
		return ""
	}
	return info.Settings[i].Value
}

// buildTime returns the time of the commit that the program was built from, the zero time
// when that is not recorded.
func buildTime() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, buildSetting(info, "vcs.time"))
	if err != nil {
		return time.Time{}
	}
	return at
}
