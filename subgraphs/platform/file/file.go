// Package file keeps uploaded files 文件: only what it claims to be gets in
// (pictures are really decoded), equal content is stored once by its hash, and
// each upload is a FileAsset of its owner. A signed receipt lets other
// subgraphs attach a file without asking; signed links let clients load it.
//
// Start reading at FileAsset, then Service; what may come in is decided in
// examine.go, HTTP is in handler.go, the SQL in store.go.
package file

import (
	"context"
	"io"
	"io/fs"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// FileAsset is one uploaded file.
type FileAsset struct {
	ID        string      `db:"id"`
	Name      string      `db:"name"`
	MediaType string      `db:"media_type"` // the true one, not the claimed one
	Bytes     int64       `db:"bytes"`
	Width     *int        `db:"width"` // pixels; nil for what is no picture
	Height    *int        `db:"height"`
	CreatedAt time.Time   `db:"created_at"`
	OwnerKind access.Kind `db:"owner_kind"`
	OwnerID   string      `db:"owner_id"`
	Hash      []byte      `db:"hash"` // SHA-256 of the content
}

// IsEntity makes FileAsset a federation entity.
func (*FileAsset) IsEntity() {}

// ownedBy says whether the principal uploaded the file.
func (f *FileAsset) ownedBy(p *access.Principal) bool {
	return p != nil && p.Kind == f.OwnerKind && p.ID == f.OwnerID
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
