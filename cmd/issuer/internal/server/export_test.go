package server

import "time"

// ShortenTimeouts divides the timeouts of the public listener by n. Call it before Run.
func (s *Server) ShortenTimeouts(n int) {
	public := s.public.server
	for _, timeout := range []*time.Duration{&public.ReadHeaderTimeout, &public.ReadTimeout, &public.WriteTimeout} {
		*timeout /= time.Duration(n)
	}
}
