package catalogue

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// data is the checked-in catalogue: the city's list of 230 services, its 61
// departments and the categories.
//
//go:embed data/*.csv
var data embed.FS

// source is the checked-in catalogue as read.
type source struct {
	digest      string // of the files: the catalogue's version
	departments [][]string
	categories  [][]string
	services    []*Service
}

// readSource reads the embedded files. A slip in them stops the tests.
func readSource() (*source, error) {
	read := new(source)
	sum := sha256.New()
	file := func(name string, columns int) ([][]string, error) {
		text, err := fs.ReadFile(data, "data/"+name)
		if err != nil {
			return nil, err
		}
		sum.Write(text)
		reader := csv.NewReader(strings.NewReader(string(text)))
		reader.FieldsPerRecord = columns
		lines, err := reader.ReadAll()
		if err != nil {
			return nil, fmt.Errorf("catalogue: %s: %w", name, err)
		}
		return lines[1:], nil
	}
	var err error
	if read.departments, err = file("departments.csv", 2); err != nil {
		return nil, err
	}
	if read.categories, err = file("categories.csv", 3); err != nil {
		return nil, err
	}
	lines, err := file("services.csv", 8)
	if err != nil {
		return nil, err
	}
	departments, categories := names(read.departments), names(read.categories)
	for _, line := range lines {
		seqNo, err := strconv.Atoi(line[0])
		if err != nil {
			return nil, fmt.Errorf("catalogue: services.csv: number %q: %w", line[0], err)
		}
		s := &Service{ID: sourceID("service", seqNo), Code: fmt.Sprintf("S%03d", seqNo), SeqNo: &seqNo, Name: line[1], Summary: line[7],
			Department: &Department{ID: line[2], Name: departments[line[2]]}, Category: &ServiceCategory{ID: line[3], Name: categories[line[3]]},
			Kind: ServiceKind(line[4]), AssuranceLevel: AssuranceLevel(line[6]), Materials: []string{}, AreaCode: division.CityCode,
			State: Approved, Publication: Published, Version: 1, SortOrder: seqNo}
		for _, channel := range strings.Fields(line[5]) {
			s.Channels = append(s.Channels, Client(channel))
		}
		if s.Department.Name == "" || s.Category.Name == "" {
			return nil, fmt.Errorf("catalogue: services.csv: %d: no department %q or no category %q", seqNo, line[2], line[3])
		}
		read.services = append(read.services, s)
	}
	read.digest = hex.EncodeToString(sum.Sum(nil))
	return read, nil
}

func names(lines [][]string) map[string]string {
	names := make(map[string]string, len(lines))
	for _, line := range lines {
		names[line[0]] = line[1]
	}
	return names
}

// sourceEpoch is the millisecond of the checked-in catalogue's IDs (2024-01-01).
const sourceEpoch = 1_704_067_200_000

// sourceID is a UUIDv7 that is the same in every installation, so that clients
// and other data may refer to a service of the list by ID.
func sourceID(topic string, n int) string {
	sum := sha256.Sum256([]byte("citizen.catalogue." + topic + strconv.Itoa(n)))
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(sourceEpoch+n)<<16)
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// ListedID is the ID of the service with that number in the city's list.
func ListedID(seqNo int) string { return sourceID("service", seqNo) }

// Load brings the checked-in catalogue into the database. It may run at each
// start and in several processes at once: with nothing new it is one look. What
// people have edited since stays as they left it.
func Load(ctx context.Context, db *database.DB) error {
	ctx = access.AsSystem(ctx, "catalogue")
	return db.Write(ctx, func(tx *sqlx.Tx) error { return LoadInto(ctx, tx) })
}

// LoadInto is Load within a transaction whose scope is the system's.
func LoadInto(ctx context.Context, tx sqlx.ExtContext) error {
	from, err := readSource()
	if err != nil {
		return err
	}
	var loaded bool
	err = sqlx.GetContext(ctx, tx, &loaded, `SELECT EXISTS (SELECT FROM citizen.catalogue_release WHERE digest = $1)`, from.digest)
	if err != nil || loaded {
		return err
	}
	// one process at a time; the second finds the first one's work
	if _, err := tx.ExecContext(ctx, `LOCK TABLE citizen.catalogue_release IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return fmt.Errorf("catalogue: waiting for the turn to load: %w", err)
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO citizen.catalogue_release (digest) VALUES ($1) ON CONFLICT DO NOTHING`, from.digest)
	if err != nil {
		return fmt.Errorf("catalogue: marking the release: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return from.write(ctx, tx)
}

func (from *source) write(ctx context.Context, tx sqlx.ExtContext) error {
	for i, line := range from.departments {
		_, err := tx.ExecContext(ctx, `INSERT INTO citizen.department (id, name, sort_order) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, sort_order = excluded.sort_order`, line[0], line[1], i+1)
		if err != nil {
			return fmt.Errorf("catalogue: department %s: %w", line[0], err)
		}
	}
	for i, line := range from.categories {
		_, err := tx.ExecContext(ctx, `INSERT INTO citizen.service_category (id, name, summary, sort_order) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, summary = excluded.summary, sort_order = excluded.sort_order`, line[0], line[1], line[2], i+1)
		if err != nil {
			return fmt.Errorf("catalogue: category %s: %w", line[0], err)
		}
	}
	var present []string
	if err := sqlx.SelectContext(ctx, tx, &present, `SELECT code FROM citizen.service WHERE seq_no IS NOT NULL`); err != nil {
		return fmt.Errorf("catalogue: what is loaded: %w", err)
	}
	there := make(map[string]bool, len(present))
	for _, code := range present {
		there[code] = true
	}
	for _, s := range from.services {
		if there[s.Code] {
			if err := renew(ctx, tx, s); err != nil {
				return err
			}
			continue
		}
		if err := insert(ctx, tx, s, sourceID("entry", *s.SeqNo), "catalogue"); err != nil {
			return err
		}
	}
	return nil
}

// renew brings a listed service to the checked-in text, unless people edited it.
func renew(ctx context.Context, tx sqlx.ExtContext, s *Service) error {
	name, rest := vectors(s, s.Department.Name, s.Category.Name)
	_, err := tx.ExecContext(ctx, `UPDATE citizen.service SET name = $2, summary = $3, department_id = $4, category_id = $5, kind = $6, channels = $7,
		assurance_level = $8, version = version + 1, updated_at = now(), updated_by = 'catalogue', search = `+fmt.Sprintf(searchSQL, 9, 10)+`
		WHERE code = $1 AND NOT edited
		AND (name, summary, department_id, category_id, kind, channels, assurance_level) IS DISTINCT FROM ($2, $3, $4, $5, $6, $7, $8)`,
		s.Code, s.Name, s.Summary, s.Department.ID, s.Category.ID, string(s.Kind), pq.Array(s.Channels), string(s.AssuranceLevel), name, rest)
	if err != nil {
		return fmt.Errorf("catalogue: renewing %s: %w", s.Code, err)
	}
	return nil
}
