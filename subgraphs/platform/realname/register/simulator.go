package register

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/signed"
)

// simulator answers as the authority's gateway does. It knows nobody: every
// name is that of its number, but for numbers whose sequence (digits 15 to 17)
// asks for another answer.
type simulator struct{ now func() time.Time }

const simulatedSecret = "simulated-secret-of-the-register"

// The sequences that ask for another answer; 503 is away.
const (
	sequenceNotFound = "404"
	sequenceMismatch = "409"
	sequenceAway     = "503"
)

// NewSimulator makes the register as the simulator plays it: the true client,
// whose requests it answers without a network. Only for development.
func NewSimulator(now func() time.Time) (Register, error) {
	return newGateway("http://register.invalid", simulatedSecret, simulator{now}, now)
}

// RoundTrip implements http.RoundTripper.
func (s simulator) RoundTrip(r *http.Request) (*http.Response, error) {
	return signed.Answer(simulatedSecret, s.now(), r, func(path string, body []byte) any {
		var q question
		if path != "/comparisons" || json.Unmarshal(body, &q) != nil || len(q.Number) != 18 {
			return nil
		}
		a := answer{Result: "MATCH", Reference: "simulated-" + uuid.NewString(), Simulated: true}
		switch q.Number[14:17] {
		case sequenceNotFound:
			a.Result = "NOT_FOUND"
		case sequenceMismatch:
			a.Result = "MISMATCH"
		case sequenceAway:
			return nil
		}
		return a
	}), nil
}
