package demonstration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// owners is how many citizens have files.
func owners(cast *demonstration.Cast) int { return min(240+cast.Citizens()/500, cast.Citizens()) }

// contents is the file store, with what is put into it.
type contents struct{ store file.Files }

// sample is a content that lies in the file store.
type sample struct {
	hash, sm3     []byte
	key           string
	mediaType     string
	kind          file.Kind
	bytes         int
	width, height any
	verdict       string
	finding       string
}

// files gives the first citizens files in each state that lasts:
// two pictures, a document with a former version, one deleted and one archived,
// and some a held one and one that the scanner found something in. The
// contents are few, as equal ones are stored once.
func (c contents) files(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	if owners(cast) == 0 {
		return nil
	}
	var pictures, documents []*sample
	for n := range 6 {
		s, err := c.keep(ctx, drawing(n), "image/png", file.Picture)
		if err != nil {
			return err
		}
		s.width, s.height = 320, 240
		pictures = append(pictures, s)
	}
	for n := range 3 {
		s, err := c.keep(ctx, []byte(fmt.Sprintf("居住情况说明（第 %d 稿）\n\n本文件为演示数据。\n", n+1)), "text/plain", file.Document)
		if err != nil {
			return err
		}
		documents = append(documents, s)
	}
	var found []*sample
	for n := range owners(cast) / 2 {
		s, err := c.keep(ctx, []byte(fmt.Sprintf("演示数据：被判定为有害的文件 %d\n", n+1)), "text/plain", file.Document)
		if err != nil {
			return err
		}
		s.verdict, s.finding = "QUARANTINED", "Demonstration.Test"
		found = append(found, s)
	}
	all := slices.Concat(pictures, documents, found)
	err := bulk(ctx, tx, "blob", []string{"hash", "sm3", "key", "media_type", "kind", "bytes", "width", "height", "verdict", "finding", "created_at"}, func(add func(...any) error) error {
		for _, s := range all {
			if err := add(s.hash, s.sm3, s.key, s.mediaType, string(s.kind), s.bytes, s.width, s.height, s.verdict, s.finding, cast.Anchor.AddDate(0, 0, -100)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return filed(ctx, tx, cast, pictures, documents, found)
}

// keep puts the content into the store, and says where it lies.
func (c contents) keep(ctx context.Context, content []byte, mediaType string, kind file.Kind) (*sample, error) {
	first, second := sha256.Sum256(content), sm3.Sum(content)
	text := hex.EncodeToString(first[:])
	s := &sample{hash: first[:], sm3: second[:], key: "sha256/" + text[:2] + "/" + text, mediaType: mediaType, kind: kind, bytes: len(content), verdict: "CLEAN"}
	return s, c.store.Put(ctx, s.key, bytes.NewReader(content), int64(len(content)))
}

// drawing is a small picture of its own.
func drawing(n int) []byte {
	img := image.NewPaletted(image.Rect(0, 0, 320, 240), color.Palette{
		color.RGBA{0xf4, 0xf1, 0xea, 0xff}, color.RGBA{uint8(40 * n), 0x66, 0x99, 0xff}, color.RGBA{0xcc, uint8(30 * n), 0x33, 0xff}})
	for y := range 240 {
		for x := range 320 {
			switch {
			case (x/(20+5*n)+y/(20+5*n))%5 == 0:
				img.SetColorIndex(x, y, 1)
			case (x-160)*(x-160)+(y-120)*(y-120) < 1600+400*n:
				img.SetColorIndex(x, y, 2)
			}
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, img) // a Buffer takes all
	return out.Bytes()
}

// kept is one file of the demonstration.
type kept struct {
	name     string
	contents []*sample // its versions, the present one last
	state    file.State
	days     int // before the story's end at which it was uploaded
	deleted  int // days before the end; 0 for not at all
	held     bool
}

// filesOf are the files of citizen i.
func filesOf(i int, pictures, documents, found []*sample) []kept {
	picture := func(n int) []*sample { return pictures[(i+n)%len(pictures) : (i+n)%len(pictures)+1] }
	list := []kept{
		{"楼道照片.png", picture(0), file.Available, 40, 0, false},
		{"窗外照片.png", picture(1), file.Available, 12, 0, i%3 == 0},
		{"居住情况说明.txt", documents[i%2 : i%2+2], file.Available, 30, 0, false},
		{"居住情况说明（新）.txt", documents[2:], file.Available, 3, 0, false},
		{"旧照片.png", picture(2), file.Deleted, 50, 2, false},
		{"更旧的照片.png", picture(3), file.Archived, 90, 45, false},
	}
	if i%2 == 0 && i/2 < len(found) {
		list = append(list, kept{"来历不明.txt", found[i/2 : i/2+1], file.Quarantined, 5, 0, false})
	}
	return list
}

const reason = "演示：案件需要"

// filed writes the citizens' files, with their versions and histories.
func filed(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, pictures, documents, found []*sample) error {
	var files, versions, histories, holds [][]any
	officer := demonstration.ID("administrator", 1) // 安全保密管理员
	for i := range owners(cast) {
		owner := cast.Citizen(i)
		for _, k := range filesOf(i, pictures, documents, found) {
			id, at := demonstration.ID("file", len(files)), cast.Anchor.AddDate(0, 0, -k.days)
			present := k.contents[len(k.contents)-1]
			var deleted any
			first := file.Available
			if k.state == file.Quarantined {
				first = k.state
			}
			histories = append(histories, []any{id, "upload", "", string(first), "citizen", owner.ID, "", at})
			if k.deleted > 0 {
				gone := cast.Anchor.AddDate(0, 0, -k.deleted)
				deleted, histories = gone, append(histories, []any{id, "delete", "AVAILABLE", "DELETED", "citizen", owner.ID, "", gone})
			}
			if k.held {
				histories = append(histories, []any{id, "hold", "AVAILABLE", "AVAILABLE", "worker", officer, reason, at.AddDate(0, 0, 1)})
				holds = append(holds, []any{demonstration.ID("file hold", len(holds)), id, reason, officer, at.AddDate(0, 0, 1)})
			}
			files = append(files, []any{id, present.hash, k.name, "citizen", owner.ID, owner.CommunityCode, at, string(k.state), len(k.contents), at.Add(file.Retention(present.kind)), k.held, deleted})
			for n, s := range k.contents {
				versions = append(versions, []any{id, n + 1, s.hash, k.name, at.Add(time.Duration(n) * time.Hour)})
			}
		}
	}
	for _, t := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"file", []string{"id", "hash", "name", "owner_kind", "owner_id", "area_code", "created_at", "state", "version", "retain_until", "held", "deleted_at"}, files},
		{"file_version", []string{"file_id", "number", "hash", "name", "created_at"}, versions},
		{"file_history", []string{"file_id", "action", "from_state", "to_state", "actor_kind", "actor_id", "note", "at"}, histories},
		{"file_hold", []string{"id", "file_id", "reason", "placed_by", "placed_at"}, holds},
	} {
		err := bulk(ctx, tx, t.name, t.columns, func(add func(...any) error) error {
			for _, row := range t.rows {
				if err := add(row...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
