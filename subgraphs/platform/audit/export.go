package audit

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/sheet"
)

// ExportAuditEntriesInput chooses what is exported, and says what for.
type ExportAuditEntriesInput struct {
	Filter  *AuditEntryFilter
	Purpose string
}

// Export is a finished export.
type Export struct {
	FileName  string
	CSV       string // UTF-8 with a byte order mark, as spreadsheets want it
	Rows      int
	Truncated bool // there were more than MaxExport
}

// MaxExport bounds the rows of one export.
const MaxExport = 5000

// exportColumns are the headings, in the order of cells.
var exportColumns = []string{"时间", "结果", "操作", "子系统", "操作者类型", "操作者", "操作者标识", "角色", "岗位", "区划", "客户端", "IP", "请求标识", "链路标识",
	"目的", "对象类型", "对象标识", "变更前", "变更后", "输入", "日期", "序号", "杂凑值"}

// Export writes the chosen entries, newest first, as CSV. It needs audit.view.
func (s *Service) Export(ctx context.Context, in ExportAuditEntriesInput) (*Export, error) {
	p, err := access.Require(ctx, access.AuditView)
	if err != nil {
		return nil, err
	}
	purpose, err := Purpose("input.purpose", in.Purpose)
	if err != nil {
		return nil, err
	}
	record.For(ctx, purpose)
	var filter AuditEntryFilter
	if in.Filter != nil {
		filter = *in.Filter
	}
	if err := filter.check("input.filter"); err != nil {
		return nil, err
	}
	var rows []*AuditEntry
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, p.Scopes(), false, filter, nil, MaxExport+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	made := &Export{FileName: "操作日志-" + s.Now().In(chengdu).Format("20060102-150405") + ".csv", Truncated: len(rows) > MaxExport}
	rows = rows[:min(len(rows), MaxExport)]
	made.Rows = len(rows)
	made.CSV = sheet.CSV(exportColumns, func(line func(...string)) {
		for _, e := range rows {
			line(e.cells()...)
		}
	})
	return made, nil
}

// Purpose checks what somebody says that a look is for.
func Purpose(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n < 4 || n > 200 || !utf8.ValidString(text) {
		return "", fault.Invalid(field, "请写明目的，4 到 200 个字")
	}
	return text, nil
}

func (e *AuditEntry) cells() []string {
	return []string{
		e.At.In(chengdu).Format(time.DateTime), e.Result, e.Action, e.Subgraph, e.ActorKind, e.ActorName, e.ActorID, strings.Join(e.Roles, " "), e.ActorPost,
		e.AreaCode, e.Client, e.Address, e.RequestID, e.TraceID, e.Purpose, e.TargetKind, e.TargetID, e.Before, e.After, e.Input,
		e.Day, fmt.Sprint(e.Seq), hex.EncodeToString(e.Digest),
	}
}
