package face

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"image"
	_ "image/gif" // what pictures may be
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/signed"
)

// simulator answers as a provider does. It checks what a provider checks of the
// token: that it is its own, of the account and device, not used and not
// expired. It sees no faces, and says so in each answer (simulated): a picture
// with a side under 64 pixels shows nobody alive, one that is wider than high
// shows somebody else, each other one shows the person.
type simulator struct {
	now  func() time.Time
	mu   sync.Mutex
	used map[string]time.Time
}

const (
	simulatedSecret = "simulated-secret-of-the-face-provider"
	// simulatedTime is how long the simulator's tokens count.
	simulatedTime = 5 * time.Minute
	smallest      = 64
)

// NewSimulator makes the provider as the simulator plays it: the true client,
// whose requests it answers without a network. Only for development.
func NewSimulator(now func() time.Time) (Provider, error) {
	return newGateway("http://face.invalid", simulatedSecret, &simulator{now: now, used: map[string]time.Time{}}, now)
}

// RoundTrip implements http.RoundTripper.
func (s *simulator) RoundTrip(r *http.Request) (*http.Response, error) {
	return signed.Answer(simulatedSecret, s.now(), r, func(path string, body []byte) any {
		switch path {
		case "/sessions":
			var q sessionQuestion
			if json.Unmarshal(body, &q) == nil && q.Number != "" {
				return s.begin(q)
			}
		case "/judgements":
			var q judgementQuestion
			if json.Unmarshal(body, &q) == nil {
				return s.judge(q)
			}
		}
		return nil
	}), nil
}

// claims are what a token of the simulator says; it holds them itself, so that
// each process of an installation understands the others' tokens.
type claims struct {
	Reference string    `json:"reference"`
	Account   string    `json:"account"`
	Device    string    `json:"device"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (s *simulator) begin(q sessionQuestion) sessionAnswer {
	c := claims{Reference: "simulated-" + uuid.NewString(), Account: q.Account, Device: q.Device, ExpiresAt: s.now().Add(simulatedTime).UTC()}
	text, _ := json.Marshal(c) // texts always marshal
	token := base64.RawURLEncoding.EncodeToString(text)
	return sessionAnswer{Reference: c.Reference, Token: token + "." + seal(token), ExpiresAt: c.ExpiresAt, Simulated: true}
}

func seal(text string) string {
	mac := hmac.New(sha256.New, []byte("token of "+simulatedSecret))
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *simulator) judge(q judgementQuestion) judgementAnswer {
	a := judgementAnswer{Token: "INVALID", Simulated: true}
	c, ok := s.open(q.Token)
	if !ok || c.Account != q.Account || c.Device != q.Device || !s.now().Before(c.ExpiresAt) || !s.take(c) {
		return a
	}
	a.Token, a.Reference = "OK", c.Reference
	picture, _, err := image.DecodeConfig(bytes.NewReader(q.Picture))
	a.Live = err == nil && min(picture.Width, picture.Height) >= smallest
	a.Same = a.Live && picture.Width <= picture.Height
	return a
}

func (s *simulator) open(token string) (c claims, ok bool) {
	head, signature, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(seal(head)), []byte(signature)) {
		return c, false
	}
	text, err := base64.RawURLEncoding.DecodeString(head)
	return c, err == nil && json.Unmarshal(text, &c) == nil
}

// take uses the token up; those that have expired anyway are forgotten.
func (s *simulator) take(c claims) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for reference, until := range s.used {
		if s.now().After(until) {
			delete(s.used, reference)
		}
	}
	if _, known := s.used[c.Reference]; known {
		return false
	}
	s.used[c.Reference] = c.ExpiresAt
	return true
}
