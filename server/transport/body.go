package transport

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// body reads the request's envelope: out of the URL for GET, out of the body
// for POST. Neither works for a form or link of a foreign page (CSRF): a body
// must be JSON, and GET must carry a header that makes browsers ask first.
func body(s *Server, x *exchange) *refusal {
	if x.r.Method == http.MethodGet {
		x.safe = true
		if !preflighted(x.r.Header) {
			return &refusal{
				status: http.StatusBadRequest, code: codeCSRF,
				message: "GET 请求须带 X-Client-Id 或 Apollo-Require-Preflight 请求头，以防跨站请求伪造",
			}
		}
		return x.envelope.parseURL(x.r.URL.RawQuery)
	}
	if refused := checkContentType(x.r.Header["Content-Type"]); refused != nil {
		return refused
	}
	control := http.NewResponseController(x.w)
	_ = control.SetReadDeadline(x.started.Add(bodyTimeout)) // not every writer has one
	refused := s.read(x)
	if refused != nil {
		return refused
	}
	_ = control.SetReadDeadline(time.Time{}) // else it would end what runs now
	return x.envelope.parse(x.buffer)
}

// bodyTimeout is how long a client may take to send its request.
const bodyTimeout = 30 * time.Second

// preflighted says whether the request has a header that a browser sends to
// another site only after a CORS preflight.
func preflighted(header http.Header) bool {
	for _, name := range [...]string{"X-Client-Id", "Apollo-Require-Preflight", "X-Apollo-Operation-Name", "Graphql-Require-Preflight"} {
		if len(header[name]) > 0 && header[name][0] != "" {
			return true
		}
	}
	if values := header["Content-Type"]; len(values) == 1 && values[0] != "" {
		name, _, err := mime.ParseMediaType(values[0])
		return err == nil && name != "text/plain" && name != "multipart/form-data" && name != "application/x-www-form-urlencoded"
	}
	return false
}

func checkContentType(values []string) *refusal {
	refused := &refusal{
		status: http.StatusUnsupportedMediaType, code: codeMediaType,
		message: "POST 请求的 Content-Type 须是 application/json（UTF-8）",
	}
	if len(values) != 1 {
		return refused
	}
	if values[0] == "application/json" {
		return nil
	}
	name, parameters, err := mime.ParseMediaType(values[0])
	if err != nil || name != "application/json" {
		return refused
	}
	if charset, given := parameters["charset"]; given && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		return refused
	}
	return nil
}

// read reads the body into x.buffer, unpacked, and never more than MaxBody.
func (s *Server) read(x *exchange) *refusal {
	if x.r.ContentLength > s.MaxBody {
		return s.tooLarge(x)
	}
	var source io.Reader = http.MaxBytesReader(x.w, x.r.Body, s.MaxBody)
	switch encoding := x.r.Header["Content-Encoding"]; {
	case len(encoding) == 0 || len(encoding) == 1 && (encoding[0] == "" || encoding[0] == "identity"):
	case len(encoding) == 1 && strings.EqualFold(encoding[0], "gzip"):
		unpacker := unpackers.Get().(*gzip.Reader)
		defer unpackers.Put(unpacker)
		if err := unpacker.Reset(source); err != nil {
			return s.unreadable(x, err)
		}
		source = unpacker
	default:
		return &refusal{status: http.StatusUnsupportedMediaType, code: codeMediaType, message: "Content-Encoding 只支持 gzip"}
	}
	return s.fill(x, source)
}

var unpackers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// fill reads source to its end into x.buffer.
func (s *Server) fill(x *exchange, source io.Reader) *refusal {
	buffer := x.buffer[:0]
	if length := x.r.ContentLength; length >= int64(cap(buffer)) {
		buffer = make([]byte, 0, length+1) // at most MaxBody; one more to meet the end
	}
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := source.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		x.buffer = buffer
		switch {
		case int64(len(buffer)) > s.MaxBody:
			return s.tooLarge(x)
		case err == io.EOF:
			return nil
		case err != nil:
			return s.unreadable(x, err)
		}
	}
}

func (s *Server) unreadable(x *exchange, err error) *refusal {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return s.tooLarge(x)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		x.w.Header()["Connection"] = closing
		return &refusal{status: http.StatusRequestTimeout, code: codeTimeout, message: "请求体发送超时"}
	}
	return &refusal{status: http.StatusBadRequest, code: codeBadRequest, message: "请求体不完整或压缩格式有误"}
}

func (s *Server) tooLarge(x *exchange) *refusal {
	x.w.Header()["Connection"] = closing // the rest is not read
	return &refusal{
		status: http.StatusRequestEntityTooLarge, code: codeTooLarge,
		message: fmt.Sprintf("请求体超过 %d KB", s.MaxBody>>10),
	}
}
