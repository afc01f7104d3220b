package transport

import (
	"net/http"
	"strconv"
)

// health is the endpoint /health: 200 when requests can be served, else 503
// with the reason's kind. What exactly is wrong stands in the log.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	status, body := http.StatusOK, `{"status":"ok"}`
	switch err := s.ready(); {
	case s.streams.draining():
		status, body = http.StatusServiceUnavailable, `{"status":"draining"}`
	case err != nil:
		status, body = http.StatusServiceUnavailable, `{"status":"unavailable"}`
		s.Logger.WarnContext(r.Context(), "not healthy", "error", err)
	}
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Cache-Control"] = noStore
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func (s *Server) ready() error {
	if s.Ready == nil {
		return nil
	}
	return s.Ready()
}
