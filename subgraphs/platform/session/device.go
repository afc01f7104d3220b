package session

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Machine is what a client says of the device that it runs on; both may be "".
type Machine struct {
	ID   string // random, kept by the client; only its hash is stored
	Name string // as its owner knows it
}

const (
	maxMachineID   = 128 // bytes
	maxMachineName = 40  // characters
)

// tidy refuses what cannot be.
func (m Machine) tidy() (Machine, error) {
	m.Name = strings.TrimSpace(m.Name)
	if len(m.ID) > maxMachineID {
		return m, fault.Invalid("input.device.id", "设备标识最长 %d 个字符", maxMachineID)
	}
	if utf8.RuneCountInString(m.Name) > maxMachineName || !utf8.ValidString(m.Name) ||
		strings.ContainsFunc(m.Name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return m, fault.Invalid("input.device.name", "设备名称最长 %d 个字，不能包含不可见字符", maxMachineName)
	}
	return m, nil
}

// key is what is stored of the ID.
func (m Machine) key() []byte {
	if m.ID == "" {
		return []byte{}
	}
	sum := sha256.Sum256([]byte("device\x00" + m.ID))
	return sum[:]
}

// Device is a session as its owner sees it.
type Device struct {
	ID         string    `db:"id"`
	Name       string    `db:"device_name"`
	Client     string    `db:"client"`
	Address    string    `db:"address"`
	CitizenID  string    `db:"principal_id"`
	SignedInAt time.Time `db:"created_at"`
	// LastSeenAt is when the tokens were last changed, at most an access token's
	// life before what was really last done.
	LastSeenAt time.Time `db:"refreshed_at"`
	Current    bool      `db:"-"`
}

// clients are the names of clients for people.
var clientNames = map[string]string{"app": "市民云 APP", "miniprogram": "市民云小程序", "workbench": "工作台", "screen": "大屏", "partner": "第三方应用"}

// DisplayName is the device's name, or its client's.
func (d *Device) DisplayName() string {
	if d.Name != "" {
		return d.Name
	}
	if name := clientNames[d.Client]; name != "" {
		return name
	}
	return "未知设备"
}

// PlainAddress is the IP address that the device signed in from, which answers
// show masked (@personal); nil where it is not known.
func (d *Device) PlainAddress() *string {
	if _, err := netip.ParseAddr(d.Address); err != nil {
		return nil
	}
	return &d.Address
}

// Concerns says whether the device is the principal's own.
func (d *Device) Concerns(p *access.Principal) bool {
	return p != nil && p.Kind == access.Citizen && p.ID == d.CitizenID
}

// DevicePage is a page of devices.
type DevicePage struct {
	Devices []*Device
	Info    *keyset.PageInfo
}

// Devices gives a page of the devices on which the citizen is signed in, the
// last one first. The citizen must be the caller.
func (s *Service) Devices(ctx context.Context, citizenID string, page keyset.Page) (DevicePage, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return DevicePage{}, err
	}
	if p.ID != citizenID {
		return DevicePage{}, fault.New(fault.Forbidden, "登录设备仅限本人查看")
	}
	before := identifier.Last
	if page.After != nil {
		if before = page.After[0]; !input.ID(before) {
			return DevicePage{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
	}
	var rows []*Device
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &rows, `
			SELECT id, device_name, client, address, principal_id, created_at, refreshed_at FROM platform.session
			WHERE kind = 'citizen' AND principal_id = $1 AND id < $2 AND ended_at IS NULL AND expires_at > $3
			ORDER BY id DESC LIMIT $4`, p.ID, before, s.Now(), page.Limit())
	})
	if err != nil {
		return DevicePage{}, fmt.Errorf("session: devices: %w", err)
	}
	found, info := keyset.Of(page, rows, func(d *Device) []string { return []string{d.ID} })
	for _, d := range found {
		d.Current = d.ID == p.Session
	}
	return DevicePage{found, info}, nil
}

// SignOutDevice ends one of the caller's sessions.
func (s *Service) SignOutDevice(ctx context.Context, id string) error {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return err
	}
	missing := fault.New(fault.NotFound, "没有这台登录设备，或已退出登录")
	if !input.ID(id) {
		return missing
	}
	var ended []string
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		ended, err = s.end(ctx, tx, p.Kind, p.ID, strings.ToLower(id), signedOut)
		return err
	})
	if err != nil {
		return err
	}
	if len(ended) == 0 {
		return missing
	}
	s.forget(ctx, ended...)
	return nil
}

// SignOutOthers ends all sessions of the caller but the present one, and gives
// their number.
func (s *Service) SignOutOthers(ctx context.Context) (int, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return 0, err
	}
	var ended []string
	err = s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		ended, err = s.endOthers(ctx, tx, p, signedOut)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.forget(ctx, ended...)
	return len(ended), nil
}

// endOthers ends the principal's sessions but the present one. After the commit
// call forget.
func (s *Service) endOthers(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, why reason) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		SELECT id FROM platform.session WHERE kind = $1 AND principal_id = $2 AND id::text <> $3 AND ended_at IS NULL ORDER BY id`, p.Kind, p.ID, p.Session)
	if err != nil {
		return nil, fmt.Errorf("session: reading the others: %w", err)
	}
	var ended []string
	for _, id := range ids {
		one, err := s.end(ctx, tx, p.Kind, p.ID, id, why)
		if err != nil {
			return nil, err
		}
		ended = append(ended, one...)
	}
	return ended, nil
}

// beijing is the zone of the times that notices name.
var beijing = time.FixedZone("CST", 8*60*60)

// noticeNew tells the citizen of a sign-in on a device that the account never
// knew, unless it is the account's first one. A client that does not name its
// device is known by its kind.
func (s *Service) noticeNew(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, on Machine) error {
	var known struct {
		Any  bool `db:"any"`
		This bool `db:"this"`
	}
	err := sqlx.GetContext(ctx, tx, &known, `
		SELECT count(*) > 0 AS any, coalesce(bool_or(CASE WHEN length($3::bytea) > 0 THEN device_key = $3 ELSE client = $4 END), false) AS this
		FROM platform.session WHERE kind = 'citizen' AND principal_id = $1 AND id <> $2`, p.ID, p.Session, on.key(), p.Client)
	if err != nil {
		return fmt.Errorf("session: looking for the device: %w", err)
	}
	if !known.Any || known.This {
		return nil
	}
	device := Device{Name: on.Name, Client: p.Client}
	request, err := identifier.New()
	if err != nil {
		return err
	}
	return outbox.Append(ctx, tx, "platform", citizen.Notice(request, p.ID, "新设备登录提醒", fmt.Sprintf(
		"您的账户于 %s 在新设备“%s”上登录。如非本人操作，请在“登录设备”中将其退出，并修改密码。",
		s.Now().In(beijing).Format("1月2日 15:04"), device.DisplayName())))
}
