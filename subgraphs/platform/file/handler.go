package file

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Handler serves POST /files (a raw body with X-File-Name, or the first file of
// multipart/form-data), resumable uploads at /files/uploads, and downloads:
// GET /files/{id}, its versions and thumbnails. Errors are JSON in GraphQL's form.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /files", s.post)
	mux.HandleFunc("GET /files/{id}", s.download)
	mux.HandleFunc("GET /files/{id}/versions/{number}", s.download)
	mux.HandleFunc("GET /files/{id}/thumbnails/{pixels}/{number}", s.thumbnail)
	resumable := s.resumable()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := s.authenticate(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case r.URL.Path == "/files/uploads", strings.HasPrefix(r.URL.Path, "/files/uploads/"):
			resumable.ServeHTTP(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// authenticate puts the bearer's principal into the request, unless the server has done so.
func (s *Service) authenticate(r *http.Request) (*http.Request, error) {
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || access.From(r.Context()) != nil {
		return r, nil
	}
	p, _, err := s.Verifier.Access(bearer)
	if err != nil {
		return r, fault.New(fault.Unauthenticated, "登录已失效，请重新登录").Because(err)
	}
	return r.WithContext(access.With(r.Context(), p)), nil
}

func (s *Service) post(w http.ResponseWriter, r *http.Request) {
	p, err := uploader(r.Context()) // before the body is read
	if err == nil {
		err = s.counted(r.Context(), p)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	content, name, claimed, err := receive(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer func() { _ = content.Close() }()
	stored, err := s.store(r.Context(), p, content, name, claimed, nil)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, http.StatusCreated, s.described(r, stored))
}

// described is what the uploader learns of the file.
func (s *Service) described(r *http.Request, stored Stored) map[string]any {
	return map[string]any{
		"id": stored.ID, "receipt": stored.Receipt, "name": stored.Name, "mediaType": stored.MediaType, "state": stored.State,
		"bytes": stored.Bytes, "width": stored.Width, "height": stored.Height, "url": s.Link(r.Context(), stored.FileAsset),
	}
}

// formOverhead is what a multipart form may add to its file.
const formOverhead = 64 << 10

// receive spools the body, within bounds.
func receive(w http.ResponseWriter, r *http.Request) (content *spooled, name, claimed string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxBytes+formOverhead)
	media, err := mediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, "", "", err
	}
	var body io.Reader = r.Body
	if media == "multipart/form-data" {
		form, err := r.MultipartReader()
		if err != nil {
			return nil, "", "", refuse("上传表单无法识别")
		}
		for {
			part, err := form.NextPart()
			if err != nil {
				return nil, "", "", refuse("上传表单中没有文件")
			}
			if part.FileName() == "" {
				continue
			}
			if media, err = mediaType(part.Header.Get("Content-Type")); err != nil {
				return nil, "", "", err
			}
			body, name = part, part.FileName()
			break
		}
	} else if name, err = new(mime.WordDecoder).DecodeHeader(r.Header.Get("X-File-Name")); err != nil {
		return nil, "", "", refuse("X-File-Name 无法识别")
	}
	content, err = spool(body, MaxBytes)
	switch {
	case errors.Is(err, errTooLong):
		return nil, "", "", refuse("文件不能超过 %d MB", MaxBytes>>20)
	case err != nil:
		return nil, "", "", refuse("上传中断，请重试").Because(err)
	}
	return content, name, media, nil
}

var statuses = map[fault.Code]int{
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.InvalidInput: http.StatusBadRequest, fault.Conflict: http.StatusConflict, fault.RateLimited: http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
}

// fail answers with the fault; what is none goes to the log.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Fault
	if !errors.As(err, &f) {
		s.Log.ErrorContext(r.Context(), "file request failed", "method", r.Method, "error", err)
		f = fault.New(fault.Internal, "系统内部错误，请稍后重试")
	}
	status, ok := statuses[f.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	if special := (refusal{}); errors.As(err, &special) {
		status = special.status
	}
	extensions := map[string]any{"code": f.Code}
	if f.Field != "" {
		extensions["field"] = f.Field
	}
	if f.RetryAfter > 0 {
		extensions["retryAfter"] = f.RetryAfter
	}
	s.answer(w, r, status, map[string]any{"errors": []any{map[string]any{"message": f.Message, "extensions": extensions}}})
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.Log.DebugContext(r.Context(), "file answer cut off", slog.Any("error", err))
	}
}
