package platform

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
)

// optional is null for nothing.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// known gives what only those may see who know the file's life; else null.
func known[T any](ctx context.Context, r *Resolver, f *file.FileAsset, value *T) (*T, error) {
	if !r.files.KnownTo(ctx, f) {
		return nil, nil
	}
	return value, nil
}

func fileConnection(page file.Page, err error) (*executable.FileAssetConnection, error) {
	if err != nil {
		return nil, err
	}
	edges := make([]*executable.FileAssetEdge, len(page.Files))
	for i, f := range page.Files {
		edges[i] = &executable.FileAssetEdge{Cursor: keyset.Cursor(f.ID), Node: *f}
	}
	return &executable.FileAssetConnection{Edges: edges, PageInfo: *page.Info}, nil
}

func fileUploadConnection(page file.UploadPage, err error) (*executable.FileUploadConnection, error) {
	if err != nil {
		return nil, err
	}
	edges := make([]*executable.FileUploadEdge, len(page.Uploads))
	for i, u := range page.Uploads {
		edges[i] = &executable.FileUploadEdge{Cursor: keyset.Cursor(u.ID), Node: *u}
	}
	return &executable.FileUploadConnection{Edges: edges, PageInfo: *page.Info}, nil
}
