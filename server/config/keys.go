package config

import (
	"errors"
	"time"
)

// Keys holds the commands of the keys of personal data.
type Keys struct {
	List      KeysList      `cmd:"" help:"Show the keys that seal personal data and index it, and the rows that need older ones."`
	Rotate    KeysRotate    `cmd:"" help:"Make a new key, which every running process takes into use at the same time."`
	Reencrypt KeysReencrypt `cmd:"" name:"re-encrypt" help:"Seal and index all rows by the keys in use, batch by batch, while the platform runs; goes on where it was stopped."`
	Retire    KeysRetire    `cmd:"" help:"Take the older keys out of the files, when no row needs them."`
}

// KeysList shows the keys.
type KeysList struct {
	Database `embed:""`
}

// KeysRotate makes a key.
type KeysRotate struct {
	Database  `embed:""`
	Algorithm string        `enum:"AES-256-GCM,SM4-GCM" default:"AES-256-GCM" help:"How the new key seals: ${enum}."`
	Index     bool          `help:"A new key of the blind index instead of one that seals."`
	After     time.Duration `default:"30s" help:"When it comes into use; processes read the files every three seconds, so give those on other machines the time to get the files."`
}

// Validate refuses what nobody could keep up with.
func (r *KeysRotate) Validate() error {
	if r.After < 0 || r.After > 30*24*time.Hour {
		return errors.New("--after is between 0s and 720h")
	}
	return nil
}

// KeysReencrypt seals all rows anew.
type KeysReencrypt struct {
	Database `embed:""`
	Batch    int           `default:"500" help:"Rows at once; they are locked for as long as that takes."`
	Pause    time.Duration `default:"0s" help:"Rest between two batches."`
}

// Validate refuses batches that would hold rows for too long.
func (r *KeysReencrypt) Validate() error {
	if r.Batch < 1 || r.Batch > 10_000 || r.Pause < 0 {
		return errors.New("--batch is between 1 and 10000, --pause not negative")
	}
	return nil
}

// KeysRetire takes older keys away.
type KeysRetire struct {
	Database `embed:""`
}
