// Package identifier makes the IDs of the platform's things: UUIDv7
// in canonical form, so that later ones sort after earlier ones.
// Package foundation/input checks them.
package identifier

import (
	"fmt"

	"github.com/google/uuid"
)

// First sorts before every ID; Last after every ID.
const (
	First = "00000000-0000-0000-0000-000000000000"
	Last  = "ffffffff-ffff-ffff-ffff-ffffffffffff"
)

// New makes an ID.
func New() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("identifier: %w", err)
	}
	return id.String(), nil
}
