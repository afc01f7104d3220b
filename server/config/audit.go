package config

import (
	"errors"
	"time"
)

// Database says where the database is that a command looks after, whether the
// platform runs or not.
type Database struct {
	Data        string `type:"path" default:".data" placeholder:"DIR" help:"The data folder: its keys and, without --database-url, its database; by default .data."`
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"PostgreSQL of the owner; without it that of the data folder, which is started when nobody runs it."`
}

// Audit holds the commands of the audit log.
type Audit struct {
	Verify AuditVerify `cmd:"" help:"Check every entry and seal; a changed, removed, inserted or moved entry and a missing or forged seal exit with 1."`
}

// AuditVerify checks the audit log.
type AuditVerify struct {
	Database  `embed:""`
	From      string `placeholder:"DAY" help:"First day, YYYY-MM-DD; by default the first there is."`
	To        string `placeholder:"DAY" help:"Last day; by default the last there is."`
	PublicKey string `type:"path" placeholder:"FILE" help:"The public keys of the seals; by default keys/audit.pub in the data folder. Keep a copy where nobody can change it."`
	Remember  string `type:"path" placeholder:"FILE" help:"Compare with what this file remembers of the last verification, and write down this one: finds a log that was cut short together with its seals."`
}

// Validate refuses days that are none.
func (v *AuditVerify) Validate() error {
	for _, day := range []string{v.From, v.To} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return errors.New("--from and --to are days such as 2026-01-31")
		}
	}
	return nil
}
