package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"
)

// Links signs addresses that count for a while without signing in, such as
// those of pictures. A link is for one path and one audience: whom it was made
// for. It is kept short and of one party's own, so it is an HMAC, no JWT.
type Links struct {
	key []byte
	now func() time.Time
}

// NewLinks signs with the secret; now is the clock.
func NewLinks(secret []byte, now func() time.Time) *Links { return &Links{key: secret, now: now} }

// Sign gives the path with its end, its audience and the signature behind it.
func (l *Links) Sign(path, audience string, until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	query := url.Values{"until": {end}, "for": {audience}, "signature": {l.mac(path, audience, end)}}
	return path + "?" + query.Encode()
}

// Check gives the audience of a link to the path, and whether it still counts.
func (l *Links) Check(path string, query url.Values) (audience string, ok bool) {
	end := query.Get("until")
	until, err := strconv.ParseInt(end, 10, 64)
	if err != nil || l.now().Unix() >= until {
		return "", false
	}
	audience = query.Get("for")
	return audience, hmac.Equal([]byte(query.Get("signature")), []byte(l.mac(path, audience, end)))
}

func (l *Links) mac(path, audience, end string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(path + "\x00" + audience + "\x00" + end))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
