package config

import (
	"errors"
	"time"
)

// Simulator in the place of a URL chooses the simulator by name.
const Simulator = "simulator"

// RealName are the services that judge who people are, and how long what is
// kept of it counts.
type RealName struct {
	RegisterURL       string        `name:"register-url" placeholder:"URL" help:"The gateway of the population register, or simulator; see docs/operations.md for what it is asked."`
	RegisterSecret    string        `name:"register-secret" placeholder:"SECRET" help:"Signs what it is asked and what it answers; better given as an environment variable."`
	FaceURL           string        `name:"face-url" placeholder:"URL" help:"The gateway of the provider of face verification, or simulator."`
	FaceSecret        string        `name:"face-secret" placeholder:"SECRET" help:"Signs what it is asked and what it answers; better given as an environment variable."`
	AllowSimulators   bool          `name:"allow-simulators" help:"Let production mode run with simulators that were chosen by name: for acceptance tests, never with true citizens."`
	EvidenceRetention time.Duration `name:"realname-evidence-retention" default:"0s" help:"How long pictures and materials of real-name verifications stay after the decision."`
	Validity          time.Duration `name:"realname-validity" default:"26280h" help:"How long a real-name level above L1 counts."`
}

func (r *RealName) check() error {
	pairs := map[string][]string{}
	if r.RegisterURL != Simulator {
		pairs["--register-url and --register-secret"] = []string{r.RegisterURL, r.RegisterSecret}
	}
	if r.FaceURL != Simulator {
		pairs["--face-url and --face-secret"] = []string{r.FaceURL, r.FaceSecret}
	}
	if err := together(pairs); err != nil {
		return err
	}
	if r.EvidenceRetention < 0 || r.EvidenceRetention > 90*24*time.Hour {
		return errors.New("--realname-evidence-retention must lie between 0 and 90 days")
	}
	if r.Validity < 24*time.Hour {
		return errors.New("--realname-validity must be a day at least")
	}
	return nil
}
