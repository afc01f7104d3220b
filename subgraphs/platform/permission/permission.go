// Package permission shows who may do what where: the matrix of roles, actions
// and data scopes, for the three administrators, on the screen and as a file
// for spreadsheets.
//
// Start reading at Matrix; the file is written in sheet.go, Chinese names are in
// name.go, the SQL is in store.go.
package permission

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
)

// Matrix is what each role may do, and how far it reaches in the caller's scope.
type Matrix struct {
	Roles []*RolePermission
	posts []held
}

// RolePermission is one role of the matrix.
type RolePermission struct {
	Role          access.Role
	Name          string
	Administrator bool
	Actions       []*ActionPermission
	DataScopes    []*ScopeUse
}

// ActionPermission is one action of a role: granted or not.
type ActionPermission struct {
	Action  string
	Name    string
	Granted bool
}

// ScopeUse is how many posts of the caller's scope carry the role with the data
// scope, and how many workers hold them now.
type ScopeUse struct {
	DataScope post.DataScope
	Posts     int
	Workers   int
}

// Service computes the matrix.
type Service struct{ DB *database.DB }

// Matrix gives the whole matrix. It needs permission.view. One statement.
func (s *Service) Matrix(ctx context.Context) (*Matrix, error) {
	p, err := access.Require(ctx, access.PermissionView)
	if err != nil {
		return nil, err
	}
	m := &Matrix{}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		m.posts, err = posts(ctx, tx, p.Scopes())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, role := range access.Roles() {
		one := &RolePermission{Role: role, Name: RoleName(role), Administrator: role.Administrator(), DataScopes: []*ScopeUse{}}
		for _, action := range access.Actions() {
			one.Actions = append(one.Actions, &ActionPermission{Action: string(action), Name: ActionName(action), Granted: role.Grants(action)})
		}
		for _, scope := range post.DataScopes {
			use := &ScopeUse{DataScope: scope}
			for _, h := range m.posts {
				if h.DataScope == scope && h.has(role) {
					use.Posts++
					use.Workers += h.Workers
				}
			}
			if use.Posts > 0 {
				one.DataScopes = append(one.DataScopes, use)
			}
		}
		m.Roles = append(m.Roles, one)
	}
	return m, nil
}
