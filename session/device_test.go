package session_test

import (
	"testing"

	"issuer.example/session"
)

// A device is named by what it certainly is.
func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"": "",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                            "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36":                   "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.56": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36":             "Chrome on macOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0":                                              "Firefox on macOS",
		"Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko":                                                                    "Internet Explorer on Windows",

		// iPhones.
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":                 "Safari on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1":          "Chrome on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 EdgiOS/126.0 Mobile/15E148 Safari/605.1.15": "Edge on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/320.0.6 Mobile/15E148 Safari/604.1":                  "Google App on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15": "DuckDuckGo on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148":                                           "WebView on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.38.108]":        "Facebook App on iOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MyShop/3.1":                                "MyShop on iOS",
		"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/16A366":                                       "WebView on iOS",

		// iPads, some of which say that they are Macs.
		"Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1":               "Safari on iPadOS",
		"Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148":                                         "WebView on iPadOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15":                        "Safari on macOS or iPadOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.111 Version/11.1.1 Safari/605.1.15": "Chrome on iPadOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148":                                       "WebView on iPadOS",

		// Android.
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                                                 "Chrome on Android",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36":                             "Samsung Browser on Android",
		"Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0":                                                                                            "Firefox on Android",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A.230803.041; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36": "WebView on Android",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/469.0.0]":    "Facebook App on Android",
		"Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A.240205.002)":                                                                                              "Android",

		// Tauri and Electron.
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)":              "WebView on macOS or iPadOS",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15": "WebKit on Linux",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko)":                              "WebKit on Linux",
		"tauri-plugin-http/2.0.1": "tauri-plugin-http",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) MyApp/1.0.0 Chrome/120.0.6099.291 Electron/28.2.5 Safari/537.36": "MyApp on Windows",

		// HTTP libraries.
		"okhttp/4.12.0": "okhttp",
		"MyApp/7 CFNetwork/1494.0.7 Darwin/23.4.0":    "MyApp",
		"My%20App/7 CFNetwork/1494.0.7 Darwin/23.4.0": "",
		"python-requests/2.31.0":                      "python-requests",
		"Python/3.11 aiohttp/3.9.5":                   "Python",
		"python-httpx/0.27.0":                         "python-httpx",
		"Go-http-client/2.0":                          "Go-http-client",
		"axios/1.7.2":                                 "axios",
		"node":                                        "node",
		"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)": "node-fetch",
		"undici":                "undici",
		"Dart/3.4 (dart:io)":    "Dart",
		"curl/8.5.0":            "curl",
		"Wget/1.21.4":           "Wget",
		"PostmanRuntime/7.39.0": "PostmanRuntime",
		"Java/17.0.11":          "Java",
		"Apache-HttpClient/4.5.14 (Java/17.0.11)": "Apache-HttpClient",
		"reqwest/0.12.5": "reqwest",
		"GuzzleHttp/7":   "GuzzleHttp",

		// What says nothing, or is meant to be read by people.
		"Mozilla/5.0":            "",
		"iPhone":                 "iOS",
		"This is your own phone": "",
		"\u202eYour bank/1.0":    "",
		"<b>x</b>/1.0":           "",
	} {
		if got := session.DeviceName(agent); got != want {
			t.Errorf("%s\nis %q, want %q", agent, got, want)
		}
	}
}
