package file

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the protocol's own checksum of a chunk in transport
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Resumable uploads by the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload)
// with its extensions creation, expiration, termination and checksum. What the
// finished upload became stands in the headers File-Id and File-Receipt of the
// last answer, and as JSON at GET of the upload, for whom that answer is lost.
const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,expiration,termination,checksum"
	tusChecksums  = "sha1,sha256"
	maxMetadata   = 4 << 10
	// statusMismatch is tus's "460 Checksum Mismatch".
	statusMismatch = 460
	// readPatience is how long a client may be silent within a chunk.
	readPatience = 30 * time.Second
)

// resumable serves /files/uploads and what is below.
func (s *Service) resumable() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("OPTIONS /files/uploads", s.options)
	mux.HandleFunc("OPTIONS /files/uploads/{id}", s.options)
	mux.HandleFunc("POST /files/uploads", s.create)
	mux.HandleFunc("HEAD /files/uploads/{id}", s.offset)
	mux.HandleFunc("PATCH /files/uploads/{id}", s.chunk)
	mux.HandleFunc("DELETE /files/uploads/{id}", s.terminate)
	mux.HandleFunc("GET /files/uploads/{id}", s.outcome)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Tus-Resumable", tusVersion)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if method := r.Header.Get("X-HTTP-Method-Override"); r.Method == http.MethodPost && (method == http.MethodPatch || method == http.MethodDelete) {
			r.Method = method
		}
		switch {
		case r.Method == http.MethodOptions:
		case access.From(r.Context()) == nil: // before the body is read
			s.fail(w, r, fault.New(fault.Unauthenticated, "请先登录"))
			return
		case r.Method != http.MethodGet && r.Header.Get("Tus-Resumable") != tusVersion:
			w.Header().Set("Tus-Version", tusVersion)
			s.fail(w, r, with(http.StatusPreconditionFailed, refuse("上传协议的版本不受支持")))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Service) options(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header.Set("Tus-Version", tusVersion)
	header.Set("Tus-Extension", tusExtensions)
	header.Set("Tus-Max-Size", strconv.Itoa(MaxUpload))
	header.Set("Tus-Checksum-Algorithm", tusChecksums)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) create(w http.ResponseWriter, r *http.Request) {
	length, err := number(r, "Upload-Length")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	given := r.Header.Get("Upload-Metadata")
	metadata, err := decodeMetadata(given)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	claimed, err := mediaType(metadata["filetype"])
	if err != nil {
		s.fail(w, r, refuse("声明的文件类型无法识别"))
		return
	}
	u, err := s.begin(r.Context(), length, metadata["filename"], claimed, given)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Location", uploadPath(u.ID))
	expires(w, u)
	w.WriteHeader(http.StatusCreated)
}

func expires(w http.ResponseWriter, u *upload) {
	w.Header().Set("Upload-Expires", u.ExpiresAt.UTC().Format(http.TimeFormat))
}

// number reads a header of a count of bytes.
func number(r *http.Request, header string) (int64, error) {
	n, err := strconv.ParseInt(r.Header.Get(header), 10, 64)
	if err != nil || n < 0 {
		return 0, refuse("%s 无效", header)
	}
	return n, nil
}

// decodeMetadata reads Upload-Metadata: pairs of a key and a value in base64.
func decodeMetadata(header string) (map[string]string, error) {
	found := map[string]string{}
	if len(header) > maxMetadata {
		return nil, refuse("Upload-Metadata 过长")
	}
	for pair := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		text, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, refuse("Upload-Metadata 无法识别")
		}
		found[key] = string(text)
	}
	return found, nil
}

func (s *Service) offset(w http.ResponseWriter, r *http.Request) {
	u, err := s.upload(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Upload-Offset", strconv.FormatInt(u.Received, 10))
	header.Set("Upload-Length", strconv.FormatInt(u.Length, 10))
	if u.Metadata != "" {
		header.Set("Upload-Metadata", u.Metadata)
	}
	expires(w, u)
	w.WriteHeader(http.StatusOK)
}

func (s *Service) chunk(w http.ResponseWriter, r *http.Request) {
	u, stored, err := s.receiveChunk(w, r)
	if u != nil {
		expires(w, u)
		w.Header().Set("Upload-Offset", strconv.FormatInt(u.Received, 10))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if stored.FileAsset != nil {
		w.Header().Set("File-Id", stored.ID)
		w.Header().Set("File-Receipt", stored.Receipt)
	}
	w.WriteHeader(http.StatusNoContent)
}

// receiveChunk keeps what comes of the chunk, all or a part of it, and finishes
// the upload with the last. It gives the upload as far as it was the caller's.
func (s *Service) receiveChunk(w http.ResponseWriter, r *http.Request) (*upload, Stored, error) {
	ctx := r.Context()
	if r.Header.Get("Content-Type") != "application/offset+octet-stream" {
		return nil, Stored{}, with(http.StatusUnsupportedMediaType, refuse("Content-Type 须为 application/offset+octet-stream"))
	}
	at, err := number(r, "Upload-Offset")
	if err != nil {
		return nil, Stored{}, err
	}
	tooLarge := with(http.StatusRequestEntityTooLarge, refuse("每次最多上传 %d MB", MaxChunk>>20))
	if r.ContentLength > MaxChunk {
		return nil, Stored{}, tooLarge
	}
	if _, err := s.upload(ctx, r.PathValue("id")); err != nil { // before a lock tells that there is one
		return nil, Stored{}, err
	}
	release, err := s.lock(ctx, r.PathValue("id"))
	if err != nil {
		return nil, Stored{}, err
	}
	defer release()
	u, err := s.upload(ctx, r.PathValue("id"))
	if err != nil {
		return nil, Stored{}, err
	}
	if at != u.Received {
		return u, Stored{}, with(http.StatusConflict, fault.New(fault.Conflict, "上传位置不一致，请重新查询后续传"))
	}
	left := u.Length - u.Received
	if r.ContentLength > left {
		return u, Stored{}, with(http.StatusRequestEntityTooLarge, refuse("超出了声明的文件大小"))
	}
	c, cut, err := s.receiveBytes(w, r, min(left, MaxChunk))
	if errors.Is(err, errTooLong) {
		err = tooLarge
	}
	if err != nil {
		return u, Stored{}, err
	}
	defer func() { _ = c.Close() }()
	if err := s.append(ctx, u, c); err != nil {
		return u, Stored{}, err
	}
	if cut != nil {
		return u, Stored{}, refuse("上传中断，请重试").Because(cut)
	}
	if u.Received < u.Length {
		return u, Stored{}, nil
	}
	stored, err := s.finish(ctx, u)
	return u, stored, err
}

// receiveBytes spools the body. cut says that it broke off; what came before is
// good unless a checksum is to hold for the whole.
func (s *Service) receiveBytes(w http.ResponseWriter, r *http.Request, limit int64) (_ *spooled, cut, err error) {
	check, want, err := checksum(r.Header.Get("Upload-Checksum"))
	if err != nil {
		return nil, nil, err
	}
	body := &patient{reader: r.Body, control: http.NewResponseController(w)}
	defer body.done()
	c, err := spool(io.TeeReader(body, check), limit)
	if err != nil {
		return nil, nil, err
	}
	if body.failed != nil && want != nil {
		_ = c.Close()
		return nil, nil, refuse("上传中断，请重试").Because(body.failed)
	}
	if want != nil && !bytes.Equal(check.Sum(nil), want) {
		_ = c.Close()
		return nil, nil, with(statusMismatch, refuse("数据在传输中损坏，请重传"))
	}
	return c, body.failed, nil
}

// checksum reads Upload-Checksum; want is nil when there is none.
func checksum(header string) (_ hash.Hash, want []byte, err error) {
	if header == "" {
		return sha256.New(), nil, nil // compared with nothing
	}
	algorithm, text, _ := strings.Cut(header, " ")
	if want, err = base64.StdEncoding.DecodeString(text); err != nil || len(want) == 0 {
		return nil, nil, refuse("Upload-Checksum 无效")
	}
	switch algorithm {
	case "sha1":
		return sha1.New(), want, nil //nolint:gosec // see above
	case "sha256":
		return sha256.New(), want, nil
	}
	return nil, nil, refuse("Upload-Checksum 的算法不受支持")
}

// patient reads a body that may be silent for a while only, and takes a break
// of it for its end.
type patient struct {
	reader  io.Reader
	control *http.ResponseController
	failed  error
}

func (p *patient) Read(into []byte) (int, error) {
	if err := p.control.SetReadDeadline(time.Now().Add(readPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) && !errors.Is(err, os.ErrDeadlineExceeded) {
		p.failed = err
		return 0, io.EOF
	}
	n, err := p.reader.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		p.failed, err = err, io.EOF
	}
	return n, err
}

func (p *patient) done() { _ = p.control.SetReadDeadline(time.Time{}) }

func (s *Service) terminate(w http.ResponseWriter, r *http.Request) {
	u, err := s.upload(r.Context(), r.PathValue("id"))
	if err == nil {
		var release func()
		if release, err = s.lock(r.Context(), u.ID); err == nil {
			defer release()
			err = s.abandon(r.Context(), u)
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// outcome answers what the upload became, as POST /files does.
func (s *Service) outcome(w http.ResponseWriter, r *http.Request) {
	u, err := s.upload(r.Context(), r.PathValue("id"))
	var stored Stored
	if err == nil {
		stored, err = s.finish(r.Context(), u)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, s.described(r, stored))
}
