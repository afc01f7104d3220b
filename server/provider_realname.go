package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/register"
)

// judges makes who judges real names. Production mode runs with a simulator
// only where it was chosen by name, and allowed.
func (p *providers) judges(c config.RealName, development bool, log *slog.Logger) (err error) {
	settings := realname.Usual
	settings.EvidenceRetention, settings.Validity = c.EvidenceRetention, c.Validity
	p.realName = &settings
	for flag, url := range map[string]string{"--register-url": c.RegisterURL, "--face-url": c.FaceURL} {
		switch {
		case url == config.Simulator && !development && !c.AllowSimulators:
			return fmt.Errorf("%s simulator judges nobody: production mode refuses it without --allow-simulators", flag)
		case url == config.Simulator && !development:
			log.Warn("real names are simulated in production mode", "flag", flag)
		case url == "" && !development:
			log.Warn("real names cannot be judged this way: nothing is configured", "flag", flag)
		}
	}
	switch {
	case c.RegisterURL == config.Simulator:
		p.register, err = register.NewSimulator(time.Now)
	case c.RegisterURL != "":
		p.register, err = register.NewGateway(c.RegisterURL, c.RegisterSecret, time.Now)
	}
	if err != nil {
		return fmt.Errorf("--register-url: %w", err)
	}
	switch {
	case c.FaceURL == config.Simulator:
		p.face, err = face.NewSimulator(time.Now)
	case c.FaceURL != "":
		p.face, err = face.NewGateway(c.FaceURL, c.FaceSecret, time.Now)
	}
	if err != nil {
		return fmt.Errorf("--face-url: %w", err)
	}
	return nil
}
