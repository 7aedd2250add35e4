package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// exchange writes bytes to a new connection and returns the status of each answer until the
// server closes it.
func exchange(t *testing.T, address net.Addr, pieces ...string) (statuses []int) {
	t.Helper()
	conn := dial(t, address)
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for i, piece := range pieces {
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
		if i < len(pieces)-1 {
			statuses = append(statuses, readAnswer(t, r))
		}
	}
	for {
		if _, err := r.Peek(1); err != nil {
			return statuses
		}
		statuses = append(statuses, readAnswer(t, r))
	}
}

func readAnswer(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

// H01: a request whose end a proxy could see elsewhere is answered once. Then its connection
// is closed, and what follows it is never answered as a second request. Other requests keep
// their connection.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	const (
		chunked = "2\r\n{}\r\n0\r\n\r\n"
		hidden  = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
		last    = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
		plain   = "POST /v1/session/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	)
	post := func(version, headers string) string {
		return "POST /v1/session/refresh HTTP/" + version + "\r\nHost: localhost\r\nContent-Type: application/json\r\n" + headers + "\r\n"
	}
	both := post("1.1", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + chunked + hidden
	long := strings.Repeat("X-Padding: "+strings.Repeat("x", 1000)+"\r\n", 12)
	for name, tt := range map[string]struct {
		pieces []string
		want   []int
	}{
		// net/http hides the Content-Length of these: the answer is that of a chunked request.
		"length first":              {[]string{both}, []int{401}},
		"coding first":              {[]string{post("1.1", "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n") + chunked + hidden}, []int{401}},
		"in another case":           {[]string{post("1.1", "cONTENT-lENGTH: 2\r\ntRANSFER-eNCODING: CHUNKED\r\n") + chunked + hidden}, []int{401}},
		"bare line feeds":           {[]string{strings.ReplaceAll(post("1.1", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"), "\r\n", "\n") + chunked + hidden}, []int{401}},
		"a long header between":     {[]string{post("1.1", "Content-Length: 2\r\n"+long+"Transfer-Encoding: chunked\r\n") + chunked + hidden}, []int{401}},
		"the length of everything":  {[]string{post("1.1", "Content-Length: "+strconv.Itoa(len(chunked+hidden))+"\r\nTransfer-Encoding: chunked\r\n") + chunked + hidden}, []int{401}},
		"the second request":        {[]string{plain, both}, []int{401, 401}},
		"behind a stray line break": {[]string{plain, "\r\n" + both}, []int{401, 401}},
		"in one go with the first":  {[]string{plain + both}, []int{401, 401}},
		"read in two parts":         {[]string{plain + torn(len(plain), both)}, []int{401, 401}},
		"no resource":               {[]string{strings.Replace(both, "POST /v1/session/refresh", "OPTIONS *", 1)}, []int{404}},
		"HTTP/2.0 without frames":   {[]string{strings.Replace(post("2.0", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"), "POST /v1/session/refresh", "PRI *", 1) + chunked + hidden}, []int{404}},
		"chunked alone":             {[]string{post("1.1", "Transfer-Encoding: chunked\r\n") + chunked + hidden}, []int{401}},
		"chunked, in one go":        {[]string{plain + post("1.1", "Transfer-Encoding: chunked\r\n") + chunked + hidden}, []int{401, 401}},
		"a body that is not read":   {[]string{strings.Replace(both, "POST /v1/session/refresh", "POST /healthz", 1)}, []int{405}},

		// net/http hides the Transfer-Encoding of these.
		"HTTP/1.0":               {[]string{post("1.0", "Connection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n") + "{}" + hidden}, []int{401}},
		"HTTP/1.0, coding alone": {[]string{post("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n") + chunked + hidden}, []int{401}},
		"HTTP/1.0, length alone": {[]string{post("1.0", "Connection: keep-alive\r\nContent-Length: 2\r\n") + "{}" + hidden}, []int{401}},
		"HTTP/1.0, no body":      {[]string{"GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n" + hidden}, []int{200}},

		// H11: net/http joins a folded line with the one before, as RFC 9112 §5.2 has it. What
		// is folded into the framing still counts, and what is folded away from it does not.
		"a folded coding":                {[]string{post("1.1", "Transfer-Encoding:\r\n chunked\r\n") + chunked + hidden}, []int{401}},
		"a folded coding and a length":   {[]string{post("1.1", "Transfer-Encoding:\r\n\tchunked\r\nContent-Length: 2\r\n") + chunked + hidden}, []int{401}},
		"a coding folded into a length":  {[]string{post("1.1", "Content-Length: 2\r\n Transfer-Encoding: chunked\r\n") + chunked + hidden}, []int{400}},
		"a length folded into a coding":  {[]string{post("1.1", "Transfer-Encoding: chunked\r\n Content-Length: 2\r\n") + chunked + hidden}, []int{501}},
		"a coding folded into another":   {[]string{post("1.1", "X-Folded: a\r\n Transfer-Encoding: chunked\r\n") + chunked + hidden}, []int{401, 400}},
		"a folded line before a length":  {[]string{post("1.1", "X-Folded: a\r\n b\r\nContent-Length: 2\r\n") + "{}" + last}, []int{401, 200}},
		"a folded line behind a length":  {[]string{plain, post("1.1", "Content-Length: 2\r\nX-Folded:\r\n\tb\r\n") + "{}" + last}, []int{401, 401, 200}},
		"a folded line in the first one": {[]string{"GET /healthz HTTP/1.1\r\n X: a\r\nHost: localhost\r\n\r\n" + hidden}, []int{400}},

		// The length of these is certain: the connection goes on.
		"a body with indents": {[]string{post("1.1", "Content-Length: 6\r\n") + "{\n  \n}", hidden + hidden + last}, []int{401, 200, 200, 200}},
		"indents, in one go":  {[]string{plain + post("1.1", "Connection: close\r\nContent-Length: 6\r\n") + "{\n  \n}"}, []int{401, 401}},
		"length alone":        {[]string{plain, plain, last}, []int{401, 401, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			for listener, address := range map[string]net.Addr{"public": s.PublicAddr(), "admin": s.AdminAddr()} {
				want := fmt.Sprint(tt.want)
				if listener == "admin" { // which has no such route
					want = strings.ReplaceAll(want, "401", "404")
				}
				if got := fmt.Sprint(exchange(t, address, tt.pieces...)); got != want {
					t.Errorf("%s: answers %s, want %s", listener, got, want)
				}
			}
		})
	}
}

// torn returns a padded request for sending behind that many bytes. net/http reads 4,096 bytes
// at a time, and the part of the request that begins the second read looks like a whole one.
func torn(behind int, request string) string {
	line, rest, _ := strings.Cut(request, "\r\n")
	length, rest, _ := strings.Cut(strings.TrimPrefix(rest, "Host: localhost\r\n"), "Transfer-Encoding")
	begins := line + "\r\nHost: localhost\r\n" + length + "X-Padding: "
	return begins + strings.Repeat("x", 4096-behind-len(begins)) + line + "\r\nTransfer-Encoding" + rest
}

// A client that sends its next request as soon as it has an answer gets a correct answer,
// chunked or not.
func TestChunkedRightAfterAnother(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	const (
		first   = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
		chunked = "POST /v1/session/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
	)
	for range 300 {
		if got := fmt.Sprint(exchange(t, s.PublicAddr(), first, first, chunked)); got != "[200 200 401]" {
			t.Fatalf("answers %s", got)
		}
	}
}
