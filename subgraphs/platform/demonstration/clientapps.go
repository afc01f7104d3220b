package demonstration

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// ShopSecret is the key of the live third-party application of the
// demonstration, demo-shop: as public as the workers' password.
const ShopSecret = "demonstration-shop-secret-of-everybody"

// ownApps are the platform's own clients, which ask for no consent. Web clients
// of a developer's machine return to its own address.
var ownApps = []struct {
	clientID, name, client string
	kind                   clientapp.Kind
	audience               clientapp.Audience
	redirects              []string
}{
	{"workbench", "市民云工作台", "workbench", clientapp.KindBrowser, clientapp.ForWorkers, []string{"http://127.0.0.1:4000/workbench/callback", "https://work.example.cn/callback"}},
	{"portal", "市民云门户", "app", clientapp.KindBrowser, clientapp.ForCitizens, []string{"http://127.0.0.1:4000/portal/callback", "https://www.example.cn/callback"}},
	{"screen", "社区治理大屏", "screen", clientapp.KindDevice, clientapp.ForWorkers, []string{}},
}

// lives are the third-party applications of one unit, one in each state.
var lives = []struct {
	state  clientapp.State
	name   string
	reason string
}{
	{clientapp.Live, "邻里商城", ""}, {clientapp.Sandbox, "社区食堂订餐", ""}, {clientapp.Draft, "亲子活动报名", ""}, {clientapp.InReview, "便民维修预约", ""},
	{clientapp.Rejected, "优惠券大全", "用途说明与申请的范围不符，请补充"}, {clientapp.Suspended, "旧物回收", "被投诉超范围使用手机号，整改中"}, {clientapp.Retired, "疫情上报", "业务已结束"},
}

// clientApps brings in applications in every state, for the city's committee and
// for the first community, with consents and figures for the live ones.
func clientApps(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	if cast.Scale == demonstration.None {
		return nil
	}
	community := cast.Communities()[0]
	now := cast.Anchor.UTC().Truncate(time.Second)
	applicant, reviewer := cast.Chief(division.Parent(community)), cast.Chief(division.CityCode)
	put := func(i int, clientID, name, area string, kind clientapp.Kind, audience clientapp.Audience, own *string, redirects []string, state clientapp.State, reason string) (string, error) {
		id := demonstration.ID("client app", i)
		scopes, granted, operations, given := []string{"OPENID", "PROFILE", "PHONE", "API", "OFFLINE_ACCESS"}, []string{}, []string{"Area", "Services", "Supermarket"}, []string{}
		if own != nil {
			scopes = []string{"OPENID", "PROFILE", "AREA", "ORGANIZATION", "API", "OFFLINE_ACCESS"}
		}
		var submitted, reviewed *string
		if state != clientapp.Draft {
			submitted = &applicant.ID
		}
		if state != clientapp.Draft && state != clientapp.InReview {
			reviewed = &reviewer.ID
		}
		if reviewed != nil && state != clientapp.Rejected {
			granted, given = scopes, operations
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.client_app (id, client_id, name, summary, homepage, kind, audience, own_client, unit_id, area_code, redirect_uris, logout_uris, scopes, operations,
				granted_scopes, granted_operations, state, state_reason, created_by, submitted_by, reviewed_by, created_at, updated_at)
			VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10, '{}', $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20)`,
			id, clientID, name, "为居民提供"+name+"服务，登录后免去重复注册", kind, audience, own, demonstration.UnitID(area), area, pq.Array(redirects), pq.Array(scopes), pq.Array(operations),
			pq.Array(granted), pq.Array(given), state, reason, applicant.ID, submitted, reviewed, now.AddDate(0, -2, 0))
		if err != nil {
			return "", fmt.Errorf("client app %s: %w", clientID, err)
		}
		return id, nil
	}
	for i, a := range ownApps {
		if _, err := put(i, a.clientID, a.name, division.CityCode, a.kind, a.audience, &a.client, a.redirects, clientapp.Live, ""); err != nil {
			return err
		}
	}
	for unit, area := range []string{community, division.CityCode} {
		for i, a := range lives {
			clientID := fmt.Sprintf("demo-%d-%d", unit, i)
			if unit == 0 && a.state == clientapp.Live {
				clientID = "demo-shop"
			}
			id, err := put(100+100*unit+i, clientID, a.name, area, clientapp.KindWeb, clientapp.ForCitizens, nil, []string{"https://" + clientID + ".example.cn/callback"}, a.state, a.reason)
			if err == nil && a.state == clientapp.Live {
				err = used(ctx, tx, id, unit, now)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// used gives a live application its key, some people who agreed, and figures.
func used(ctx context.Context, tx *sqlx.Tx, appID string, unit int, now time.Time) error {
	sum := sha256.Sum256([]byte(ShopSecret))
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.client_app_secret (id, client_app_id, hash, hint, created_by, created_at) SELECT $1, id, $3, right($4, 4), created_by, created_at
		FROM platform.client_app WHERE id = $2`, demonstration.ID("client app secret", unit), appID, sum[:], ShopSecret)
	if err != nil {
		return fmt.Errorf("client app secret: %w", err)
	}
	for i := range 4 {
		state, ended := "GRANTED", (*time.Time)(nil)
		granted := now.AddDate(0, 0, -10-i)
		if i == 3 {
			state, ended = "REVOKED", &now
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.consent (id, client_app_id, kind, principal_id, scopes, state, granted_at, expires_at, ended_at) VALUES ($1, $2, 'citizen', $3, $4, $5, $6, $7, $8)`,
			demonstration.ID("consent", 10*unit+i), appID, demonstration.ID("citizen", i), pq.Array([]string{"OPENID", "PROFILE", "PHONE"}), state, granted, granted.AddDate(1, 0, 0), ended)
		if err != nil {
			return fmt.Errorf("consent: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.client_app_day (client_app_id, day, calls, errors, refusals)
		SELECT $1, ($2::timestamptz AT TIME ZONE 'Asia/Shanghai')::date - i, 200 + (i * 37) % 90, (i * 7) % 5, (i * 3) % 4 FROM generate_series(1, 30) AS i`, appID, now)
	if err != nil {
		return fmt.Errorf("client app statistics: %w", err)
	}
	return nil
}
