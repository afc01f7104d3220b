package entry

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
)

// SetServiceEntryInput sets the master (Client nil) or a client's replica; a
// replica's nil fields inherit, the master's stay as they are.
type SetServiceEntryInput struct {
	ServiceID       string
	Client          *catalogue.Client
	ExpectedVersion int
	Title           *string
	Summary         *string
	Target          *string
	SortOrder       *int
	MinVersion      *string
	GreyPercent     *int
	Enabled         *bool
}

// RemoveServiceEntryInput takes a client's replica away.
type RemoveServiceEntryInput struct {
	ServiceID       string
	Client          catalogue.Client
	ExpectedVersion int
}

// Entries changes entries; reading is Of.
type Entries struct {
	db        *database.DB
	catalogue *catalogue.Catalogue
}

// New makes the entries over the database; the catalogue hears of each change.
func New(db *database.DB, c *catalogue.Catalogue) *Entries { return &Entries{db: db, catalogue: c} }

var versionForm = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4}){0,3}$`)

// check cleans the texts in place and refuses what cannot be.
func (in *SetServiceEntryInput) check() (err error) {
	if in.Title, err = input.Optional("input.title", "标题", in.Title, 60); err != nil {
		return err
	}
	if in.Summary, err = input.Optional("input.summary", "说明", in.Summary, 200); err != nil {
		return err
	}
	if in.Target, err = input.Optional("input.target", "打开的地址", in.Target, 500); err != nil {
		return err
	}
	if in.Target != nil && !targetValid(*in.Target) {
		return fault.Invalid("input.target", "地址须为以 / 开头的站内路径，或以 https:// 开头的网址")
	}
	if in.SortOrder != nil && (*in.SortOrder < 0 || *in.SortOrder > 1_000_000) {
		return fault.Invalid("input.sortOrder", "排列次序须在 0 到 1000000 之间")
	}
	if in.MinVersion != nil && !versionForm.MatchString(*in.MinVersion) {
		return fault.Invalid("input.minVersion", "版本须形如 3.2.0")
	}
	if in.GreyPercent != nil && (*in.GreyPercent < 0 || *in.GreyPercent > 100) {
		return fault.Invalid("input.greyPercent", "灰度比例须在 0 到 100 之间")
	}
	return nil
}

// targetValid takes a path of ours or an https address: nothing that a client
// would run (javascript:) or fetch in the clear.
func targetValid(target string) bool {
	if strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//") {
		return true
	}
	address, err := url.Parse(target)
	return err == nil && address.Scheme == "https" && address.Host != "" && address.User == nil
}

// Set writes an entry of a service that the caller manages, and gives the service.
func (e *Entries) Set(ctx context.Context, in SetServiceEntryInput) (changed *catalogue.Service, err error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	client := ""
	if in.Client != nil {
		client = string(*in.Client)
	}
	return e.change(ctx, in.ServiceID, client, in.ExpectedVersion, "SET_ENTRY", func(tx *sqlx.Tx, l *line, by string) error {
		if l == nil {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			l = &line{ID: id.String(), ServiceID: in.ServiceID, Client: client}
		}
		l.Version++
		if client == "" { // the master is whole: what is not given stays
			keep(&in.Target, l.Target)
			keep(&in.SortOrder, l.SortOrder)
			keep(&in.GreyPercent, l.GreyPercent)
			keep(&in.Enabled, l.Enabled)
			keep(&in.Title, l.Title)
			keep(&in.Summary, l.Summary)
			keep(&in.MinVersion, l.MinVersion)
		}
		l.Title, l.Summary, l.Target, l.SortOrder = in.Title, in.Summary, in.Target, in.SortOrder
		l.MinVersion, l.GreyPercent, l.Enabled = in.MinVersion, in.GreyPercent, in.Enabled
		return save(ctx, tx, l, by)
	})
}

func keep[T any](given **T, old *T) {
	if *given == nil {
		*given = old
	}
}

// Remove takes a client's replica away, which then inherits the master whole.
func (e *Entries) Remove(ctx context.Context, in RemoveServiceEntryInput) (*catalogue.Service, error) {
	return e.change(ctx, in.ServiceID, string(in.Client), in.ExpectedVersion, "REMOVE_ENTRY", func(tx *sqlx.Tx, l *line, _ string) error {
		if l == nil {
			return fault.New(fault.NotFound, "该客户端没有副本入口")
		}
		return remove(ctx, tx, l.ID)
	})
}

// change holds the service and the entry, compares the version and announces
// what edit did, in one transaction.
func (e *Entries) change(ctx context.Context, serviceID, client string, version int, action string,
	edit func(tx *sqlx.Tx, l *line, by string) error) (changed *catalogue.Service, err error) {
	p, err := access.Require(ctx, access.ServiceManage)
	if err != nil {
		return nil, err
	}
	err = e.db.Write(ctx, func(tx *sqlx.Tx) error {
		if changed, err = catalogue.Hold(ctx, tx, serviceID); err != nil {
			return err
		}
		l, err := lock(ctx, tx, serviceID, client)
		if err != nil {
			return err
		}
		if have := versionOf(l); have != version {
			return fault.New(fault.Conflict, "该入口已被他人修改，请刷新后重试")
		}
		if err := edit(tx, l, p.ID); err != nil {
			return err
		}
		audit.Change(ctx, audit.Target{Kind: "Service", ID: serviceID}, map[string]any{"client": client, "entryVersion": version}, map[string]any{"client": client, "did": action})
		if err := catalogue.Announce(ctx, tx, changed, action); err != nil {
			return err
		}
		found, err := catalogue.ByIDs(ctx, tx, []string{serviceID}) // with the entries as they are now
		if err == nil {
			changed = found[0] // it is held
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	e.catalogue.Renew(ctx)
	return changed, nil
}

func versionOf(l *line) int {
	if l == nil {
		return 0
	}
	return l.Version
}
