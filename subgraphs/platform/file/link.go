package file

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"
)

// A link counts for at least linkTime; its end is rounded up to a step, so that
// the link stays the same for a while and clients can cache by it.
const (
	linkTime = 30 * time.Minute
	linkStep = 15 * time.Minute
)

// Link is the path and query to load the file by, for a limited time, without
// signing in.
func (s *Service) Link(id string) string {
	until := s.Now().Add(linkTime).Truncate(linkStep).Add(linkStep).Unix()
	query := url.Values{"until": {strconv.FormatInt(until, 10)}, "signature": {s.sign(id, until)}}
	return "/files/" + id + "?" + query.Encode()
}

func (s *Service) sign(id string, until int64) string {
	mac := hmac.New(sha256.New, s.linkKey)
	mac.Write([]byte(id + "\x00" + strconv.FormatInt(until, 10)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signed says whether the query is that of a link to the file that still counts.
func (s *Service) signed(id string, query url.Values) bool {
	until, err := strconv.ParseInt(query.Get("until"), 10, 64)
	if err != nil || s.Now().Unix() >= until {
		return false
	}
	return hmac.Equal([]byte(query.Get("signature")), []byte(s.sign(id, until)))
}
