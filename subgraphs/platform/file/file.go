// Package file keeps uploaded files 文件: only what it claims to be gets in
// (pictures are really decoded, archives unfolded within limits), equal content
// is stored once by its hash, and each upload is a FileAsset of its owner with
// versions and a life of its own. A signed receipt lets other subgraphs attach
// a file without asking; signed links let clients load it.
//
// Start reading at FileAsset and State, then Service. What may come in is
// decided in examine.go (pictures in picture.go, archives in archive.go);
// uploads by POST are in handler.go, resumable ones in tus.go and upload.go;
// downloads in download.go; the life to the end in life.go and purge.go, and
// what workers do about others' files in care.go; the SQL in *store.go.
package file

import (
	"context"
	"io"
	"io/fs"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// FileAsset is one file: its present content, and where it stands in its life.
type FileAsset struct {
	ID          string      `db:"id"`
	Name        string      `db:"name"`
	MediaType   string      `db:"media_type"` // the true one, not the claimed one
	Kind        Kind        `db:"kind"`
	Bytes       int64       `db:"bytes"`
	Width       *int        `db:"width"` // pixels; nil for what is no picture
	Height      *int        `db:"height"`
	CreatedAt   time.Time   `db:"created_at"`
	OwnerKind   access.Kind `db:"owner_kind"`
	OwnerID     string      `db:"owner_id"`
	AreaCode    string      `db:"area_code"`
	Hash        []byte      `db:"hash"` // SHA-256 of the content
	SM3         []byte      `db:"sm3"`  // nil for content from before it was taken
	State       State       `db:"state"`
	Version     int         `db:"version"` // of the content, from 1
	RetainUntil time.Time   `db:"retain_until"`
	Held        bool        `db:"held"`
	DeletedAt   *time.Time  `db:"deleted_at"`
	Verdict     verdict     `db:"verdict"` // on the present content
	Key         string      `db:"key"`     // of the present content in Files

	before map[string]any // how it was when it was locked, for the audit log
}

// IsEntity makes FileAsset a federation entity.
func (*FileAsset) IsEntity() {}

// OwnedBy says whether the principal uploaded the file.
func (f *FileAsset) OwnedBy(p *access.Principal) bool {
	return p != nil && p.Kind == f.OwnerKind && p.ID == f.OwnerID
}

// knownTo says whether the principal may see the life of the file: its owner,
// and who looks after the files of its area.
func (f *FileAsset) knownTo(p *access.Principal) bool {
	return f.OwnedBy(p) || f.AreaCode != "" && caresFor(p, f.AreaCode)
}

// audited is what the audit log says of the file as it stands; names of files
// may be somebody's, and stay out of it.
func (f *FileAsset) audited() map[string]any {
	return map[string]any{"kind": f.Kind, "bytes": f.Bytes, "state": f.State, "version": f.Version, "held": f.Held, "retainUntil": f.RetainUntil}
}

// FileVersion is one content that a file has or had.
type FileVersion struct {
	FileID    string     `db:"file_id"`
	Number    int        `db:"number"` // from 1
	Name      string     `db:"name"`
	MediaType string     `db:"media_type"`
	Bytes     int64      `db:"bytes"`
	Hash      []byte     `db:"hash"`
	CreatedAt time.Time  `db:"created_at"`
	Verdict   verdict    `db:"verdict"`
	Key       string     `db:"key"`
	Width     *int       `db:"width"`
	Of        *FileAsset `db:"-"` // the file that they were asked of
}

// Files is where content lies: a folder, or a bucket of object storage.
type Files interface {
	// Put stores size bytes under the key; a key is always put with the same content.
	Put(ctx context.Context, key string, content io.Reader, size int64) error
	// Get opens what was put, at any place of it; the caller closes it. What is
	// not there gives fs.ErrNotExist.
	Get(ctx context.Context, key string) (io.ReadSeekCloser, fs.FileInfo, error)
	// Delete removes what was put; a missing key is no error.
	Delete(ctx context.Context, key string) error
}
