package file

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// A link counts for at least linkTime; its end is rounded up to a step, so that
// the link stays the same for a while and clients can cache by it.
const (
	linkTime = 30 * time.Minute
	linkStep = 15 * time.Minute
)

// Link is the path and query to load the file by, for a limited time, without
// signing in. It is made for the caller: with somebody else's token it does not
// count. "" while the file is not served.
func (s *Service) Link(ctx context.Context, f *FileAsset) string {
	if f.State != Available || f.Verdict != clean {
		return ""
	}
	if f.Version == 1 {
		return s.link(ctx, filePath(f.ID))
	}
	return s.link(ctx, versionPath(f.ID, f.Version)) // what is cached of the first stays true
}

// VersionLink is Link for one version; the file is the version's.
func (s *Service) VersionLink(ctx context.Context, f *FileAsset, v *FileVersion) string {
	if f == nil || f.State != Available || v.Verdict != clean || !f.OwnedBy(access.From(ctx)) {
		return "" // who may hold a file does not read it
	}
	return s.link(ctx, versionPath(f.ID, v.Number))
}

// ThumbnailLink is Link for a small copy of a picture; "" for what is none.
func (s *Service) ThumbnailLink(ctx context.Context, f *FileAsset, size ThumbnailSize) string {
	if f.State != Available || f.Verdict != clean || f.Kind != Picture || pixels[size] == 0 {
		return ""
	}
	return s.link(ctx, thumbnailPath(f.ID, size)+"/"+fmt.Sprint(f.Version))
}

func filePath(id string) string { return "/files/" + id }
func versionPath(id string, number int) string {
	return fmt.Sprintf("/files/%s/versions/%d", id, number)
}
func thumbnailPath(id string, size ThumbnailSize) string {
	return fmt.Sprintf("/files/%s/thumbnails/%d", id, pixels[size])
}

func (s *Service) link(ctx context.Context, path string) string {
	return s.links.Sign(path, audience(access.From(ctx)), s.Now().Add(linkTime).Truncate(linkStep).Add(linkStep))
}

// audience names a principal in links without giving the ID away.
func audience(p *access.Principal) string {
	if p == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(string(p.Kind) + ":" + p.ID))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// signed says whether the address is that of a link which still counts, and
// which was not made for somebody else than the caller.
func (s *Service) signed(ctx context.Context, address *url.URL) bool {
	to, ok := s.links.Check(address.Path, address.Query())
	p := access.From(ctx)
	return ok && (p == nil || to == audience(p))
}
