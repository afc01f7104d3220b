package transport

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// pagePolicy lets a page load nothing from any other host. Styles may stand
// in elements, as editors and charts set them; scripts may not.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// WebClient serves a built web client under prefix, which ends in "/". Files
// under assets/ have their hash in the name and are kept by browsers for
// ever; a path without a file is the client's own, and gets index.html.
func WebClient(prefix string, files fs.FS) http.Handler {
	server := http.StripPrefix(prefix, http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "只支持 GET", http.StatusMethodNotAllowed)
			return
		}
		if !strings.HasPrefix(r.URL.Path, prefix) {
			http.Redirect(w, r, prefix, http.StatusMovedPermanently)
			return
		}
		header := w.Header()
		header.Set("Content-Security-Policy", pagePolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		name := strings.TrimPrefix(r.URL.Path, prefix)
		if strings.HasPrefix(name, "assets/") {
			header.Set("Cache-Control", "public, max-age=31536000, immutable")
			server.ServeHTTP(w, r)
			return
		}
		header.Set("Cache-Control", "no-cache")
		if info, err := fs.Stat(files, path.Clean(name)); err == nil && !info.IsDir() && path.Base(name) != "index.html" {
			server.ServeHTTP(w, r)
			return
		}
		page, err := fs.ReadFile(files, "index.html")
		if err != nil {
			http.Error(w, "页面缺失", http.StatusNotFound)
			return
		}
		header.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
}
