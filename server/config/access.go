package config

import "errors"

// Access says who may ask a gateway over anyone's supergraph, and whether the
// access rules in it are enforced.
type Access struct {
	Authorization string `enum:"off,filter,reject" default:"off" help:"Enforce @authenticated, @requiresScopes and @policy of the supergraph: off leaves them to the subgraphs; filter answers null, with an error, for what the caller may not see; reject runs no operation that asks for it."`
	JWKS          string `name:"jwks" placeholder:"FILE|URL" help:"Check bearer tokens with the public keys of this JWK set; without it nobody signs in, and Authorization only goes on to the subgraphs."`
	Issuer        string `placeholder:"NAME" help:"The issuer (iss) that tokens must have; any without it."`
	Audience      string `placeholder:"NAME" help:"The audience (aud) that tokens must have; any without it."`
}

// Validate refuses flags that do not go together.
func (a *Access) Validate() error {
	switch {
	case a.JWKS == "" && a.Authorization != "off":
		return errors.New("--authorization needs to know who asks: give --jwks")
	case a.JWKS == "" && (a.Issuer != "" || a.Audience != ""):
		return errors.New("--issuer and --audience are of tokens: give --jwks")
	}
	return nil
}
