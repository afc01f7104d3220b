package file

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// FileUploadState is how far a resumable upload has come.
type FileUploadState string

// The states.
const (
	Receiving FileUploadState = "RECEIVING"
	Completed FileUploadState = "COMPLETED"
	Refused   FileUploadState = "REFUSED"
	Expired   FileUploadState = "EXPIRED"
)

// FileUpload is a resumable upload as its owner sees it.
type FileUpload struct {
	ID            string
	Name          string
	Bytes         int64 // that it shall have
	ReceivedBytes int64
	State         FileUploadState
	Location      string // to go on at, by tus
	Refusal       string // why it was not taken; "" for none
	FileID        *string
	CreatedAt     time.Time
	ExpiresAt     time.Time
}

func (u *upload) shown(now time.Time) *FileUpload {
	shown := &FileUpload{ID: u.ID, Name: u.Name, Bytes: u.Length, ReceivedBytes: u.Received, State: Receiving, Location: uploadPath(u.ID), Refusal: u.Refusal,
		FileID: u.FileID, CreatedAt: u.CreatedAt, ExpiresAt: u.ExpiresAt}
	switch {
	case u.FileID != nil:
		shown.State = Completed
	case u.Refusal != "":
		shown.State = Refused
	case !now.Before(u.ExpiresAt):
		shown.State = Expired
	}
	return shown
}

func uploadPath(id string) string { return "/files/uploads/" + id }

// UploadPage is a page of uploads.
type UploadPage struct {
	Uploads []*FileUpload
	Info    *keyset.PageInfo
}

// MyUploads gives a page of the caller's resumable uploads, newest first: those
// on their way, and those that ended and are not yet forgotten.
func (s *Service) MyUploads(ctx context.Context, page keyset.Page) (UploadPage, error) {
	p, err := uploader(ctx)
	if err != nil {
		return UploadPage{}, err
	}
	if err := checkCursor(page); err != nil {
		return UploadPage{}, err
	}
	var rows []*upload
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = uploadsOf(ctx, tx, p, page)
		return err
	})
	if err != nil {
		return UploadPage{}, err
	}
	rows, info := keyset.Of(page, rows, func(u *upload) []string { return []string{u.ID} })
	found := UploadPage{Info: info}
	for _, u := range rows {
		found.Uploads = append(found.Uploads, u.shown(s.Now()))
	}
	return found, nil
}

func uploadsOf(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, page keyset.Page) ([]*upload, error) {
	after := identifier.Last
	if page.After != nil {
		after = page.After[0]
	}
	var found []*upload
	err := sqlx.SelectContext(ctx, tx, &found, selectedUpload+` WHERE owner_kind = $1 AND owner_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4`,
		string(p.Kind), p.ID, after, page.Limit())
	if err != nil {
		return nil, fmt.Errorf("file: uploads: %w", err)
	}
	return found, nil
}
