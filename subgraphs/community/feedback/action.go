package feedback

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// dailyLimit is how many cases one citizen may submit in a day.
const dailyLimit = 20

// Submit makes a new case of the signed-in citizen.
func (s *Desk) Submit(ctx context.Context, in SubmitFeedbackInput) (*FeedbackCase, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	files, err := s.pictures(p, in.Pictures)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	at := s.now()
	c := &FeedbackCase{
		ID: id.String(), AreaCode: in.AreaID, Class: in.Class, State: Submitted, Title: in.Title, Content: in.Content, FileIDs: files,
		Anonymous: in.Anonymous != nil && *in.Anonymous, CitizenID: p.ID, CreatedAt: at, UpdatedAt: at, Version: 1,
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		var today int
		err := tx.GetContext(ctx, &today,
			`SELECT count(*) FROM community.feedback_case WHERE citizen_id = $1 AND created_at >= $2`, p.ID, workday.Start(at))
		if err != nil {
			return err
		}
		if today >= dailyLimit {
			return fault.New(fault.RateLimited, "今天提交的意见反馈已达 %d 件，请明天再提交", dailyLimit)
		}
		calendar, err := workday.Read(ctx, tx, at)
		if err != nil {
			return err
		}
		c.DueAt = calendar.Add(at, c.Class.Limit())
		if c.Number, err = nextNumber(ctx, tx, workday.Day(at)); err != nil {
			return err
		}
		if err := insert(ctx, tx, c); err != nil {
			return err
		}
		if err := record(ctx, tx, c, at, line{step: step{Submit, Submitted}, actor: ByCitizen}); err != nil {
			return err
		}
		audit.Change(ctx, c.target(), nil, c.audited())
		return announce(ctx, tx, c, Submit, p, "", at)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// pictures turns receipts into the IDs of files that the principal uploaded.
func (s *Desk) pictures(p *access.Principal, receipts []string) ([]string, error) {
	files := make([]string, 0, len(receipts))
	for _, receipt := range receipts {
		r, err := s.Receipts.Receipt(receipt, p.ID)
		if err != nil {
			return nil, fault.Invalid("input.pictures", "图片的上传凭证无效或已过期，请重新上传").Because(err)
		}
		if !strings.HasPrefix(r.Media, "image/") {
			return nil, fault.Invalid("input.pictures", "只能附图片")
		}
		if slices.Contains(files, r.FileID) {
			return nil, fault.Invalid("input.pictures", "同一张图片请只附一次")
		}
		files = append(files, r.FileID)
	}
	return files, nil
}

// Assign gives the case to a worker, or to the community's queue.
func (s *Desk) Assign(ctx context.Context, in AssignFeedbackInput) (*FeedbackCase, error) {
	note, err := input.Optional("input.note", "说明", in.Note, 500)
	if err != nil {
		return nil, err
	}
	if in.WorkerID != nil && !input.ID(*in.WorkerID) {
		return nil, fault.Invalid("input.workerId", "请选择工作人员")
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Assign, note,
		func(_ context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.AssigneeID = in.WorkerID
			return nil
		}})
}

// Take makes the worker the one who deals with the case, and begins.
func (s *Desk) Take(ctx context.Context, in TakeFeedbackInput) (*FeedbackCase, error) {
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Take, nil,
		func(ctx context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.AssigneeID = workerOf(access.From(ctx))
			return nil
		}})
}

// Return gives the case back before its handling has begun.
func (s *Desk) Return(ctx context.Context, in ReturnFeedbackInput) (*FeedbackCase, error) {
	reason, err := input.Text("input.reason", "理由", in.Reason, 2, 500)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Return, &reason,
		func(_ context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.AssigneeID = nil
			return nil
		}})
}

// RequestInfo asks the citizen; the clock stands still until the answer.
func (s *Desk) RequestInfo(ctx context.Context, in RequestInfoInput) (*FeedbackCase, error) {
	question, err := input.Text("input.question", "问题", in.Question, 2, 500)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, RequestInfo, &question,
		func(_ context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.Question = &question
			return nil
		}})
}

// SupplyInfo is the citizen's answer.
func (s *Desk) SupplyInfo(ctx context.Context, in SupplyInfoInput) (*FeedbackCase, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	content, err := input.Text("input.content", "内容", in.Content, 2, 2000)
	if err != nil {
		return nil, err
	}
	if err := pictureCount(len(in.Pictures)); err != nil {
		return nil, err
	}
	files, err := s.pictures(p, in.Pictures)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, SupplyInfo, &content,
		func(ctx context.Context, tx *sqlx.Tx, c *FeedbackCase, at time.Time) error {
			c.FileIDs = append(c.FileIDs, files...)
			if err := pictureCount(len(c.FileIDs)); err != nil {
				return err
			}
			return resume(ctx, tx, c, at)
		}})
}

// Reply is the community's answer.
func (s *Desk) Reply(ctx context.Context, in ReplyFeedbackInput) (*FeedbackCase, error) {
	content, err := input.Text("input.content", "内容", in.Content, 2, 2000)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Reply, &content,
		func(_ context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.Reply = &content
			return nil
		}})
}

// Reject refuses the case, and says why.
func (s *Desk) Reject(ctx context.Context, in RejectFeedbackInput) (*FeedbackCase, error) {
	reason, err := input.Text("input.reason", "理由", in.Reason, 2, 500)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Reject, &reason,
		func(_ context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.Reply = &reason
			return nil
		}})
}

// MarkDuplicate points at the case of the same community that came first.
func (s *Desk) MarkDuplicate(ctx context.Context, in MarkDuplicateInput) (*FeedbackCase, error) {
	return s.change(ctx, change{in.ID, in.ExpectedVersion, MarkDuplicate, nil,
		func(ctx context.Context, tx *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			if !input.ID(in.OriginalID) {
				return fault.Invalid("input.originalId", "未找到原件")
			}
			original, err := one(ctx, tx, in.OriginalID)
			if err != nil {
				return err
			}
			if original == nil || original.ID == c.ID || original.AreaCode != c.AreaCode || original.State == Duplicate {
				return fault.Invalid("input.originalId", "原件须是同一社区的另一件，且本身不是重复件")
			}
			c.DuplicateOf = &original.Number
			return nil
		}})
}

// Reopen objects to a result; the time limit begins anew, and the result's
// rating stays in the history only.
func (s *Desk) Reopen(ctx context.Context, in ReopenFeedbackInput) (*FeedbackCase, error) {
	reason, err := input.Text("input.reason", "理由", in.Reason, 2, 500)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Reopen, &reason,
		func(ctx context.Context, tx *sqlx.Tx, c *FeedbackCase, at time.Time) error {
			calendar, err := workday.Read(ctx, tx, at)
			if err != nil {
				return err
			}
			c.DueAt = calendar.Add(at, c.Class.Limit())
			c.Rating, c.RatingComment, c.AssigneeID = nil, nil, nil
			return nil
		}})
}

// Close accepts the reply.
func (s *Desk) Close(ctx context.Context, in CloseFeedbackInput) (*FeedbackCase, error) {
	return s.change(ctx, change{id: in.ID, expectedVersion: in.ExpectedVersion, action: Close})
}

// Rate rates the present result, once.
func (s *Desk) Rate(ctx context.Context, in RateFeedbackInput) (*FeedbackCase, error) {
	if in.Rating < 1 || in.Rating > 5 {
		return nil, fault.Invalid("input.rating", "星级须在 1 到 5 之间")
	}
	comment, err := input.Optional("input.comment", "留言", in.Comment, 500)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, change{in.ID, in.ExpectedVersion, Rate, rated(in.Rating, comment),
		func(_ context.Context, _ *sqlx.Tx, c *FeedbackCase, _ time.Time) error {
			c.Rating, c.RatingComment = &in.Rating, comment
			return nil
		}})
}

// rated is the history's note, so that a rating outlives a reopening.
func rated(stars int, comment *string) *string {
	note := string(rune('0'+stars)) + " 星"
	if comment != nil {
		note += "：" + *comment
	}
	return &note
}
