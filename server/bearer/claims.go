package bearer

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what a token says of its bearer. It implements authorize.Claims.
type Claims struct {
	subject  string
	expires  time.Time
	scopes   map[string]bool
	policies map[string]bool
}

// nobody has no token.
var nobody *Claims

// Authenticated implements authorize.Claims.
func (c *Claims) Authenticated() bool { return c != nil }

// HasScope implements authorize.Claims: the scope stands in the claim scope
// (RFC 8693) or scp.
func (c *Claims) HasScope(name string) bool { return c != nil && c.scopes[name] }

// HasPolicy implements authorize.Claims: who issued the token evaluated the
// policy, and names it in the claim policies.
func (c *Claims) HasPolicy(name string) bool { return c != nil && c.policies[name] }

// claims are read of a token.
type claims struct {
	jwt.RegisteredClaims
	Scope    names `json:"scope"`
	Scp      names `json:"scp"`
	Policies names `json:"policies"`
}

func (c *claims) made() *Claims {
	made := &Claims{subject: c.Issuer + " " + c.Subject, expires: c.ExpiresAt.Time, scopes: map[string]bool{}, policies: map[string]bool{}}
	for _, list := range []names{c.Scope, c.Scp} {
		for _, name := range list {
			made.scopes[name] = true
		}
	}
	for _, name := range c.Policies {
		made.policies[name] = true
	}
	return made
}

// names are one string with spaces between, or a list. What is neither holds
// no names: it grants nothing.
type names []string

// UnmarshalJSON implements json.Unmarshaler.
func (n *names) UnmarshalJSON(raw []byte) error {
	*n = nil
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*n = strings.Fields(text)
		return nil
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, item := range list {
		if name, ok := item.(string); ok && name != "" {
			*n = append(*n, name)
		}
	}
	return nil
}
