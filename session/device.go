package session

import "github.com/mileusna/useragent"

// DeviceName names the browser and the system of a user agent for people, as in "Firefox on
// Linux"; "" if neither is recognised.
func DeviceName(userAgent string) string {
	if userAgent == "" {
		return ""
	}
	ua := useragent.Parse(userAgent)
	switch {
	case ua.Name != "" && ua.OS != "":
		return ua.Name + " on " + ua.OS
	case ua.Name != "":
		return ua.Name
	default:
		return ua.OS
	}
}
