package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/server/config"
)

// A simulator judges nobody: production mode has one only by name, and allowed.
func TestProductionRefusesSimulatedJudges(t *testing.T) {
	for name, c := range map[string]struct {
		flags       config.RealName
		development bool
		refused     bool
	}{
		"production, nothing configured":       {config.RealName{}, false, false},
		"production, a simulated face":         {config.RealName{FaceURL: "simulator"}, false, true},
		"production, a simulated register":     {config.RealName{RegisterURL: "simulator"}, false, true},
		"production, simulators that are let":  {config.RealName{FaceURL: "simulator", RegisterURL: "simulator", AllowSimulators: true}, false, false},
		"development, a simulator by its name": {config.RealName{FaceURL: "simulator"}, true, false},
		"production, a secret too short":       {config.RealName{FaceURL: "https://face.example.org", FaceSecret: "short"}, false, true},
	} {
		var p providers
		err := p.judges(c.flags, c.development, slog.New(slog.DiscardHandler))
		if (err != nil) != c.refused || err != nil && !strings.HasPrefix(err.Error(), "--") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "production, nothing configured" && (p.face != nil || p.register != nil) {
			t.Errorf("%s: somebody judges", name)
		}
	}
}
