package dispatch

import (
	"bytes"
)

// heading is what matters of a reply's status line and headers.
type heading struct {
	status  int
	length  int // -1 when not told
	chunked bool
	close   bool
	json    bool
	encoded bool
}

func (h *heading) parse(b []byte) error {
	*h = heading{length: -1}
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return errProtocol
	}
	h.close = line[7] == '0'
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return errProtocol
		}
		h.status = h.status*10 + int(c-'0')
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return errProtocol
		}
		if err := h.header(line[:colon], bytes.Trim(line[colon+1:], " \t")); err != nil {
			return err
		}
	}
	if h.chunked && h.length >= 0 {
		return errProtocol // the two together are how replies are smuggled
	}
	return nil
}

func (h *heading) header(name, value []byte) error {
	switch {
	case is(name, "content-length"):
		n := 0
		if len(value) == 0 || len(value) > 10 {
			return errProtocol
		}
		for _, c := range value {
			if c < '0' || c > '9' {
				return errProtocol
			}
			n = n*10 + int(c-'0')
		}
		if h.length >= 0 && h.length != n {
			return errProtocol
		}
		h.length = n
	case is(name, "transfer-encoding"):
		if !is(value, "chunked") {
			return errProtocol
		}
		h.chunked = true
	case is(name, "connection"):
		if is(value, "close") {
			h.close = true
		} else if is(value, "keep-alive") {
			h.close = false
		}
	case is(name, "content-type"):
		h.json = bytes.Contains(value, []byte("json"))
	case is(name, "content-encoding"):
		h.encoded = !is(value, "identity")
	}
	return nil
}

// is compares without regard to case; lower is in lower case.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
