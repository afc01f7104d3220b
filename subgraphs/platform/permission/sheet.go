package permission

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// mark tells spreadsheets that the file is UTF-8.
const mark = "\ufeff"

// Sheet is the matrix as CSV (RFC 4180): a line for each role, action and data
// scope in use, also where the action is not granted.
func (m *Matrix) Sheet() string {
	return write([]string{"角色", "角色名称", "操作", "操作名称", "是否允许", "数据范围", "岗位数", "在任人数"}, func(line func(...string)) {
		for _, role := range m.Roles {
			uses := role.DataScopes
			if len(uses) == 0 {
				uses = []*ScopeUse{{}}
			}
			for _, action := range role.Actions {
				granted := "否"
				if action.Granted {
					granted = "是"
				}
				for _, use := range uses {
					line(string(role.Role), role.Name, action.Action, action.Name, granted, use.DataScope.Name(), strconv.Itoa(use.Posts), strconv.Itoa(use.Workers))
				}
			}
		}
	})
}

// PostSheet is the posts behind the matrix as CSV.
func (m *Matrix) PostSheet() string {
	return write([]string{"机构", "岗位", "区划代码", "角色", "数据范围", "指定区划", "在任人数"}, func(line func(...string)) {
		for _, h := range m.posts {
			names := make([]string, len(h.Roles))
			for i, role := range h.Roles {
				names[i] = RoleName(access.Role(role))
			}
			line(h.Unit, h.Post, h.AreaCode, strings.Join(names, "、"), h.DataScope.Name(), strings.Join(h.Areas, "、"), strconv.Itoa(h.Workers))
		}
	})
}

func write(head []string, lines func(line func(...string))) string {
	var text bytes.Buffer
	text.WriteString(mark)
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.Write(head) // into memory: nothing fails
	lines(func(cells ...string) {
		for i := range cells {
			cells[i] = Harmless(cells[i])
		}
		_ = w.Write(cells)
	})
	w.Flush()
	return text.String()
}

// Harmless keeps a spreadsheet from taking the cell for a formula: one that
// begins as formulas do gets an apostrophe in front (OWASP, CSV injection).
func Harmless(cell string) string {
	trimmed := strings.TrimLeft(cell, " \u00a0\u3000")
	if trimmed != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠|%", []rune(trimmed)[0]) {
		return "'" + cell
	}
	return cell
}
