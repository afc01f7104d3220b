package transport

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Values of headers that are the same for every answer; nobody may change them.
var (
	jsonType     = []string{"application/json; charset=utf-8"}
	responseType = []string{"application/graphql-response+json; charset=utf-8"}
	eventsType   = []string{"text/event-stream; charset=utf-8"}
	noStore      = []string{"no-store"}
	noSniff      = []string{"nosniff"}
	varyAccept   = []string{"Accept"}
	gzipped      = []string{"gzip"}
	closing      = []string{"close"}
)

// write sends a whole answer in one piece.
func (s *Server) write(x *exchange, status int, body []byte) {
	header := x.w.Header()
	if s.Compress && len(body) > worthPacking && acceptsGzip(x.r) {
		packed := pack(body)
		defer packed.release()
		header["Content-Encoding"] = gzipped
		header.Add("Vary", "Accept-Encoding")
		body = packed.buffer.Bytes()
	}
	x.send(status, body)
}

// answerTimeout is how long a client may take to read an answer.
const answerTimeout = 2 * time.Minute

// send writes head and body.
func (x *exchange) send(status int, body []byte) {
	header := x.w.Header()
	if x.media == mediaResponse {
		header["Content-Type"] = responseType
	} else {
		header["Content-Type"] = jsonType
	}
	header["X-Content-Type-Options"] = noSniff
	if x.r.Method == http.MethodGet {
		header["Cache-Control"] = noStore
		header["Vary"] = append(header["Vary"], varyAccept...)
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.status, x.written = status, true
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(answerTimeout)) // not every writer has one
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // the client is gone: nobody is left to be told
}

// refuse sends a refusal.
func (x *exchange) refuse(r *refusal) {
	if x.written {
		return
	}
	header := x.w.Header()
	if r.retryAfter > 0 {
		header["Retry-After"] = []string{strconv.FormatInt(seconds(r.retryAfter), 10)}
	}
	if r.allow != "" {
		header["Allow"] = []string{r.allow}
	}
	switch r.status {
	case http.StatusUnauthorized:
		header["Www-Authenticate"] = []string{"Bearer"}
	case http.StatusUnsupportedMediaType:
		header["Accept-Encoding"] = gzipped
	}
	if r.code == codeDraining {
		header["Connection"] = closing
	}
	status := r.status
	if r.wellFormed && x.media == mediaJSON {
		status = http.StatusOK
	}
	x.errors = r.count()
	x.send(status, r.body(make([]byte, 0, 512)))
}

// appendErrors appends errors that the engine found; they carry only what a
// client may see.
func appendErrors(to []byte, list gqlerror.List) []byte {
	encoded, err := json.Marshal(list)
	if err != nil { // an extension that is no JSON
		return internal().list(to)
	}
	return append(to, encoded...)
}
