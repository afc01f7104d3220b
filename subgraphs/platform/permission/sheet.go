package permission

import (
	"strconv"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/sheet"
)

// Sheet is the matrix as CSV (RFC 4180): a line for each role, action and data
// scope in use, also where the action is not granted.
func (m *Matrix) Sheet() string {
	return sheet.CSV([]string{"角色", "角色名称", "操作", "操作名称", "是否允许", "数据范围", "岗位数", "在任人数"}, func(line func(...string)) {
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
	return sheet.CSV([]string{"机构", "岗位", "区划代码", "角色", "数据范围", "指定区划", "在任人数"}, func(line func(...string)) {
		for _, h := range m.posts {
			names := make([]string, len(h.Roles))
			for i, role := range h.Roles {
				names[i] = RoleName(access.Role(role))
			}
			line(h.Unit, h.Post, h.AreaCode, strings.Join(names, "、"), h.DataScope.Name(), strings.Join(h.Areas, "、"), strconv.Itoa(h.Workers))
		}
	})
}
