package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// columns and tables are what every read of services begins with. Counts of
// use are the city's. The entries come along, at most six a service: most
// answers show one of them, and an answer with several lists of services then
// costs no statement more. m is the master entry, which gives the order.
const (
	columns = `s.id, s.code, s.seq_no, s.name, s.summary, s.kind, s.channels, s.assurance_level,
	s.eligibility, s.materials, s.fee_fen, s.contact, s.area_code, s.state, s.publication, s.health, s.health_note,
	s.version, s.created_at, s.updated_at,
	d.id AS "department.id", d.name AS "department.name",
	c.id AS "category.id", c.name AS "category.name", c.summary AS "category.summary", c.sort_order AS "category.sort_order",
	COALESCE(p.total, 0) AS use_count,
	(SELECT json_agg(e ORDER BY e.client) FROM (SELECT id, client, title, summary, target, sort_order, min_version, grey_percent, enabled, version
		FROM citizen.service_entry WHERE service_id = s.id) e) AS entry_lines`
	tables = ` FROM citizen.service s
	JOIN citizen.department d ON d.id = s.department_id
	JOIN citizen.service_category c ON c.id = s.category_id
	LEFT JOIN citizen.popularity p ON p.service_id = s.id AND p.area_code = '` + division.CityCode + `'`
	byMaster = ` JOIN citizen.service_entry m ON m.service_id = s.id AND m.client = ''`
)

// row is a service as read: arrays need their own types.
type row struct {
	Service
	Channels  pq.StringArray `db:"channels"`
	Materials pq.StringArray `db:"materials"`
	Entries   []byte         `db:"entry_lines"` // in JSON; nil for none
}

func services(rows []row) ([]*Service, error) {
	all := make([]*Service, len(rows))
	for i := range rows {
		s := &rows[i].Service
		s.Materials = rows[i].Materials
		s.Channels = make([]Client, len(rows[i].Channels))
		for j, channel := range rows[i].Channels {
			s.Channels[j] = Client(channel)
		}
		if rows[i].Entries != nil {
			if err := json.Unmarshal(rows[i].Entries, &s.EntryLines); err != nil {
				return nil, fmt.Errorf("catalogue: reading the entries of %s: %w", s.Code, err)
			}
		}
		all[i] = s
	}
	return all, nil
}

// Filter chooses services of a list; the zero value all that are published.
type Filter struct {
	Search       string
	CategoryID   *string
	DepartmentID *string
	Kind         *ServiceKind
	Client       *Client
	// Viewer is the principal's ID, "" for nobody: it decides who belongs to a grey release.
	Viewer string
	// Managed lists unpublished ones too, of the areas that begin with one of Prefixes.
	Managed     bool
	Prefixes    []string
	States      []ServiceState
	Publication *ServicePublication
	Health      *ServiceHealth
}

// greyShare is the SQL that places a viewer (text) of a service (uuid) at a
// number from 0 to 99, for grey releases; GreyShare computes the same.
const greyShare = `(('x' || substr(md5(%s::text || %s), 1, 8))::bit(32)::bigint %% 100)`

// where gives the filter's joins, order columns and conditions.
func (f Filter) where() (joins, order string, c *condition.Where) {
	c = new(condition.Where)
	joins, order = byMaster, "m.sort_order"
	if f.Managed {
		c.Add("s.area_code ^@ ANY(?)", pq.Array(f.Prefixes))
		if len(f.States) > 0 {
			c.Add("s.state = ANY(?)", pq.Array(f.States))
		}
		if f.Publication != nil {
			c.Add("s.publication = ?", string(*f.Publication))
		}
		if f.Health != nil {
			c.Add("s.health = ?", string(*f.Health))
		}
	} else {
		c.Add("s.publication = 'PUBLISHED'")
	}
	if f.CategoryID != nil {
		c.Add("s.category_id = ?", *f.CategoryID)
	}
	if f.DepartmentID != nil {
		c.Add("s.department_id = ?", *f.DepartmentID)
	}
	if f.Kind != nil {
		c.Add("s.kind = ?", string(*f.Kind))
	}
	if f.Client != nil {
		n := c.Arg(string(*f.Client))
		c.Add(n + " = ANY(s.channels)")
		joins += ` LEFT JOIN citizen.service_entry r ON r.service_id = s.id AND r.client = ` + n
		order = "COALESCE(r.sort_order, m.sort_order)"
		c.Add("COALESCE(r.enabled, m.enabled)")
		viewer := c.Arg(f.Viewer)
		grey := "COALESCE(r.grey_percent, m.grey_percent)"
		c.Add("(" + grey + " = 100 OR (" + viewer + " <> '' AND " + fmt.Sprintf(greyShare, "s.id", viewer) + " < " + grey + "))")
	}
	return joins, order, c
}

// list reads one page: services whose name holds the search come before those
// where another text does, then the entries' order, then the code.
func list(ctx context.Context, tx sqlx.QueryerContext, f Filter, page keyset.Page) ([]*Service, error) {
	joins, order, c := f.where()
	miss := "0"
	if f.Search != "" {
		query, _ := bigram.Query(f.Search)
		search := c.Arg(query) + "::tsquery"
		c.Add("s.search @@ " + search)
		miss = "CASE WHEN ts_filter(s.search, '{a}') @@ " + search + " THEN 0 ELSE 1 END"
	}
	if page.After != nil {
		if !numbers(page.After[:2]) {
			return nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
		c.Add("("+miss+", "+order+`, s.code COLLATE "C") > (?::int, ?::int, ?)`, page.After[0], page.After[1], page.After[2])
	}
	var rows []row
	err := sqlx.SelectContext(ctx, tx, &rows, `SELECT `+columns+`, `+miss+` AS miss, `+order+` AS sort_order`+tables+joins+
		` WHERE `+c.String()+` ORDER BY miss, sort_order, s.code COLLATE "C" LIMIT `+strconv.Itoa(page.Limit()), c.Args()...)
	if err != nil {
		return nil, fmt.Errorf("catalogue: listing services: %w", err)
	}
	return services(rows)
}

// key is a row's place in the list's order.
func key(s *Service) []string {
	return []string{strconv.Itoa(s.Miss), strconv.Itoa(s.SortOrder), s.Code}
}

func numbers(texts []string) bool {
	for _, text := range texts {
		if _, err := strconv.ParseInt(text, 10, 32); err != nil {
			return false
		}
	}
	return true
}

func count(ctx context.Context, tx sqlx.QueryerContext, f Filter) (int, error) {
	joins, _, c := f.where()
	if f.Search != "" {
		query, _ := bigram.Query(f.Search)
		c.Add("s.search @@ ?::tsquery", query)
	}
	var n int
	if err := sqlx.GetContext(ctx, tx, &n, `SELECT count(*) FROM citizen.service s`+joins+` WHERE `+c.String(), c.Args()...); err != nil {
		return 0, fmt.Errorf("catalogue: counting services: %w", err)
	}
	return n, nil
}

// ByIDs reads the services of the IDs that row-level security shows, in no order.
func ByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*Service, error) {
	return read(ctx, tx, `s.id = ANY($1::uuid[])`, pq.Array(ids))
}

func read(ctx context.Context, tx sqlx.QueryerContext, where string, args ...any) ([]*Service, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, tx, &rows, `SELECT `+columns+tables+` WHERE `+where, args...); err != nil {
		return nil, fmt.Errorf("catalogue: reading services: %w", err)
	}
	return services(rows)
}

// lock reads a service and holds it until the transaction ends; nil if there is none.
func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*Service, error) {
	found, err := read(ctx, tx, `s.id = $1 FOR UPDATE OF s`, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func categories(ctx context.Context, tx sqlx.QueryerContext) ([]*ServiceCategory, error) {
	var all []*ServiceCategory
	err := sqlx.SelectContext(ctx, tx, &all, `SELECT id, name, summary, sort_order FROM citizen.service_category ORDER BY sort_order, id`)
	if err != nil {
		return nil, fmt.Errorf("catalogue: reading categories: %w", err)
	}
	return all, nil
}

func departments(ctx context.Context, tx sqlx.QueryerContext) ([]*Department, error) {
	var all []*Department
	if err := sqlx.SelectContext(ctx, tx, &all, `SELECT id, name FROM citizen.department ORDER BY sort_order, id`); err != nil {
		return nil, fmt.Errorf("catalogue: reading departments: %w", err)
	}
	return all, nil
}

// published counts the published services by department or category, which
// column (a name of ours) says.
func published(ctx context.Context, tx sqlx.QueryerContext, column string) (map[string]int, error) {
	var rows []struct {
		ID string `db:"id"`
		N  int    `db:"n"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows,
		`SELECT `+column+` AS id, count(*) AS n FROM citizen.service WHERE publication = 'PUBLISHED' GROUP BY 1`)
	if err != nil {
		return nil, fmt.Errorf("catalogue: counting by %s: %w", column, err)
	}
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.ID] = r.N
	}
	return counts, nil
}
