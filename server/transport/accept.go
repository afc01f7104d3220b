package transport

import (
	"net/http"
	"strconv"
	"strings"
)

// qualities are the media types of an Accept header, or the encodings of
// Accept-Encoding, with their q.
type qualities map[string]float64

// parseAccept reads the lines of such a header. Media types in another charset
// than UTF-8 are left out: we could not serve them.
func parseAccept(lines []string) qualities {
	found := qualities{}
	for _, line := range lines {
		for entry := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(entry, ";")
			if q, ok := parseQuality(parameters); ok {
				name = strings.ToLower(strings.TrimSpace(name))
				found[name] = max(q, found[name])
			}
		}
	}
	return found
}

// parseQuality reads q out of an entry's parameters: 1 if there is none, 0 if
// it is wrong. ok is false for another charset than UTF-8.
func parseQuality(parameters string) (q float64, ok bool) {
	q = 1
	for parameter := range strings.SplitSeq(parameters, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch strings.ToLower(key) {
		case "q":
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				parsed = 0
			}
			q = parsed
		case "charset":
			if !strings.EqualFold(strings.Trim(value, `"`), "utf-8") {
				return 0, false
			}
		}
	}
	return q, true
}

// of is the q of the first name that is listed: give the exact name first,
// then the wildcards that cover it.
func (q qualities) of(names ...string) float64 {
	for _, name := range names {
		if value, listed := q[name]; listed {
			return value
		}
	}
	return 0
}

// acceptsGzip says whether the client wants packed answers.
func acceptsGzip(r *http.Request) bool {
	lines := r.Header["Accept-Encoding"]
	if len(lines) == 1 && lines[0] == "gzip" {
		return true
	}
	return len(lines) > 0 && parseAccept(lines).of("gzip", "*") > 0
}
