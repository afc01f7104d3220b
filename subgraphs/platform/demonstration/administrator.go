package demonstration

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// AdministratorIsNew says whether the first administrator has never signed in:
// until then whoever starts the platform is shown the password. owner is the
// schema's owner.
func AdministratorIsNew(ctx context.Context, owner *sqlx.DB) (bool, error) {
	var isNew bool
	err := owner.GetContext(ctx, &isNew, `
		SELECT NOT EXISTS (SELECT FROM platform.session s JOIN platform.worker w ON w.id = s.principal_id
			WHERE s.kind = 'worker' AND w.login = $1)`, AdministratorLogin)
	if err != nil {
		return false, fmt.Errorf("platform: has the first administrator signed in: %w", err)
	}
	return isNew, nil
}
