package revocation

import "strconv"

// The names of the stream's events.
const (
	// FrameRevoked has a signed [Event] as data, and its number as id.
	FrameRevoked = "revoked"
	// FrameAlive has a signed [Alive] as data.
	FrameAlive = "alive"
	// FrameGone means that the resume point was purged or has never been reached: the
	// reader fetches the snapshot. Its data is an empty JSON object.
	FrameGone = "gone"
)

// AppendFrame appends a frame of Server-Sent Events (WHATWG HTML §9.2.6) to dst. With an id
// of 0 the frame has none. The event and the data must not contain a line break.
func AppendFrame(dst []byte, id uint64, event, data string) []byte {
	if id != 0 {
		dst = strconv.AppendUint(append(dst, "id: "...), id, 10)
		dst = append(dst, '\n')
	}
	dst = append(append(dst, "event: "...), event...)
	dst = append(append(dst, "\ndata: "...), data...)
	return append(dst, "\n\n"...)
}

// AppendComment appends a comment, which readers ignore. It keeps proxies from closing an
// idle connection.
func AppendComment(dst []byte, text string) []byte {
	return append(append(append(dst, ": "...), text...), "\n\n"...)
}
