package demonstration

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// linked is how many citizens have linked accounts and devices.
const linked = 200

// devices are what citizens are signed in on.
var devices = []struct{ client, name string }{{"app", "华为 Mate 60"}, {"miniprogram", "微信小程序"}, {"app", "iPhone 15"}}

// accounts links WeChat to the first citizens' accounts – the simulator's code
// "citizen7.1" signs citizen 7 in – Alipay to each third, and signs them in on
// one to three devices.
func accounts(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys) error {
	number := 0
	for i := range min(linked, cast.Citizens()) {
		c := cast.Citizen(i)
		for n, provider := range []thirdparty.Name{thirdparty.WeChat, thirdparty.Alipay} {
			if provider == thirdparty.Alipay && i%3 != 0 {
				continue
			}
			id := demonstration.ID("linked account", 2*i+n)
			sealed, index := citizen.SealLink(keys, id, provider, fmt.Sprintf("ocitizen%d", i))
			_, err := tx.ExecContext(ctx, `INSERT INTO platform.citizen_identity (id, citizen_id, provider, subject, subject_index, linked_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				id, c.ID, provider, sealed, index, c.RegisteredAt, cast.Anchor.AddDate(0, 0, -i%20))
			if err != nil {
				return fmt.Errorf("linked accounts: %w", err)
			}
		}
		for n, d := range devices[:1+i%len(devices)] {
			key := sha256.Sum256(fmt.Appendf(nil, "demonstration device %d %d", i, n))
			at := cast.Anchor.AddDate(0, 0, -n-i%10)
			_, err := tx.ExecContext(ctx, `
				INSERT INTO platform.session (id, kind, principal_id, client, address, created_at, refreshed_at, expires_at, device_key, device_name)
				VALUES ($1, 'citizen', $2, $3, '', $4, $4, $5, $6, $7)`, demonstration.ID("citizen session", number), c.ID, d.client, at, at.AddDate(0, 6, 0), key[:], d.name)
			if err != nil {
				return fmt.Errorf("devices: %w", err)
			}
			number++
		}
	}
	return nil
}
