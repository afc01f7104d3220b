package file

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// served gives the file to its owner, or to whoever has a signed link (signed),
// when its state lets it be served at all.
func (s *Service) served(ctx context.Context, id string, signed bool) (*FileAsset, error) {
	asking := access.From(ctx)
	if signed {
		ctx = access.AsSystem(ctx, "file")
	}
	found, err := s.find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	f := found[id]
	if f == nil || !signed && !f.OwnedBy(asking) {
		if asking == nil {
			return nil, fault.New(fault.Unauthenticated, "请先登录")
		}
		return nil, gone()
	}
	switch f.State {
	case Available:
		return f, nil
	case Scanning:
		return nil, fault.New(fault.Conflict, "文件正在进行安全检查，请稍后再试")
	case Quarantined:
		return nil, quarantined()
	default:
		return nil, gone()
	}
}

func gone() error { return fault.New(fault.NotFound, "文件不存在，或链接已失效") }
func quarantined() error {
	return fault.New(fault.Forbidden, "文件未通过安全检查，不能下载")
}

// numbered gives one version of the file; nothing but clean content is given.
func (s *Service) numbered(ctx context.Context, f *FileAsset, text string) (*FileVersion, error) {
	present := &FileVersion{FileID: f.ID, Number: f.Version, Name: f.Name, MediaType: f.MediaType, Bytes: f.Bytes, Hash: f.Hash, Verdict: f.Verdict, Key: f.Key, Width: f.Width}
	number, err := strconv.Atoi(text)
	if text == "" || err == nil && number == f.Version {
		if f.Verdict != clean {
			return nil, quarantined()
		}
		return present, nil
	}
	if err != nil {
		return nil, gone()
	}
	var found *FileVersion
	err = s.DB.Read(access.AsSystem(ctx, "file"), func(tx *sqlx.Tx) (err error) {
		found, err = version(ctx, tx, f.ID, number)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, gone()
	case found.Verdict != clean:
		return nil, quarantined()
	}
	return found, nil
}

// wanted is what a download asks for, if it may be given.
func (s *Service) wanted(r *http.Request) (v *FileVersion, signed bool, err error) {
	signed = s.signed(r.Context(), r.URL)
	f, err := s.served(r.Context(), r.PathValue("id"), signed)
	if err != nil {
		return nil, signed, err
	}
	v, err = s.numbered(r.Context(), f, r.PathValue("number"))
	return v, signed, err
}

// download serves content: whole, by range (RFC 9110), or 304 by its ETag, the hash.
func (s *Service) download(w http.ResponseWriter, r *http.Request) {
	v, signed, err := s.wanted(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	stored, _, err := s.Files.Get(r.Context(), v.Key)
	if err != nil {
		s.fail(w, r, fmt.Errorf("file: opening the content of %s: %w", v.FileID, err))
		return
	}
	defer func() { _ = stored.Close() }()
	s.serve(w, r, stored, v.MediaType, v.Name, hex.EncodeToString(v.Hash), signed)
}

// serve writes content so that no browser makes anything else of it.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, content io.ReadSeeker, mediaType, name, tag string, signed bool) {
	header := w.Header()
	if mediaType == "text/plain" || mediaType == "text/csv" {
		mediaType += "; charset=utf-8"
	}
	header.Set("Content-Type", mediaType)
	header.Set("Content-Disposition", disposition(mediaType, name))
	header.Set("ETag", `"`+tag+`"`)
	header.Set("Cache-Control", "private, no-cache")
	if signed {
		header.Set("Cache-Control", "private, max-age=900") // a link to another content is another link
	}
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", "same-site")
	http.ServeContent(&patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}, r, "", time.Time{}, content)
}

// writePatience is how long a client may take nothing.
const writePatience = time.Minute

// patientWriter gives up on a client that takes nothing.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p *patientWriter) Write(content []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(writePatience)) // a recorder in tests has none
	return p.ResponseWriter.Write(content)
}
