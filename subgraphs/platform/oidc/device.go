package oidc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
)

// device is a screen without a keyboard that waits for somebody to let it in (RFC 8628).
type device struct {
	who
	ID          string         `db:"id"`
	AppID       string         `db:"client_app_id"`
	ClientID    string         `db:"client_id"`
	Scopes      pq.StringArray `db:"scopes"`
	State       string         `db:"state"`
	ExpiresAt   time.Time      `db:"expires_at"`
	PolledAt    *time.Time     `db:"polled_at"`
	PollSeconds int            `db:"poll_seconds"`
}

const deviceColumns = `d.id, d.client_app_id, a.client_id, d.scopes, d.state, d.expires_at, d.polled_at, d.poll_seconds, d.session_id, d.kind, d.principal_id, d.subject, d.methods, d.auth_time`

// Limits of devices: how many one address may begin, and how many wrong codes
// one may try (RFC 8628, section 5.1).
var (
	devicesBegun = limit.Rule{Times: 30, Within: 10 * time.Minute}
	codesTried   = limit.Rule{Times: 10, Within: 10 * time.Minute}
)

// userHash is what is kept of a user code: it is short, so the hash has a key.
func (p *Provider) userHash(code string) []byte {
	mac := hmac.New(sha256.New, p.csrf)
	mac.Write([]byte("user code\x00" + tidyCode(code)))
	return mac.Sum(nil)
}

// StoreDeviceAuthorization implements op.DeviceAuthorizationStorage.
func (s *storage) StoreDeviceAuthorization(ctx context.Context, clientID, deviceCode, userCode string, _ time.Time, wire []string) error {
	app, err := s.working(ctx, clientID)
	if err != nil {
		return err
	}
	id, err := identifier.New()
	if err != nil {
		return err
	}
	now := s.now()
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.oidc_device (id, device_hash, user_hash, client_app_id, scopes, created_at, expires_at, poll_seconds)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			id, hashOf(deviceCode), s.userHash(userCode), app.ID, pq.Array(granted(app, wire)), now, now.Add(deviceLife), int(devicePoll/time.Second))
		if err != nil {
			return fmt.Errorf("oidc: keeping a device: %w", err)
		}
		return nil
	})
}

// waiting gives the device of a user code that waits, errGone if there is none.
// Wrong codes are counted by address.
func (p *Provider) waiting(r *http.Request, code string) (*device, error) {
	ctx := r.Context()
	counter, key := limit.Counter{Redis: p.Redis}, "platform:oidc:device:"+limit.Network(p.from(r))
	wait, err := counter.Reached(ctx, key, codesTried)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, limit.Refusal(wait)
	}
	var d device
	err = p.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		return sqlx.GetContext(ctx, tx, &d, `
			SELECT `+deviceColumns+` FROM platform.oidc_device d JOIN platform.client_app a ON a.id = d.client_app_id
			WHERE d.user_hash = $1 AND d.state = 'PENDING' AND d.expires_at > $2`, p.userHash(code), p.now())
	})
	if errors.Is(err, sql.ErrNoRows) {
		_, err = counter.Take(ctx, key, codesTried)
		return nil, errors.Join(errGone, err)
	}
	if err != nil {
		return nil, fmt.Errorf("oidc: reading a device: %w", err)
	}
	return &d, nil
}

// devices is the page where the code of a device is typed in.
func (p *Provider) devices(w http.ResponseWriter, r *http.Request) {
	t := tongueOf(r, r.FormValue("ui_locales"))
	shown := page{Tongue: t, Title: "deviceTitle", Kind: "device", Code: cut(r.FormValue("user_code"), 20)}
	if r.Method != http.MethodPost {
		p.show(w, r, shown)
		return
	}
	if !p.posted(r) {
		p.fail(w, r, http.StatusForbidden, "errForm")
		return
	}
	_, err := p.waiting(r, r.PostFormValue("user_code"))
	if said, code := sentence(err); code == fault.RateLimited {
		shown.Error, shown.status = said, http.StatusTooManyRequests
		p.show(w, r, shown)
		return
	}
	if errors.Is(err, errGone) {
		shown.Error, shown.status = t.say("deviceUnknown"), http.StatusUnprocessableEntity
		p.show(w, r, shown)
		return
	}
	if err != nil {
		p.broken(w, r, err)
		return
	}
	http.Redirect(w, r, Path+"/login?user_code="+url.QueryEscape(tidyCode(r.PostFormValue("user_code"))), http.StatusSeeOther)
}

// settle lets the device in, for nobody (in is nil) it is turned away.
func (p *Provider) settle(w http.ResponseWriter, r *http.Request, f *flow, in *ssoSession, scopes []string) {
	ctx, d := r.Context(), *f.device
	words := "deviceDenied"
	d.State = "DENIED"
	if in != nil {
		words, d.State, d.Scopes = "deviceDone", "APPROVED", scopes
		d.who = in.as(p.subject(f.app, in.Kind, in.PrincipalID))
	}
	if d.Methods == nil {
		d.Methods = pq.StringArray{}
	}
	err := p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		result, err := sqlx.NamedExecContext(ctx, tx, `
			UPDATE platform.oidc_device SET state = :state, scopes = :scopes, session_id = :session_id, kind = :kind, principal_id = :principal_id,
				subject = :subject, methods = :methods, auth_time = :auth_time WHERE id = :id AND state = 'PENDING'`, d)
		if err != nil {
			return fmt.Errorf("oidc: settling a device: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errGone, err)
		}
		return nil
	})
	if err != nil {
		p.broken(w, r, err)
		return
	}
	p.show(w, r, page{Tongue: f.tongue, Title: "deviceTitle", Kind: "done", Notice: f.tongue.say(words)})
}

// GetDeviceAuthorizatonState implements op.DeviceAuthorizationStorage. Who asks
// too often has to wait five seconds longer each time.
func (s *storage) GetDeviceAuthorizatonState(ctx context.Context, clientID, deviceCode string) (*op.DeviceAuthorizationState, error) {
	var d device
	tooSoon := false
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := s.now()
		err := sqlx.GetContext(ctx, tx, &d, `
			SELECT `+deviceColumns+` FROM platform.oidc_device d JOIN platform.client_app a ON a.id = d.client_app_id
			WHERE d.device_hash = $1 AND a.client_id = $2 FOR UPDATE OF d`, hashOf(deviceCode), clientID)
		if errors.Is(err, sql.ErrNoRows) {
			return errGone
		}
		if err != nil {
			return err
		}
		if tooSoon = d.PolledAt != nil && now.Sub(*d.PolledAt) < time.Duration(d.PollSeconds)*time.Second; tooSoon {
			d.PollSeconds = min(d.PollSeconds+5, 60)
		}
		_, err = tx.ExecContext(ctx, `UPDATE platform.oidc_device SET polled_at = $2, poll_seconds = $3 WHERE id = $1`, d.ID, now, d.PollSeconds)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("oidc: asking for a device: %w", err)
	}
	if tooSoon {
		return nil, context.DeadlineExceeded // which the library turns into slow_down
	}
	state := &op.DeviceAuthorizationState{ClientID: clientID, Scopes: wireNames(d.Scopes), Denied: d.State == "DENIED", Subject: d.Subject, AMR: d.Methods}
	if s.now().Before(d.ExpiresAt) {
		state.Expires = time.Now().Add(time.Minute) // the library looks at its own clock
		state.Done = d.State == "APPROVED"
	}
	if d.State == "USED" {
		return nil, errGone
	}
	if state.Done {
		state.AuthTime = *d.AuthTime
		exchangeOf(ctx).device = &d
	}
	return state, nil
}

// byDevice turns a device that was let in into a family, once.
func (p *Provider) byDevice(ctx context.Context, d *device, refresh bool) (made issued, err error) {
	if d == nil {
		return issued{}, protocol.ErrInvalidGrant()
	}
	err = p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		now := p.now()
		result, err := tx.ExecContext(ctx, `UPDATE platform.oidc_device SET state = 'USED' WHERE id = $1 AND state = 'APPROVED'`, d.ID)
		if err != nil {
			return fmt.Errorf("oidc: using a device code: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(protocol.ErrInvalidGrant(), err)
		}
		ends, err := sessionEnds(ctx, tx, *d.SessionID, now)
		if err != nil {
			return err
		}
		g := &grant{who: d.who, AppID: d.AppID, Scopes: d.Scopes, ExpiresAt: ends}
		if err := insertGrant(ctx, tx, g, now); err != nil {
			return err
		}
		made, err = p.issue(ctx, tx, g, d.Scopes, refresh, now)
		return err
	})
	return made, err
}
