package file

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Scanner looks for malware. finding is what it calls what it found, "" for
// clean content; an error is no verdict.
type Scanner interface {
	Scan(ctx context.Context, content io.Reader) (finding string, err error)
}

const (
	scanPatience = 3 * time.Minute
	batchSize    = 50
)

// wake lets the background scan at once.
func (s *Service) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Scan asks the scanner about all content that waits for it. What it cannot say
// waits for the next time: nothing unscanned is ever served.
func (s *Service) Scan(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "file")
	if s.Scanner == nil {
		return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return s.settle(ctx, tx) })
	}
	for {
		var waiting []*blob
		err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
			waiting, err = toScan(ctx, tx, batchSize)
			return err
		})
		if err != nil {
			return err
		}
		for _, b := range waiting {
			if err := s.scan(ctx, b); err != nil {
				return err
			}
		}
		if len(waiting) < batchSize {
			return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return s.settle(ctx, tx) })
		}
	}
}

func (s *Service) scan(ctx context.Context, b *blob) error {
	asking, cancel := context.WithTimeout(ctx, scanPatience)
	defer cancel()
	content, _, err := s.Files.Get(asking, b.Key)
	if err != nil {
		return fmt.Errorf("file: opening content for the scanner: %w", err)
	}
	defer func() { _ = content.Close() }()
	finding, err := s.Scanner.Scan(asking, content)
	if err != nil {
		return fmt.Errorf("file: scanning: %w", err)
	}
	v := clean
	if finding != "" {
		v = infected
	}
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if judged, err := judge(ctx, tx, b.Hash, v, finding, s.Now()); err != nil || !judged {
			return err
		}
		return s.settle(ctx, tx)
	})
}

// settle brings the verdicts to the files that wait for them: those of the
// content just judged or cleared, and any that were recorded or brought back meanwhile.
func (s *Service) settle(ctx context.Context, tx *sqlx.Tx) error {
	files, err := lagging(ctx, tx, batchSize)
	if err != nil {
		return err
	}
	for _, f := range files {
		was, action := f.State, "scan"
		if was == Quarantined {
			action = "clear"
		}
		f.State = f.Verdict.state()
		if err := s.changed(ctx, tx, f, change{action: action, from: was, at: s.Now()}); err != nil {
			return err
		}
		if f.State == Quarantined {
			if err := warn(ctx, tx, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// warn tells the owner that the file is not given out.
func warn(ctx context.Context, tx *sqlx.Tx, f *FileAsset) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	recipient := map[string]string{"citizenId": f.OwnerID}
	if f.OwnerKind == access.Worker {
		recipient = map[string]string{"workerId": f.OwnerID}
	}
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: "platform.notification.requested", AreaCode: f.AreaCode, Payload: map[string]any{
		"requestId": id, "recipient": recipient, "topic": "account", "title": "文件未通过安全检查",
		"body": "您上传的文件“" + f.Name + "”未通过安全检查，已被隔离，不能下载。",
	}})
}
