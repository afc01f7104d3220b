// Package clients holds what the binary carries of every client: the manifest
// of the operations that it may ask, and the built web clients. It knows
// nothing else of ours.
//
// Start reading at Names; a manifest is made from <client>/operations by
// `go run ./schema/internal/manifest`.
package clients

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

// Names are the clients of the platform, as they say it in X-Client-Id.
func Names() []string {
	return []string{"app", "miniprogram", "partner", "screen", "workbench"}
}

// Partner is the client of third parties: persisted operations only, in every
// mode.
const Partner = "partner"

//go:embed app/manifest.json miniprogram/manifest.json partner/manifest.json screen/manifest.json workbench/manifest.json
var manifests embed.FS

// Manifest gives the client's operations in Apollo's
// persisted-query-manifest format.
func Manifest(client string) ([]byte, error) {
	if !slices.Contains(Names(), client) {
		return nil, fmt.Errorf("clients: no client %q", client)
	}
	body, err := manifests.ReadFile(client + "/manifest.json")
	if err != nil {
		return nil, fmt.Errorf("clients: manifest of %s: %w", client, err)
	}
	return body, nil
}

// The patterns end in * so that the package compiles before a web client is
// built: dist-missing is committed and always matches.
var (
	//go:embed all:screen/dist*
	screen embed.FS
	//go:embed all:explorer/dist*
	explorer embed.FS
)

// Screen gives the files of the big screen's web client (to be served under
// /screen/), and whether it was built; if not, index.html says how to.
func Screen() (files fs.FS, built bool) { return web(screen, "screen") }

// Explorer gives the files of the GraphiQL page (to be served under
// /explorer/), and whether it was built; if not, index.html says how to.
func Explorer() (files fs.FS, built bool) { return web(explorer, "explorer") }

func web(all embed.FS, name string) (fs.FS, bool) {
	folder := name + "/dist"
	if _, err := fs.Stat(all, folder+"/index.html"); err == nil {
		return sub(all, folder), true
	}
	return sub(all, folder+"-missing"), false
}

// sub cannot fail for the constant, valid paths above.
func sub(all embed.FS, folder string) fs.FS {
	files, err := fs.Sub(all, folder)
	if err != nil {
		panic(err)
	}
	return files
}
