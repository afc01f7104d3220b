package feedback

import (
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
)

// maxPictures is how many pictures a case may have.
const maxPictures = 9

// SubmitFeedbackInput is a new case.
type SubmitFeedbackInput struct {
	AreaID    string
	Class     FeedbackClass
	Title     string
	Content   string
	Pictures  []string // receipts of uploads
	Anonymous *bool
}

// AssignFeedbackInput gives a case to a worker, or to the community's queue.
type AssignFeedbackInput struct {
	ID              string
	ExpectedVersion int
	WorkerID        *string
	Note            *string
}

// TakeFeedbackInput takes a case.
type TakeFeedbackInput struct {
	ID              string
	ExpectedVersion int
}

// ReturnFeedbackInput gives an assigned case back.
type ReturnFeedbackInput struct {
	ID              string
	ExpectedVersion int
	Reason          string
}

// RequestInfoInput asks the citizen something.
type RequestInfoInput struct {
	ID              string
	ExpectedVersion int
	Question        string
}

// SupplyInfoInput answers what was asked.
type SupplyInfoInput struct {
	ID              string
	ExpectedVersion int
	Content         string
	Pictures        []string
}

// ReplyFeedbackInput is the community's answer.
type ReplyFeedbackInput struct {
	ID              string
	ExpectedVersion int
	Content         string
}

// RejectFeedbackInput refuses a case.
type RejectFeedbackInput struct {
	ID              string
	ExpectedVersion int
	Reason          string
}

// MarkDuplicateInput points at the case that came first.
type MarkDuplicateInput struct {
	ID              string
	ExpectedVersion int
	OriginalID      string
}

// ReopenFeedbackInput objects to a result.
type ReopenFeedbackInput struct {
	ID              string
	ExpectedVersion int
	Reason          string
}

// CloseFeedbackInput accepts a reply.
type CloseFeedbackInput struct {
	ID              string
	ExpectedVersion int
}

// RateFeedbackInput rates a result.
type RateFeedbackInput struct {
	ID              string
	ExpectedVersion int
	Rating          int
	Comment         *string
}

// community checks that the area is a community that exists.
func community(field, code string) error {
	if !area.Exists(code) || division.LevelOf(code) != division.Community {
		return fault.Invalid(field, "请选择所在的社区")
	}
	return nil
}

func (in *SubmitFeedbackInput) check() (err error) {
	if err := community("input.areaId", in.AreaID); err != nil {
		return err
	}
	if in.Class.Limit() == 0 {
		return fault.Invalid("input.class", "请选择类别")
	}
	if in.Title, err = input.Text("input.title", "标题", in.Title, 2, 60); err != nil {
		return err
	}
	if in.Content, err = input.Text("input.content", "内容", in.Content, 5, 2000); err != nil {
		return err
	}
	return pictureCount(len(in.Pictures))
}

func pictureCount(n int) error {
	if n > maxPictures {
		return fault.Invalid("input.pictures", "图片最多 %d 张", maxPictures)
	}
	return nil
}
