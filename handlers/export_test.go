package handlers

import "time"

// Routes lists what is routed at a listener, as "METHOD /path/{param}".
func Routes(s *Server, public bool) []string {
	if public {
		return s.current.Load().public.Routes()
	}
	return s.current.Load().admin.Routes()
}

// SetFrameTimeout sets how long a reader of the stream may take for the frames that are sent at once.
func SetFrameTimeout(cfg *Config, d time.Duration) { cfg.frameTimeout = d }
