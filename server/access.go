package main

import (
	"context"
	"log/slog"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/server/bearer"
	"github.com/citizencloud/citizencloud/server/config"
)

// enforcement is the flag's word for the engine.
func enforcement(word string) graph.Authorization {
	switch word {
	case "filter":
		return graph.AuthorizationFilter
	case "reject":
		return graph.AuthorizationReject
	}
	return graph.AuthorizationOff
}

// bearers finds out who asks by the tokens of the issuer that the flags name;
// nil where nobody signs in.
func bearers(ctx context.Context, settings config.Access, log *slog.Logger) (guard.Authenticator, error) {
	if settings.JWKS == "" {
		return nil, nil
	}
	return bearer.New(ctx, bearer.Options{
		Keys: settings.JWKS, Issuer: settings.Issuer, Audience: settings.Audience,
		Refused: func(err error) { log.ErrorContext(ctx, "the keys for tokens could not be renewed", "error", err) },
	})
}

// sameCost is one limit for all clients; nil for none.
func sameCost(most float64) func(string) float64 {
	if most <= 0 {
		return nil
	}
	return func(string) float64 { return most }
}
