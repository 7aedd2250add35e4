package session

import (
	"regexp"
	"strings"

	"github.com/mileusna/useragent"
)

// DeviceName names the browser or app and the system of a user agent for people, as in
// "Firefox on Linux"; "" if neither is recognised. What a user agent does not tell apart is
// named by what it has in common: Safari says on an iPad that it runs on a Mac.
func DeviceName(userAgent string) string {
	if userAgent == "" {
		return ""
	}
	ua := useragent.Parse(userAgent)
	if strings.Contains(userAgent, "iPod") { // which the library does not know
		ua.OS = useragent.IOS
	}
	browser, system := browserName(ua), systemName(ua)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	default:
		return system
	}
}

// The names of what the library does not tell apart.
const (
	webView = "WebView" // a page inside an app
	webKit  = "WebKit"  // an engine that several browsers and apps on Linux use
	ipadOS  = "iPadOS"
)

// mobileWebKit are the products that browsers and apps on iOS and iPadOS name, and nobody else.
var mobileWebKit = regexp.MustCompile(`\b(CriOS|FxiOS|EdgiOS|OPiOS|OPT|GSA|FBIOS|Mobile)/`)

func systemName(ua useragent.UserAgent) string {
	switch {
	case strings.Contains(ua.String, "iPad"):
		return ipadOS
	case ua.OS == useragent.MacOS && mobileWebKit.MatchString(ua.String):
		return ipadOS
	case ua.OS == useragent.MacOS && isAppleWebKit(ua):
		return ua.OS + " or " + ipadOS
	default:
		return ua.OS
	}
}

// isAppleWebKit reports whether a user agent is of Safari or of a web view of Apple's systems,
// not of a browser with an engine of its own.
func isAppleWebKit(ua useragent.UserAgent) bool {
	return strings.Contains(ua.String, "AppleWebKit/") && !strings.Contains(ua.String, "Chrome/")
}

// product is the name of a product as RFC 9110 has it, as far as it is fit to be shown.
var product = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,39}$`)

// browserName is the name of the browser, app or library; "" if there is none.
func browserName(ua useragent.UserAgent) string {
	has := func(text string) bool { return strings.Contains(ua.String, text) }
	switch ua.Name {
	case useragent.Chrome:
		if ua.OS == useragent.Android && (has("; wv)") || has("Version/")) {
			return webView
		}
	case useragent.Safari:
		return safariName(ua)
	case "Dalvik", useragent.Android:
		return ""
	case "Trident":
		return useragent.InternetExplorer
	case useragent.SamsungBrowser, useragent.OperaMini, useragent.OperaTouch, useragent.FacebookApp, useragent.InstagramApp,
		useragent.TiktokApp, "Miui Browser", "Huawei Browser", useragent.HeadlessChrome, useragent.InternetExplorer:
	default:
		if isPlatform(ua.Name) {
			return engineName(ua)
		}
		if !product.MatchString(ua.Name) {
			return ""
		}
	}
	return ua.Name
}

// safariName tells Safari from what names it for compatibility.
func safariName(ua useragent.UserAgent) string {
	switch {
	case strings.Contains(ua.String, "GSA/"):
		return "Google App"
	case strings.Contains(ua.String, "DuckDuckGo/"), strings.Contains(ua.String, "Ddg/"):
		return "DuckDuckGo"
	case ua.OS == useragent.Linux:
		return webKit
	case ua.OS == useragent.Android || !strings.Contains(ua.String, "Version/"):
		return webView
	}
	return ua.Name
}

// engineName names what has no product but the engine.
func engineName(ua useragent.UserAgent) string {
	switch {
	case !strings.Contains(ua.String, "AppleWebKit/"):
		return ""
	case ua.OS == useragent.IOS, ua.OS == useragent.MacOS, ua.OS == useragent.Android:
		return webView
	case ua.OS == useragent.Linux:
		return webKit
	}
	return ""
}

// isPlatform reports whether a name is that of a device or a system, which the library gives to
// a user agent without a product.
func isPlatform(name string) bool {
	switch name {
	case "", "iPhone", "iPad", "iPod", "iPod touch", "X11", "Macintosh", "Mozilla", "AppleWebKit", "Mobile":
		return true
	}
	return strings.Contains(name, "Mac OS X") || strings.Contains(name, "/")
}
